package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Thread is one evaluation in progress. It is passed to everything that may
// evaluate, and is not safe for concurrent use.
type Thread struct {
	Symbols *symbol.Table
	Sources *source.Set
	Paths   Paths

	// MaxDepth bounds nested calls and forces; beyond it evaluation ends with
	// an ordinary error (Nix: max-call-depth).
	MaxDepth int
	depth    int

	thunks []Thunk // the rest of the current chunk
	Stats  Stats
}

// Stats counts what NIX_SHOW_STATS shows.
type Stats struct {
	Thunks, ThunksAvoided, Frames, Slots, Calls, BuiltinCalls, Lookups uint64
	Updates, UpdatedValues, Sets, SetElems, Lists, ListElems           uint64
}

// DefaultMaxDepth is Nix's max-call-depth.
const DefaultMaxDepth = 10000

// thunkChunk is how many thunks are allocated at a time: enough to amortise
// the allocation, few enough that a live one pins little.
const thunkChunk = 16

// Thunk is a value in waiting: suspended (code and frame), being forced
// (blackhole), done (value), or failed (the error is remembered).
type Thunk struct {
	val   Value
	frame *Frame
	code  Code // nil when done
}

// NewThunk suspends code in f.
func (th *Thread) NewThunk(code Code, f *Frame) *Thunk {
	if len(th.thunks) == 0 {
		th.thunks = make([]Thunk, thunkChunk)
	}
	t := &th.thunks[0]
	th.thunks = th.thunks[1:]
	t.code, t.frame = code, f
	th.Stats.Thunks++
	return t
}

// NewFrame returns a frame of n empty slots.
func (th *Thread) NewFrame(up *Frame, n int) *Frame {
	th.Stats.Frames++
	th.Stats.Slots += uint64(n)
	return &Frame{Up: up, Slots: make([]Value, n)}
}

// blackhole is the code of a thunk that is being forced.
type blackhole struct{}

func (blackhole) Eval(*Thread, *Frame) (Value, error) { panic("value: blackhole evaluated") }
func (blackhole) Delay(*Thread, *Frame) Value         { panic("value: blackhole delayed") }
func (blackhole) Pos() source.Pos                     { return source.NoPos }

// failed is the code of a thunk whose evaluation ended with an error.
type failed struct{ err error }

func (f failed) Eval(*Thread, *Frame) (Value, error) { return nil, f.err }
func (failed) Delay(*Thread, *Frame) Value           { panic("value: failed thunk delayed") }
func (failed) Pos() source.Pos                       { return source.NoPos }

// Force returns v in weak head normal form. pos is where the value is needed;
// infinite recursion is reported there.
func (th *Thread) Force(v Value, pos source.Pos) (Value, error) {
	t, ok := v.(*Thunk)
	if !ok {
		return v, nil
	}
	if t.code == nil {
		return t.val, nil
	}
	return th.forceThunk(t, pos)
}

func (th *Thread) forceThunk(t *Thunk, pos source.Pos) (Value, error) {
	code, frame := t.code, t.frame
	switch c := code.(type) {
	case blackhole:
		return nil, th.Errorf(pos, InfiniteRecursion, "infinite recursion encountered")
	case failed:
		return nil, c.err
	}
	if err := th.Enter(pos); err != nil {
		return nil, err
	}
	t.code, t.frame = blackhole{}, nil
	v, err := code.Eval(th, frame)
	th.Leave()
	if err != nil {
		t.code = failed{err}
		return nil, err
	}
	t.val, t.code = v, nil
	return v, nil
}

// Enter counts one level of recursion; each successful Enter needs a Leave.
func (th *Thread) Enter(pos source.Pos) error {
	if th.depth >= th.MaxDepth {
		return th.Errorf(pos, DepthExceeded, "stack overflow; max-call-depth exceeded")
	}
	th.depth++
	return nil
}

// Leave undoes Enter.
func (th *Thread) Leave() { th.depth-- }

// Lazy is a thunk over Go code, for builtins that return lazy results
// (map, genList, mapAttrs).
func (th *Thread) Lazy(pos source.Pos, fn func(th *Thread) (Value, error)) *Thunk {
	return th.NewThunk(goCode{fn, pos}, nil)
}

type goCode struct {
	fn  func(*Thread) (Value, error)
	pos source.Pos
}

func (g goCode) Eval(th *Thread, _ *Frame) (Value, error) {
	v, err := g.fn(th)
	if err != nil {
		return nil, err
	}
	return th.Force(v, g.pos)
}
func (g goCode) Delay(th *Thread, _ *Frame) Value { return th.NewThunk(g, nil) }
func (g goCode) Pos() source.Pos                  { return g.pos }

// LazyApply is a thunk of fn applied to args.
func (th *Thread) LazyApply(pos source.Pos, fn Value, args ...Value) *Thunk {
	return th.Lazy(pos, func(th *Thread) (Value, error) { return th.Apply(pos, fn, args...) })
}
