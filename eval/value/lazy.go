package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Lazy is a thunk over Go code, for builtins that return lazy results
// (map, genList, mapAttrs).
func (th *Thread) Lazy(pos source.Pos, fn func(th *Thread) (Value, error)) *Thunk {
	return th.Suspend(kindGo.tags(), &goCode{fn, pos}, nil)
}

type goCode struct {
	fn  func(*Thread) (Value, error)
	pos source.Pos
}

func (g *goCode) Eval(th *Thread, _ *Frame) (Value, error) {
	v, err := g.fn(th)
	if err != nil {
		return nil, err
	}
	return th.Force(v, g.pos)
}
func (g *goCode) Delay(th *Thread, _ *Frame) Value { return th.Suspend(kindGo.tags(), g, nil) }
func (g *goCode) Pos() source.Pos                  { return g.pos }

// LazyApply is a thunk of fn applied to args, which it does not keep.
func (th *Thread) LazyApply(pos source.Pos, fn Value, args ...Value) *Thunk {
	if len(args) == 1 {
		a := th.applied.next()
		*a = applyOne{fn, args[0], pos}
		return th.Suspend(kindOne.tags(), a, nil)
	}
	kept := th.NewValues(len(args))
	copy(kept, args)
	return th.Suspend(kindAll.tags(), &applyAll{fn, kept, pos}, nil)
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
func (a *applyOne) Delay(th *Thread, _ *Frame) Value { return th.Suspend(kindOne.tags(), a, nil) }
func (a *applyOne) Pos() source.Pos                  { return DeterminePos(a.fn, a.pos) }

// applyAll is the code of fn applied to args.
type applyAll struct {
	fn   Value
	args []Value
	pos  source.Pos
}

func (a *applyAll) Eval(th *Thread, _ *Frame) (Value, error) {
	return th.ApplyAll(a.pos, a.fn, a.args)
}
func (a *applyAll) Delay(th *Thread, _ *Frame) Value { return th.Suspend(kindAll.tags(), a, nil) }
func (a *applyAll) Pos() source.Pos                  { return DeterminePos(a.fn, a.pos) }

// MapAttrs returns the set of thunks of fn applied to the name and the value of
// each attribute (builtins.mapAttrs).
func (th *Thread) MapAttrs(fn Value, set *Attrs) *Attrs {
	m := &mapper{fn: fn}
	out, attrs := th.MakeAttrs(set.pos, set.Len())
	i := 0
	for a := range set.Each {
		c := th.mapped.next()
		*c = mapped{mapper: m, name: a.Sym, val: a.Val}
		attrs[i] = Attr{Sym: a.Sym, Val: th.Suspend(kindMapped.tags(), c, nil)}
		i++
	}
	return out
}

// mapper is what the values of one mapAttrs have in common.
type mapper struct {
	fn     Value
	called bool
}

// mapped is the code of fn name val. Its place is that of the function, which
// is not known before the first call: Nix does not evaluate it earlier.
type mapped struct {
	*mapper
	name symbol.Symbol
	pos  source.Pos
	val  Value
}

func (m *mapped) Eval(th *Thread, _ *Frame) (Value, error) {
	m.called = true
	args, mark := th.Args(2)
	args[0], args[1] = th.SymbolString(m.name), m.val
	v, err := th.ApplyAll(m.pos, m.fn, args)
	th.Return(args, mark)
	return v, err
}
func (m *mapped) Delay(th *Thread, _ *Frame) Value { return th.Suspend(kindMapped.tags(), m, nil) }
func (m *mapped) Pos() source.Pos {
	if !m.called {
		return m.pos
	}
	return DeterminePos(m.fn, m.pos)
}
