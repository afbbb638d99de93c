package parser

import (
	"slices"
	"testing"
)

// TestSlab checks that no two values share memory, however lists and single
// values take turns, and that appending to a list leaves the next one alone.
func TestSlab(t *testing.T) {
	var s slab[int]
	var ones []*int
	var lists [][]int
	for n := range 3 * lastBlock {
		one := s.one()
		if *one != 0 {
			t.Fatal("a new value is not zero")
		}
		*one = n
		ones = append(ones, one)
		list := s.keep(slices.Repeat([]int{n}, n%(lastBlock/2)))
		_ = append(list, -1)
		lists = append(lists, list)
	}
	for n := range ones {
		if *ones[n] != n {
			t.Errorf("value %d became %d", n, *ones[n])
		}
		if want := slices.Repeat([]int{n}, n%(lastBlock/2)); !slices.Equal(lists[n], want) {
			t.Errorf("list %d became %v", n, lists[n])
		}
	}
}
