package value

import "unsafe"

// slab hands out objects that are allocated a few at a time: most of what an
// evaluation makes is small, and of an allocation the size is the lesser cost. A
// chunk lives as long as any of its objects, with all that the others refer to, so
// chunks are small.
type slab[T any] struct{ rest []T }

// chunkBytes is how many bytes of objects are allocated at a time.
const chunkBytes = 384

// next returns an object that nobody else has.
func (s *slab[T]) next() *T {
	if len(s.rest) == 0 {
		s.rest = make([]T, chunkBytes/unsafe.Sizeof(*new(T)))
	}
	p := &s.rest[0]
	s.rest = s.rest[1:]
	return p
}

// NewClosure returns fn with the frame that it is made in.
func (th *Thread) NewClosure(fn Function, frame *Frame) *Closure {
	c := th.closures.next()
	c.Fn, c.Frame = fn, frame
	return c
}
