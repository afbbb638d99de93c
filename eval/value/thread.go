package value

import (
	"fmt"
	"slices"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Thread is one evaluation in progress. It is passed to everything that may
// evaluate, and is not safe for concurrent use.
type Thread struct {
	Symbols *symbol.Table
	Sources *source.Set
	Paths   Paths

	// MaxDepth bounds nested calls, coercions and comparisons; beyond it
	// evaluation ends with an ordinary error (Nix: max-call-depth).
	MaxDepth int
	depth    int
	nest     int // see maxNest

	thunks  []Thunk  // the rest of the current chunk
	frames  []frame1 // likewise
	frames2 []frame2
	strings []*String
	Stats   Stats
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

// blackhole is the code of a thunk that is being forced.
type blackhole struct{}

func (blackhole) Eval(*Thread, *Frame) (Value, error) { panic("value: blackhole evaluated") }
func (blackhole) Delay(*Thread, *Frame) Value         { panic("value: blackhole delayed") }
func (blackhole) Pos() source.Pos                     { return source.NoPos }

// failed is the code of a thunk whose evaluation ended with an error.
type failed struct{ err *Error }

func (f failed) Eval(*Thread, *Frame) (Value, error) { return nil, f.err.snapshot() }
func (failed) Delay(*Thread, *Frame) Value           { panic("value: failed thunk delayed") }
func (failed) Pos() source.Pos                       { return source.NoPos }

// Force returns v in weak head normal form. pos is where the value is needed;
// infinite recursion is reported there.
func (th *Thread) Force(v Value, pos source.Pos) (Value, error) {
	if t, ok := v.(*Thunk); ok {
		return th.forceThunk(t, pos)
	}
	return v, nil
}

func (th *Thread) forceThunk(t *Thunk, pos source.Pos) (Value, error) {
	if t.code == nil {
		return t.val, nil
	}
	code, frame := t.code, t.frame
	switch c := code.(type) {
	case blackhole:
		return nil, th.Errorf(pos, InfiniteRecursion, "infinite recursion encountered")
	case failed:
		return c.Eval(th, nil)
	case *applyOne:
		c.pos = pos // as in Nix, the call is where its result is needed
	case *applyAll:
		c.pos = pos
	}
	if th.nest > maxNest {
		return nil, th.overflow(pos)
	}
	th.nest += forceWeight
	t.code, t.frame = blackhole{}, nil
	v, err := code.Eval(th, frame)
	th.nest -= forceWeight
	if err != nil {
		e := AsError(err)
		if e.Recoverable {
			t.code, t.frame = code, frame
		} else {
			t.code = failed{e}
		}
		return nil, e
	}
	t.val, t.code = v, nil
	return v, nil
}

// settled returns what a thunk holds if it has been forced, else v itself.
func settled(v Value) Value {
	if t, ok := v.(*Thunk); ok && t.code == nil {
		return t.val
	}
	return v
}

// maxNest bounds the recursion of the evaluator itself, whatever its cause:
// chains of thunks are not calls and so do not count for MaxDepth. Its unit is
// about one small Go stack frame; the limit stays well below the size at which
// Go ends the process, which nothing could prevent. Expressions that nest
// deeply in the source weigh more (see [Thread.Deepen]).
const (
	maxNest       = 800_000
	forceWeight   = 2
	callWeight    = 3
	builtinWeight = 4
)

// Enter counts one level of call depth; each successful Enter needs a Leave.
func (th *Thread) Enter(pos source.Pos) error {
	if th.depth > th.MaxDepth {
		return th.Errorf(pos, DepthExceeded, "stack overflow; max-call-depth exceeded")
	}
	if th.nest > maxNest {
		return th.overflow(pos)
	}
	th.depth++
	th.nest += callWeight
	return nil
}

// Leave undoes Enter.
func (th *Thread) Leave() {
	th.depth--
	th.nest -= callWeight
}

// Deepen counts levels of recursion that are not calls; each successful Deepen
// needs a Shallow of as many.
func (th *Thread) Deepen(pos source.Pos, levels int) error {
	if th.nest > maxNest {
		return th.overflow(pos)
	}
	th.nest += levels
	return nil
}

// Shallow undoes Deepen.
func (th *Thread) Shallow(levels int) { th.nest -= levels }

func (th *Thread) overflow(pos source.Pos) *Error {
	return th.Errorf(pos, DepthExceeded, "stack overflow (possible infinite recursion)")
}

// SymbolString returns the name of s as a value, the same one each time.
func (th *Thread) SymbolString(s symbol.Symbol) *String {
	if int(s) >= len(th.strings) {
		th.strings = append(th.strings, make([]*String, th.Symbols.Len()-len(th.strings))...)
	}
	if v := th.strings[s]; v != nil {
		return v
	}
	v := NewString(th.Symbols.Name(s))
	th.strings[s] = v
	return v
}

// ShowPos is a place as messages write it: file:line:column.
func (th *Thread) ShowPos(pos source.Pos) string {
	p, ok := th.Sources.Position(pos)
	if !ok {
		return "«none»"
	}
	return fmt.Sprintf("%s:%d:%d", p.File.Name, p.Line, p.Column)
}

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

// LazyApply is a thunk of fn applied to args, which it does not keep.
func (th *Thread) LazyApply(pos source.Pos, fn Value, args ...Value) *Thunk {
	if len(args) == 1 {
		return th.NewThunk(&applyOne{fn, args[0], pos}, nil)
	}
	return th.NewThunk(&applyAll{fn, slices.Clone(args), pos}, nil)
}

// applyOne is the code of fn applied to arg.
type applyOne struct {
	fn, arg Value
	pos     source.Pos
}

func (a *applyOne) Eval(th *Thread, _ *Frame) (Value, error) {
	fn, err := th.Force(a.fn, a.pos)
	if err != nil {
		return nil, err
	}
	return th.Call(a.pos, fn, a.arg)
}
func (a *applyOne) Delay(th *Thread, _ *Frame) Value { return th.NewThunk(a, nil) }
func (a *applyOne) Pos() source.Pos                  { return determinePos(a.fn, a.pos) }

// applyAll is the code of fn applied to args.
type applyAll struct {
	fn   Value
	args []Value
	pos  source.Pos
}

func (a *applyAll) Eval(th *Thread, _ *Frame) (Value, error) {
	return th.ApplyAll(a.pos, a.fn, a.args)
}
func (a *applyAll) Delay(th *Thread, _ *Frame) Value { return th.NewThunk(a, nil) }
func (a *applyAll) Pos() source.Pos                  { return determinePos(a.fn, a.pos) }
