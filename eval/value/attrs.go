package value

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

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
	first  *Attr  // of those of its own, see own
	base   *Attrs // nil, or the left side of //
	count  int32  // of its own
	size   int32  // number of distinct names in own and base
	layers int32  // length of the base chain
	pos    source.Pos
}

// own returns the attributes without those of base, sorted by symbol. That the set
// has no slice of them saves a quarter of its size.
func (a *Attrs) own() []Attr { return unsafe.Slice(a.first, a.count) }

// plainAttrs is the set of attrs, which it keeps.
func plainAttrs(pos source.Pos, attrs []Attr) Attrs {
	n := int32(len(attrs))
	return Attrs{first: unsafe.SliceData(attrs), count: n, size: n, pos: pos}
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
func (a *Attrs) Len() int { return int(a.size) }

// Pos is where the set was written, if known.
func (a *Attrs) Pos() source.Pos { return a.pos }

// Get returns the attribute named s.
func (a *Attrs) Get(s symbol.Symbol) (Attr, bool) {
	if at := a.Find(s); at != nil {
		return *at, true
	}
	return Attr{}, false
}

// Find returns the attribute named s, which must not be changed, or nil.
func (a *Attrs) Find(s symbol.Symbol) *Attr {
	for ; a != nil; a = a.base {
		low, high := 0, int(a.count)
		for low < high {
			m := int(uint(low+high) >> 1)
			if a.at(m).Sym < s {
				low = m + 1
			} else {
				high = m
			}
		}
		if low < int(a.count) {
			if at := a.at(low); at.Sym == s {
				return at
			}
		}
	}
	return nil
}

// at returns attribute i of its own, which must be there: nothing checks that.
func (a *Attrs) at(i int) *Attr {
	return (*Attr)(unsafe.Add(unsafe.Pointer(a.first), uintptr(i)*unsafe.Sizeof(Attr{})))
}

// All returns the attributes sorted by symbol. The caller must not change them.
// If the set has layers they are copied; see [Attrs.Each].
func (a *Attrs) All() []Attr {
	if a.base == nil {
		return a.own()
	}
	return a.appendTo(make([]Attr, 0, a.size))
}

func (a *Attrs) appendTo(out []Attr) []Attr {
	for w := a.walk(); w.next(); {
		out = append(out, *w.at)
	}
	return out
}

// Each yields the attributes sorted by symbol.
func (a *Attrs) Each(yield func(*Attr) bool) {
	if a.base == nil {
		for i := range int(a.count) {
			if !yield(a.at(i)) {
				return
			}
		}
		return
	}
	for w := a.walk(); w.next(); {
		if !yield(w.at) {
			return
		}
	}
}

// walk goes through a set in the order of the symbols, without copying the
// layers.
type walk struct {
	at     *Attr             // the present attribute
	tops   [maxLayers][]Attr // what is left of the upper layers, the topmost first
	lowest []Attr            // what is left of the lowest layer
	upper  int               // how many of tops are not used up
}

func (a *Attrs) walk() walk {
	w := walk{}
	for ; a.base != nil; a = a.base {
		w.tops[w.upper] = a.own()
		w.upper++
	}
	w.lowest = a.own()
	return w
}

// next moves on to the next attribute, if there is one.
func (w *walk) next() bool {
	if w.upper == 0 {
		if len(w.lowest) == 0 {
			return false
		}
		w.at = &w.lowest[0]
		w.lowest = w.lowest[1:]
		return true
	}
	return w.nextOfLayers()
}

func (w *walk) nextOfLayers() bool {
	// The topmost of the layers whose next name is the first one wins.
	w.at = nil
	for i := range w.upper {
		if t := w.tops[i]; w.at == nil || t[0].Sym < w.at.Sym {
			w.at = &t[0]
		}
	}
	if len(w.lowest) > 0 {
		if w.lowest[0].Sym < w.at.Sym {
			w.at = &w.lowest[0]
		}
		if w.lowest[0].Sym == w.at.Sym {
			w.lowest = w.lowest[1:]
		}
	}
	kept := 0
	for i := range w.upper {
		t := w.tops[i]
		if t[0].Sym == w.at.Sym {
			t = t[1:]
		}
		if len(t) > 0 {
			w.tops[kept] = t
			kept++
		}
	}
	w.upper = kept
	return true
}

// Sorted returns the attributes in the order of their names, which is the
// order that users see.
func (a *Attrs) Sorted(t *symbol.Table) []Attr {
	out := a.appendTo(make([]Attr, 0, a.size))
	names := t.Names()
	slices.SortFunc(out, func(x, y Attr) int { return strings.Compare(names[x.Sym], names[y.Sym]) })
	return out
}

// Update is a // b.
func Update(a, b *Attrs) *Attrs {
	operand, out := update(a, b)
	if operand != nil {
		return operand
	}
	return &out
}

// Update is a // b, counted.
func (th *Thread) Update(a, b *Attrs) *Attrs {
	th.Stats.Updates++
	operand, made := update(a, b)
	if operand != nil {
		return operand
	}
	out := th.sets.next()
	*out = made
	th.Stats.Sets++
	th.Stats.SetElems += uint64(out.count)
	th.Stats.UpdatedValues += uint64(out.count)
	return out
}

// update is a // b: one of the operands, or if that is nil a new set.
func update(a, b *Attrs) (operand *Attrs, out Attrs) {
	if a.size == 0 {
		return b, out
	}
	if b.size == 0 {
		return a, out
	}
	size := a.size + b.size
	small, large := b, a
	if b.size > a.size {
		small, large = a, b
	}
	for at := range small.Each {
		if large.Find(at.Sym) != nil {
			size--
		}
	}
	if b.size <= maxLayerSize && b.size <= a.size && a.layers < maxLayers {
		out = plainAttrs(a.pos, b.All())
		out.base, out.size, out.layers = a, size, a.layers+1
		return nil, out
	}
	return nil, plainAttrs(a.pos, merge(a, b, int(size)))
}

// merge returns the attributes of a // b, of which there are size.
func merge(a, b *Attrs, size int) []Attr {
	out := make([]Attr, 0, size)
	if a.base == nil && b.base == nil {
		return mergePlain(out, a.own(), b.own())
	}
	l, r := a.walk(), b.walk()
	hasL, hasR := l.next(), r.next()
	for hasL && hasR {
		switch {
		case l.at.Sym < r.at.Sym:
			out = append(out, *l.at)
			hasL = l.next()
		case l.at.Sym > r.at.Sym:
			out = append(out, *r.at)
			hasR = r.next()
		default:
			out = append(out, *r.at)
			hasL, hasR = l.next(), r.next()
		}
	}
	for ; hasL; hasL = l.next() {
		out = append(out, *l.at)
	}
	for ; hasR; hasR = r.next() {
		out = append(out, *r.at)
	}
	return out
}

// mergePlain appends l // r, both sorted, to out.
func mergePlain(out, l, r []Attr) []Attr {
	for len(l) > 0 && len(r) > 0 {
		x, y := &l[0], &r[0]
		if x.Sym < y.Sym {
			out, l = append(out, *x), l[1:]
			continue
		}
		if x.Sym == y.Sym {
			l = l[1:]
		}
		out, r = append(out, *y), r[1:]
	}
	return append(append(out, l...), r...)
}

// Builder collects attributes for a new set.
type Builder struct {
	attrs   []Attr
	mixedUp bool // attrs is not sorted, or has a name twice
	Pos     source.Pos
}

// NewBuilder returns a builder with room for n attributes.
func NewBuilder(n int) *Builder { return &Builder{attrs: make([]Attr, 0, n)} }

// Add appends an attribute.
func (b *Builder) Add(s symbol.Symbol, pos source.Pos, v Value) {
	if n := len(b.attrs); n > 0 && b.attrs[n-1].Sym >= s {
		b.mixedUp = true
	}
	b.attrs = append(b.attrs, Attr{s, pos, v})
}

// NewAttrs returns the set of attrs, which it keeps: they must be sorted by
// symbol, each name once.
func NewAttrs(pos source.Pos, attrs []Attr) *Attrs {
	a := plainAttrs(pos, attrs)
	return &a
}

// Finish returns the set. Of attributes with the same name the first added
// stays (as in builtins.listToAttrs). The builder must not be used again.
func (b *Builder) Finish() *Attrs {
	b.sort()
	return NewAttrs(b.Pos, b.attrs)
}

// Copy returns a set of its own with the attributes of a, which it shares.
func (a *Attrs) Copy() *Attrs {
	out := *a
	return &out
}

func (b *Builder) sort() {
	if b.mixedUp {
		slices.SortStableFunc(b.attrs, func(x, y Attr) int { return cmp.Compare(x.Sym, y.Sym) })
		b.attrs = slices.CompactFunc(b.attrs, func(x, y Attr) bool { return x.Sym == y.Sym })
	}
}
