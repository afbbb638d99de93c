package value

import (
	"unsafe"

	"gonix/parser/source"
)

// The small sets, which most are, together with their attributes: one allocation
// instead of two, and of the smallest one for several sets.
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

// MakeAttrs returns a set of n attributes, which the caller fills in, sorted by
// symbol and each name once, before anybody sees the set.
func (th *Thread) MakeAttrs(pos source.Pos, n int) (*Attrs, []Attr) {
	var a *Attrs
	switch n {
	case 1:
		s := th.sets1.next()
		a, s.first = &s.Attrs, &s.room[0]
	case 2:
		s := th.sets2.next()
		a, s.first = &s.Attrs, &s.room[0]
	case 3:
		s := th.sets3.next()
		a, s.first = &s.Attrs, &s.room[0]
	case 4:
		s := new(attrs4)
		a, s.first = &s.Attrs, &s.room[0]
	default:
		a = th.sets.next()
		a.first = unsafe.SliceData(make([]Attr, n))
	}
	a.count, a.size, a.pos = int32(n), int32(n), pos
	th.Stats.Sets++
	th.Stats.SetElems += uint64(n)
	return a, a.own()
}

// KeepAttrs is [NewAttrs] for a set that counts.
func (th *Thread) KeepAttrs(pos source.Pos, attrs []Attr) *Attrs {
	th.Stats.Sets++
	th.Stats.SetElems += uint64(len(attrs))
	a := th.sets.next()
	*a = plainAttrs(pos, attrs)
	return a
}

// MakeSet is [Builder.Finish] for a set that counts.
func (th *Thread) MakeSet(b *Builder) *Attrs {
	b.sort()
	return th.KeepAttrs(b.Pos, b.attrs)
}
