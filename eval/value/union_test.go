package value

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Union of a list is what joining its members one by one gives.
func TestUnion(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		all := make([]*Context, random.IntN(6))
		var want *Context
		for i := range all {
			var elems []ContextElem
			for range random.IntN(4) {
				elems = append(elems, ContextElem{Kind: Built, Path: fmt.Sprint(random.IntN(4)), Output: fmt.Sprint(random.IntN(2))})
			}
			all[i] = NewContext(elems...)
			want = want.Union(all[i])
		}
		if got := Union(slices.Clone(all)); !slices.Equal(got.Elems(), want.Elems()) {
			t.Fatalf("%v: %v, not %v", all, got.Elems(), want.Elems())
		}
	}
}
