// Package symbol interns names: equal names are equal small integers.
package symbol

import (
	"slices"
	"sync"
)

// Symbol stands for a name of the [Table] that made it.
type Symbol uint32

// Table maps names to symbols and back. Insertion takes a lock; symbols are
// never removed. The zero Symbol is the empty name.
type Table struct {
	mu    sync.RWMutex
	ids   map[string]Symbol
	names []string
}

// NewTable returns a table that holds the names of this package's constants.
func NewTable() *Table {
	t := &Table{ids: make(map[string]Symbol, 1024)}
	for _, name := range wellKnown {
		t.Intern(name)
	}
	return t
}

// Intern returns the symbol of name, making one if need be.
func (t *Table) Intern(name string) Symbol {
	t.mu.RLock()
	s, ok := t.ids[name]
	t.mu.RUnlock()
	if ok {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.ids[name]; ok {
		return s
	}
	s = Symbol(len(t.names))
	t.names = append(t.names, name)
	t.ids[name] = s
	return s
}

// Lookup returns the symbol of name if it has one.
func (t *Table) Lookup(name string) (Symbol, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s, ok := t.ids[name]
	return s, ok
}

// Name returns the name that s stands for.
func (t *Table) Name(s Symbol) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.names[s]
}

// Names returns all names, each at the index that is its symbol. The caller
// must not change them.
func (t *Table) Names() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clip(t.names)
}

// Len returns the number of names, the empty one included.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.names)
}
