package value

import (
	"slices"
	"strings"
)

// ContextKind says how a string depends on a store object.
type ContextKind uint8

// The kinds of context elements (Nix: NixStringContextElem).
const (
	Opaque  ContextKind = iota // the store path itself
	DrvDeep                    // a derivation and its whole closure, outputs included (drvPath)
	Built                      // output Output of derivation Path
)

// ContextElem is one dependency. Path is the full text of a store path.
type ContextElem struct {
	Kind   ContextKind
	Path   string
	Output string // only Built
}

// String is Nix's encoded form: path, =path, !output!path.
func (e ContextElem) String() string {
	switch e.Kind {
	case DrvDeep:
		return "=" + e.Path
	case Built:
		return "!" + e.Output + "!" + e.Path
	}
	return e.Path
}

// display is the form that messages show.
func (e ContextElem) display() string {
	switch e.Kind {
	case DrvDeep:
		return e.Path + " (deep)"
	case Built:
		return e.Path + "^" + e.Output
	}
	return e.Path
}

func compareElem(a, b ContextElem) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	return strings.Compare(a.Output, b.Output)
}

// Context is an immutable set of context elements, sorted. A nil *Context is
// the empty set.
type Context struct{ elems []ContextElem }

// NewContext returns the set of elems, or nil if there are none.
func NewContext(elems ...ContextElem) *Context {
	if len(elems) == 0 {
		return nil
	}
	elems = slices.Clone(elems)
	slices.SortFunc(elems, compareElem)
	return &Context{slices.Compact(elems)}
}

// Elems returns the elements in order; the caller must not change them.
func (c *Context) Elems() []ContextElem {
	if c == nil {
		return nil
	}
	return c.elems
}

// Union returns the set of what is in either; it returns one of its operands
// when that holds the other.
func (c *Context) Union(d *Context) *Context {
	if c == d || d == nil {
		return c
	}
	if c == nil {
		return d
	}
	if d.within(c) {
		return c
	}
	if c.within(d) {
		return d
	}
	out := make([]ContextElem, 0, len(c.elems)+len(d.elems))
	i, j := 0, 0
	for i < len(c.elems) && j < len(d.elems) {
		switch k := compareElem(c.elems[i], d.elems[j]); {
		case k < 0:
			out = append(out, c.elems[i])
			i++
		case k > 0:
			out = append(out, d.elems[j])
			j++
		default:
			out = append(out, c.elems[i])
			i++
			j++
		}
	}
	out = append(out, c.elems[i:]...)
	out = append(out, d.elems[j:]...)
	return &Context{out}
}

// Union returns the set of what is in any of them, one of them if that holds
// the others. It may change the order of the list.
func Union(all []*Context) *Context {
	if len(all) == 0 {
		return nil
	}
	// Most are small parts of the largest.
	slices.SortStableFunc(all, func(c, d *Context) int { return len(d.Elems()) - len(c.Elems()) })
	size := 0
	rest := all[1:1]
	for _, c := range all[1:] {
		if c != nil && !c.within(all[0]) {
			rest = append(rest, c)
			size += len(c.elems)
		}
	}
	if len(rest) == 0 {
		return all[0]
	}
	elems := make([]ContextElem, 0, size+len(all[0].elems))
	elems = append(elems, all[0].elems...)
	for _, c := range rest {
		elems = append(elems, c.elems...)
	}
	slices.SortFunc(elems, compareElem)
	return &Context{slices.Compact(elems)}
}

// within reports whether d holds all that c does.
func (c *Context) within(d *Context) bool {
	if len(c.elems) > len(d.elems) {
		return false
	}
	j := 0
	for i := range c.elems {
		for j < len(d.elems) && compareElem(d.elems[j], c.elems[i]) < 0 {
			j++
		}
		if j == len(d.elems) || d.elems[j] != c.elems[i] {
			return false
		}
		j++
	}
	return true
}
