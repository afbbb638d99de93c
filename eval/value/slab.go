package value

import "unsafe"

// slab hands out objects that are allocated a few at a time: most of what an
// evaluation makes is small, and of an allocation the size is the lesser cost. A
// chunk lives as long as any of its objects, with all that the others refer to, so
// chunks are small.
type slab[T any] struct {
	chunk   unsafe.Pointer
	at, end uintptr // offsets into the chunk: of the next object, and behind the last
}

// chunkBytes is how many bytes of objects are allocated at a time.
const chunkBytes = 384

// next returns an object that nobody else has.
func (s *slab[T]) next() *T {
	if s.at == s.end {
		s.refill()
	}
	p := (*T)(unsafe.Add(s.chunk, s.at))
	s.at += unsafe.Sizeof(*p)
	return p
}

func (s *slab[T]) refill() {
	size := unsafe.Sizeof(*new(T))
	n := chunkBytes / size
	s.chunk = unsafe.Pointer(unsafe.SliceData(make([]T, n)))
	s.at, s.end = 0, n*size
}

// NewClosure returns fn with the frame that it is made in.
func (th *Thread) NewClosure(fn Function, frame *Frame) *Closure {
	c := th.closures.next()
	c.Fn, c.Frame = fn, frame
	return c
}
