package value

import "unsafe"

// Frame holds the variables of one scope; the resolver knows each by how many
// frames up it is and in which slot.
//
// It is the start of a run of words in memory: first the frame around it, then
// its slots, of two words each. So it costs no second allocation, frames of all
// sizes come from the same chunks, and a variable is one load away. To the
// collector each word is a pointer, which is what an interface consists of.
// This file alone knows of it.
type Frame struct{ up *Frame }

type word = unsafe.Pointer

const (
	wordSize  = unsafe.Sizeof(word(nil))
	valueSize = unsafe.Sizeof(Value(nil))
)

// Up returns the frame around f.
func (f *Frame) Up() *Frame { return f.up }

// Slot returns what slot i holds, nil if it is still empty. There must be a slot
// i: nothing checks that.
func (f *Frame) Slot(i int) Value {
	return *(*Value)(unsafe.Add(unsafe.Pointer(f), wordSize+uintptr(i)*valueSize))
}

// SetSlot puts v into slot i, which must be there.
func (f *Frame) SetSlot(i int, v Value) {
	*(*Value)(unsafe.Add(unsafe.Pointer(f), wordSize+uintptr(i)*valueSize)) = v
}

const (
	// frameChunk is how many words are allocated at a time for small frames. A
	// chunk lives as long as any of its frames, with all that the others refer
	// to, so it is small.
	frameChunk = 64
	// maxChunked is how many slots a frame has that comes out of a chunk.
	maxChunked = 5
)

// frames is the chunk that small frames come from, as [slab] has it.
type frames struct {
	chunk unsafe.Pointer
	left  uintptr // bytes, at the end
}

// take returns a frame of that many bytes, which are more than none and no more than
// a chunk has.
func (c *frames) take(bytes uintptr) *Frame {
	if c.left < bytes {
		c.refill()
	}
	f := (*Frame)(unsafe.Add(c.chunk, frameChunk*wordSize-c.left))
	c.left -= bytes
	return f
}

func (c *frames) refill() {
	c.chunk = unsafe.Pointer(unsafe.SliceData(make([]word, frameChunk)))
	c.left = frameChunk * wordSize
}

// NewFrame1 returns a frame that holds v alone.
func (th *Thread) NewFrame1(up *Frame, v Value) *Frame {
	th.Stats.Frames++
	th.Stats.Slots++
	f := th.frames.take(wordSize + valueSize)
	f.up = up
	f.SetSlot(0, v)
	return f
}

// NewFrame returns a frame of n empty slots.
func (th *Thread) NewFrame(up *Frame, n int) *Frame {
	th.Stats.Frames++
	th.Stats.Slots += uint64(n)
	var f *Frame
	if n > maxChunked {
		f = (*Frame)(unsafe.Pointer(unsafe.SliceData(make([]word, 1+2*n))))
	} else {
		f = th.frames.take(wordSize + uintptr(n)*valueSize)
	}
	f.up = up
	return f
}

// NewValues returns n empty values, for the elements of a list.
func (th *Thread) NewValues(n int) []Value {
	if n == 0 || n > maxChunked {
		return make([]Value, n)
	}
	return unsafe.Slice((*Value)(unsafe.Pointer(th.frames.take(uintptr(n)*valueSize))), n)
}
