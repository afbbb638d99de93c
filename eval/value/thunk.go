package value

import (
	"unsafe"

	"gonix/parser/source"
)

// Thunk is a value in waiting: suspended (code and frame), being forced, done
// (a value), or failed (the error is remembered). Thunks are what there is most
// of, so one is two words only: those of the value when it is done, else a pair that
// suspended.go explains.
type Thunk struct{ a, b word }

// done reports whether t holds a value.
func (t *Thunk) done() bool { return uintptr(t.a)&tagMask == 0 }

// value returns what a thunk that is done holds.
func (t *Thunk) value() Value { return *(*Value)(unsafe.Pointer(t)) }

// finish gives t its value. Each word is written as a pointer, which the collector
// has to see replaced.
func (t *Thunk) finish(v Value) {
	words := (*[2]word)(unsafe.Pointer(&v))
	t.a, t.b = words[0], words[1]
}

// NewThunk suspends code in f, which may be nil.
func (th *Thread) NewThunk(code Code, f *Frame) *Thunk {
	return th.Suspend(kindBoxed.tags(), &boxed{code}, f)
}

// failed is the code of a thunk whose evaluation ended with an error.
type failed struct{ err *Error }

func (f *failed) Eval(*Thread, *Frame) (Value, error) { return nil, f.err.snapshot() }
func (*failed) Delay(*Thread, *Frame) Value           { panic("value: failed thunk delayed") }
func (*failed) Pos() source.Pos                       { return source.NoPos }

// running is the code of a thunk that is being forced.
type running struct{ _ word }

func (*running) Eval(*Thread, *Frame) (Value, error) { panic("value: running thunk evaluated") }
func (*running) Delay(*Thread, *Frame) Value         { panic("value: running thunk delayed") }
func (*running) Pos() source.Pos                     { return source.NoPos }

// Force returns v in weak head normal form. pos is where the value is needed;
// infinite recursion is reported there.
func (th *Thread) Force(v Value, pos source.Pos) (Value, error) {
	if t, ok := v.(*Thunk); ok {
		return th.ForceThunk(t, pos)
	}
	return v, nil
}

// ForceThunk is [Thread.Force] for what is known to be a thunk.
func (th *Thread) ForceThunk(t *Thunk, pos source.Pos) (Value, error) {
	if t.done() {
		return t.value(), nil
	}
	return th.forceThunk(t, pos)
}

// forceThunk forces a thunk that is not done.
func (th *Thread) forceThunk(t *Thunk, pos source.Pos) (Value, error) {
	a, b := t.a, t.b
	k := kindOf(a, b)
	code, frame := suspended(a, b, k)
	switch k {
	case kindRunning:
		return nil, th.Errorf(pos, InfiniteRecursion, "infinite recursion encountered")
	case kindFailed:
		return code.Eval(th, nil)
	case kindOne: // as in Nix, the call is where its result is needed
		code.(*applyOne).pos = pos
	case kindAll:
		code.(*applyAll).pos = pos
	case kindMapped:
		code.(*mapped).pos = pos
	}
	if th.nest > maxNest {
		return nil, th.overflow(pos)
	}
	th.nest += forceWeight
	t.a, t.b = beingForced.a, beingForced.b
	v, err := code.Eval(th, frame)
	th.nest -= forceWeight
	if err != nil {
		e := AsError(err)
		if e.Recoverable {
			t.a, t.b = a, b
		} else {
			t.suspend(kindFailed.tags(), unsafe.Pointer(&failed{e}), nil)
		}
		return nil, e
	}
	t.finish(v)
	return v, nil
}

// settled returns what a thunk holds if it has been forced, else v itself.
func settled(v Value) Value {
	if t, ok := v.(*Thunk); ok && t.done() {
		return t.value()
	}
	return v
}
