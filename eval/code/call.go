package code

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

// CallOne is Fn Arg.
type CallOne struct {
	Fn, Arg Node
	At      source.Pos
}

// Eval calls the function.
func (c *CallOne) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	fn, err := c.Fn.Eval(th, f)
	if err != nil {
		return nil, err
	}
	return th.Call(c.At, fn, c.Arg.Delay(th, f))
}

// Delay returns a thunk.
func (c *CallOne) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeCallOne, c, f)
}

// Pos returns where the call starts.
func (c *CallOne) Pos() source.Pos { return c.At }

// Call is Fn applied to two or more arguments.
type Call struct {
	Fn   Node
	Args []Node
	At   source.Pos
}

// Eval calls the function with all arguments at once.
func (c *Call) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	fn, err := c.Fn.Eval(th, f)
	if err != nil {
		return nil, err
	}
	if clo, ok := fn.(*value.Closure); ok {
		if l, ok := clo.Fn.(*Curried); ok && l.arity == len(c.Args) {
			return c.direct(th, f, l, clo.Frame)
		}
	}
	args, mark := delayAll(th, f, c.Args)
	var v value.Value
	if b, ok := fn.(*value.Builtin); ok && b.Arity() == len(args) {
		v, err = th.CallBuiltin(c.At, b, args)
	} else {
		v, err = th.ApplyAll(c.At, fn, args)
	}
	th.Return(args, mark)
	return v, err
}

// direct calls a curried function that takes exactly these arguments: they go
// straight into its frame.
func (c *Call) direct(th *value.Thread, f *value.Frame, l *Curried, up *value.Frame) (value.Value, error) {
	frame := th.NewFrame(up, len(c.Args))
	for i, a := range c.Args {
		frame.SetSlot(i, a.Delay(th, f))
	}
	if err := th.Enter(c.At); err != nil {
		return nil, err
	}
	v, err := l.run(th, frame)
	th.Leave()
	if err != nil {
		return nil, value.FromCallSite(err, c.At)
	}
	return v, nil
}

// Delay returns a thunk.
func (c *Call) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeCall, c, f) }

// Pos returns where the call starts.
func (c *Call) Pos() source.Pos { return c.At }

// CallBuiltin is a call of a builtin that is known when the program is built,
// with all of its arguments.
type CallBuiltin struct {
	Builtin *value.Builtin
	Args    []Node
	At      source.Pos
}

// Eval calls the builtin.
func (c *CallBuiltin) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	args, mark := delayAll(th, f, c.Args)
	v, err := th.CallBuiltin(c.At, c.Builtin, args)
	th.Return(args, mark)
	return v, err
}

// Delay returns a thunk.
func (c *CallBuiltin) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeCallBuiltin, c, f)
}

// Pos returns where the call starts.
func (c *CallBuiltin) Pos() source.Pos { return c.At }

// delayAll delays the nodes as arguments, which have to be returned.
func delayAll(th *value.Thread, f *value.Frame, nodes []Node) ([]value.Value, value.ArgMark) {
	args, mark := th.Args(len(nodes))
	for i, n := range nodes {
		args[i] = n.Delay(th, f)
	}
	return args, mark
}
