// Package symbol interns names: equal names are equal small integers.
package symbol

import "slices"

// Symbol stands for a name of the [Table] that made it.
type Symbol uint32

// Table maps names to symbols and back; symbols are never removed. The zero
// Symbol is the empty name. It belongs to one evaluation and is not safe for
// concurrent use.
type Table struct {
	ids    map[string]Symbol
	names  []string
	recent [1 << recentBits]Symbol // see Intern
}

const recentBits = 11

// NewTable returns a table that holds the names of this package's constants.
func NewTable() *Table {
	t := &Table{ids: make(map[string]Symbol, 4096), names: make([]string, 0, 4096)}
	for _, name := range wellKnown {
		t.add(name)
	}
	return t
}

// Intern returns the symbol of name, making one if need be. A text has the same
// few names over and over; those that came last are found without hashing all of
// the name.
func (t *Table) Intern(name string) Symbol {
	r := &t.recent[slot(name)]
	if t.names[*r] == name {
		return *r
	}
	s, ok := t.ids[name]
	if !ok {
		s = t.add(name)
	}
	*r = s
	return s
}

// slot mixes the length and a few bytes of a name.
func slot(name string) uint32 {
	n := uint32(len(name))
	if n == 0 {
		return 0
	}
	h := n<<24 | uint32(name[0])<<16 | uint32(name[n/2])<<8 | uint32(name[n-1])
	return h * 0x9e3779b1 >> (32 - recentBits)
}

func (t *Table) add(name string) Symbol {
	s := Symbol(len(t.names))
	t.names = append(t.names, name)
	t.ids[name] = s
	return s
}

// Lookup returns the symbol of name if it has one.
func (t *Table) Lookup(name string) (Symbol, bool) {
	if s := t.recent[slot(name)]; t.names[s] == name {
		return s, true
	}
	s, ok := t.ids[name]
	return s, ok
}

// Name returns the name that s stands for.
func (t *Table) Name(s Symbol) string { return t.names[s] }

// Names returns all names, each at the index that is its symbol. The caller
// must not change them.
func (t *Table) Names() []string { return slices.Clip(t.names) }

// Len returns the number of names, the empty one included.
func (t *Table) Len() int { return len(t.names) }
