package value

import (
	"cmp"
	"slices"
	"strings"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Attr is one attribute of a set.
type Attr struct {
	Sym symbol.Symbol
	Pos source.Pos
	Val Value
}

// Attrs is an immutable attribute set: a slice sorted by symbol, laid over
// another set when it is the small right side of an update.
type Attrs struct {
	own    []Attr // sorted by Sym
	base   *Attrs // nil, or the left side of //
	size   int    // number of distinct names in own and base
	layers int    // length of the base chain
	pos    source.Pos
}

// Limits of layering, as in Nix's attr-set.hh: a right side of at most
// maxLayerSize attributes is laid over the left, at most maxLayers deep.
const (
	maxLayerSize = 16
	maxLayers    = 8
)

// EmptyAttrs is { }.
var EmptyAttrs = &Attrs{}

// Len returns the number of attributes.
func (a *Attrs) Len() int { return a.size }

// Pos is where the set was written, if known.
func (a *Attrs) Pos() source.Pos { return a.pos }

// Get returns the attribute named s.
func (a *Attrs) Get(s symbol.Symbol) (Attr, bool) {
	for ; a != nil; a = a.base {
		if i, ok := search(a.own, s); ok {
			return a.own[i], true
		}
	}
	return Attr{}, false
}

func search(attrs []Attr, s symbol.Symbol) (int, bool) {
	lo, hi := 0, len(attrs)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		if attrs[m].Sym < s {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo, lo < len(attrs) && attrs[lo].Sym == s
}

// All returns the attributes sorted by symbol. The caller must not change them.
func (a *Attrs) All() []Attr {
	out := a.own
	// From the top down, so that the large set at the bottom is copied once.
	for b := a.base; b != nil; b = b.base {
		size := len(b.own) + len(out)
		if b.base == nil {
			size = a.size
		}
		out = mergeAttrs(b.own, out, size)
	}
	return out
}

// mergeAttrs merges two sorted slices; the right one wins.
func mergeAttrs(l, r []Attr, size int) []Attr {
	out := make([]Attr, 0, size)
	i, j := 0, 0
	for i < len(l) && j < len(r) {
		switch {
		case l[i].Sym < r[j].Sym:
			out = append(out, l[i])
			i++
		case l[i].Sym > r[j].Sym:
			out = append(out, r[j])
			j++
		default:
			out = append(out, r[j])
			i++
			j++
		}
	}
	out = append(out, l[i:]...)
	return append(out, r[j:]...)
}

// Sorted returns the attributes in the order of their names, which is the
// order that users see.
func (a *Attrs) Sorted(t *symbol.Table) []Attr {
	out := slices.Clone(a.All())
	names := t.Names()
	slices.SortFunc(out, func(x, y Attr) int { return strings.Compare(names[x.Sym], names[y.Sym]) })
	return out
}

// Update is a // b.
func Update(a, b *Attrs) *Attrs {
	if a.size == 0 {
		return b
	}
	if b.size == 0 {
		return a
	}
	size := a.size + b.size
	if b.size <= a.size {
		for _, x := range b.All() {
			if _, dup := a.Get(x.Sym); dup {
				size--
			}
		}
		if b.size <= maxLayerSize && a.layers < maxLayers {
			return &Attrs{own: b.All(), base: a, size: size, layers: a.layers + 1, pos: a.pos}
		}
	} else {
		for _, x := range a.All() {
			if _, dup := b.Get(x.Sym); dup {
				size--
			}
		}
	}
	return &Attrs{own: mergeAttrs(a.All(), b.All(), size), size: size, pos: a.pos}
}

// Builder collects attributes for a new set.
type Builder struct {
	attrs []Attr
	Pos   source.Pos
}

// NewBuilder returns a builder with room for n attributes.
func NewBuilder(n int) *Builder { return &Builder{attrs: make([]Attr, 0, n)} }

// Add appends an attribute.
func (b *Builder) Add(s symbol.Symbol, pos source.Pos, v Value) {
	b.attrs = append(b.attrs, Attr{s, pos, v})
}

// NewAttrs returns the set of attrs, which it keeps: they must be sorted by
// symbol, each name once.
func NewAttrs(pos source.Pos, attrs []Attr) *Attrs {
	return &Attrs{own: attrs, size: len(attrs), pos: pos}
}

// Finish returns the set. Of attributes with the same name the first added
// stays (as in builtins.listToAttrs). The builder must not be used again.
func (b *Builder) Finish() *Attrs {
	slices.SortStableFunc(b.attrs, func(x, y Attr) int { return cmp.Compare(x.Sym, y.Sym) })
	b.attrs = slices.CompactFunc(b.attrs, func(x, y Attr) bool { return x.Sym == y.Sym })
	return &Attrs{own: b.attrs, size: len(b.attrs), pos: b.Pos}
}
