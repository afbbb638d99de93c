package value

import (
	"unsafe"

	"gonix/parser/source"
)

// Thunk is a value in waiting: suspended (code and frame), being forced, done
// (a value), or failed (the error is remembered). The frame tells which of them,
// so that code and value can share a place: thunks are what there is most of.
type Thunk struct {
	held  Value  // the value when done, else the code; see code
	frame *Frame // nil when done
}

// The frames of thunks that have none. Nothing reads them.
var (
	noFrame = new(Frame) // suspended code that needs no frame
	forcing = new(Frame) // being forced
	failing = new(Frame) // failed; the code is of type failed
)

// code returns what a thunk that is not done holds. A Value and a Code look
// alike in memory: the methods of a type, then a pointer.
func (t *Thunk) code() Code { return *(*Code)(unsafe.Pointer(&t.held)) }

func (t *Thunk) setCode(c Code, f *Frame) {
	*(*Code)(unsafe.Pointer(&t.held)) = c
	t.frame = f
}

// NewThunk suspends code in f.
func (th *Thread) NewThunk(code Code, f *Frame) *Thunk {
	t := th.thunks.next()
	if f == nil {
		f = noFrame
	}
	t.setCode(code, f)
	th.Stats.Thunks++
	return t
}

// failed is the code of a thunk whose evaluation ended with an error.
type failed struct{ err *Error }

func (f failed) Eval(*Thread, *Frame) (Value, error) { return nil, f.err.snapshot() }
func (failed) Delay(*Thread, *Frame) Value           { panic("value: failed thunk delayed") }
func (failed) Pos() source.Pos                       { return source.NoPos }

// Force returns v in weak head normal form. pos is where the value is needed;
// infinite recursion is reported there.
func (th *Thread) Force(v Value, pos source.Pos) (Value, error) {
	if t, ok := v.(*Thunk); ok {
		if t.frame == nil {
			return t.held, nil
		}
		return th.forceThunk(t, pos)
	}
	return v, nil
}

// forceThunk forces a thunk that is not done.
func (th *Thread) forceThunk(t *Thunk, pos source.Pos) (Value, error) {
	code, frame := t.code(), t.frame
	switch frame {
	case forcing:
		return nil, th.Errorf(pos, InfiniteRecursion, "infinite recursion encountered")
	case failing:
		return code.Eval(th, nil)
	case noFrame:
		switch c := code.(type) { // as in Nix, the call is where its result is needed
		case *applyOne:
			c.pos = pos
		case *applyAll:
			c.pos = pos
		case *mapped:
			c.pos = pos
		}
	}
	if th.nest > maxNest {
		return nil, th.overflow(pos)
	}
	th.nest += forceWeight
	t.frame = forcing
	v, err := code.Eval(th, frame)
	th.nest -= forceWeight
	if err != nil {
		e := AsError(err)
		if e.Recoverable {
			t.frame = frame
		} else {
			t.setCode(failed{e}, failing)
		}
		return nil, e
	}
	t.held, t.frame = v, nil
	return v, nil
}

// settled returns what a thunk holds if it has been forced, else v itself.
func settled(v Value) Value {
	if t, ok := v.(*Thunk); ok && t.frame == nil {
		return t.held
	}
	return v
}
