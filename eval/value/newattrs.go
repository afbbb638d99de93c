package value

import "gonix/parser/source"

// The small sets, which most are, together with their attributes.
type (
	attrs1 struct {
		Attrs
		room [1]Attr
	}
	attrs2 struct {
		Attrs
		room [2]Attr
	}
	attrs3 struct {
		Attrs
		room [3]Attr
	}
	attrs4 struct {
		Attrs
		room [4]Attr
	}
)

// setSlabs is where new sets come from.
type setSlabs struct {
	plain slab[Attrs]
	of1   slab[attrs1]
	of2   slab[attrs2]
	of3   slab[attrs3]
	of4   slab[attrs4]
}

// MakeAttrs returns a set of n attributes, which the caller fills in, sorted by
// symbol and each name once, before anybody sees the set.
func (th *Thread) MakeAttrs(pos source.Pos, n int) (*Attrs, []Attr) {
	var a *Attrs
	switch n {
	case 1:
		s := th.sets.of1.next()
		a, s.own = &s.Attrs, s.room[:]
	case 2:
		s := th.sets.of2.next()
		a, s.own = &s.Attrs, s.room[:]
	case 3:
		s := th.sets.of3.next()
		a, s.own = &s.Attrs, s.room[:]
	case 4:
		s := th.sets.of4.next()
		a, s.own = &s.Attrs, s.room[:]
	default:
		a = th.sets.plain.next()
		a.own = make([]Attr, n)
	}
	a.size, a.pos = int32(n), pos
	th.Stats.Sets++
	th.Stats.SetElems += uint64(n)
	return a, a.own
}

// KeepAttrs is [NewAttrs] for a set that counts.
func (th *Thread) KeepAttrs(pos source.Pos, attrs []Attr) *Attrs {
	a := th.sets.plain.next()
	a.own, a.size, a.pos = attrs, int32(len(attrs)), pos
	th.Stats.Sets++
	th.Stats.SetElems += uint64(len(attrs))
	return a
}

// MakeSet is [Builder.Finish] for a set that counts.
func (th *Thread) MakeSet(b *Builder) *Attrs {
	b.sort()
	return th.KeepAttrs(b.Pos, b.attrs)
}
