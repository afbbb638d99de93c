package value

import "unsafe"

// Frame holds the variables of one scope; the resolver knows each by how many
// frames up it is and in which slot.
//
// It is the start of a run of Values in memory: first the frame around it, then
// its slots. So it costs no header and no second allocation, frames of all
// sizes come from the same chunks, and a variable is one load away. This file
// alone knows of it.
type Frame struct{ up Value } // of dynamic type *Frame, or nil

func (*Frame) isValue() {}

const valueSize = unsafe.Sizeof(Value(nil))

// Up returns the frame around f.
func (f *Frame) Up() *Frame {
	// What follows the type in an interface is the pointer.
	return *(**Frame)(unsafe.Add(unsafe.Pointer(f), valueSize/2))
}

// Slot returns what slot i holds, nil if it is still empty. There must be a slot
// i: nothing checks that.
func (f *Frame) Slot(i int) Value {
	return *(*Value)(unsafe.Add(unsafe.Pointer(f), valueSize+uintptr(i)*valueSize))
}

// SetSlot puts v into slot i, which must be there.
func (f *Frame) SetSlot(i int, v Value) {
	*(*Value)(unsafe.Add(unsafe.Pointer(f), valueSize+uintptr(i)*valueSize)) = v
}

const (
	// frameChunk is how many Values are allocated at a time for small frames. A
	// chunk lives as long as any of its frames, with all that the others refer
	// to, so it is small.
	frameChunk = 8
	// maxChunked is how many slots a frame has that comes out of a chunk.
	maxChunked = 3
)

// NewFrame1 returns a frame that holds v alone.
func (th *Thread) NewFrame1(up *Frame, v Value) *Frame {
	th.Stats.Frames++
	th.Stats.Slots++
	if len(th.frames) < 2 {
		th.frames = make([]Value, frameChunk)
	}
	run := th.frames[:2]
	th.frames = th.frames[2:]
	if up != nil {
		run[0] = up
	}
	run[1] = v
	return (*Frame)(unsafe.Pointer(&run[0]))
}

// NewFrame returns a frame of n empty slots.
func (th *Thread) NewFrame(up *Frame, n int) *Frame {
	th.Stats.Frames++
	th.Stats.Slots += uint64(n)
	var run []Value
	switch {
	case n > maxChunked:
		run = make([]Value, 1+n)
	case len(th.frames) < 1+n:
		th.frames = make([]Value, frameChunk)
		fallthrough
	default:
		run = th.frames[:1+n]
		th.frames = th.frames[1+n:]
	}
	if up != nil {
		run[0] = up
	}
	return (*Frame)(unsafe.Pointer(&run[0]))
}
