package value

// Frame holds the variables of one scope; the resolver knows each by how many
// frames up it is and in which slot.
type Frame struct {
	Up    *Frame
	Slots []Value
}

// Frames of up to four slots hold their slots in the same allocation.
type (
	frame1 struct {
		Frame
		slots [1]Value
	}
	frame2 struct {
		Frame
		slots [2]Value
	}
	frame3 struct {
		Frame
		slots [3]Value
	}
	frame4 struct {
		Frame
		slots [4]Value
	}
)

// frameChunk is how many frames of one or two slots, the commonest, are
// allocated at a time.
const frameChunk = 16

// NewFrame1 returns a frame that holds v alone.
func (th *Thread) NewFrame1(up *Frame, v Value) *Frame {
	th.Stats.Frames++
	th.Stats.Slots++
	if len(th.frames) == 0 {
		th.frames = make([]frame1, frameChunk)
	}
	f := &th.frames[0]
	th.frames = th.frames[1:]
	f.slots[0] = v
	f.Up, f.Slots = up, f.slots[:]
	return &f.Frame
}

// NewFrame returns a frame of n empty slots.
func (th *Thread) NewFrame(up *Frame, n int) *Frame {
	th.Stats.Frames++
	th.Stats.Slots += uint64(n)
	switch n {
	case 1:
		f := new(frame1)
		f.Up, f.Slots = up, f.slots[:]
		return &f.Frame
	case 2:
		if len(th.frames2) == 0 {
			th.frames2 = make([]frame2, frameChunk)
		}
		f := &th.frames2[0]
		th.frames2 = th.frames2[1:]
		f.Up, f.Slots = up, f.slots[:]
		return &f.Frame
	case 3:
		f := new(frame3)
		f.Up, f.Slots = up, f.slots[:]
		return &f.Frame
	case 4:
		f := new(frame4)
		f.Up, f.Slots = up, f.slots[:]
		return &f.Frame
	}
	return &Frame{Up: up, Slots: make([]Value, n)}
}
