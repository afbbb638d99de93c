package value

import (
	"slices"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Apply calls fn with args one after the other: closures, builtins (also
// partially applied) and sets with a __functor. The result is forced.
func (th *Thread) Apply(pos source.Pos, fn Value, args ...Value) (Value, error) {
	if len(args) == 1 {
		fn, err := th.Force(fn, pos)
		if err != nil {
			return nil, err
		}
		return th.Call(pos, fn, args[0])
	}
	kept, mark := th.Args(len(args)) // so that args need not be on the heap
	copy(kept, args)
	v, err := th.ApplyAll(pos, fn, kept)
	th.Return(kept, mark)
	return v, err
}

// ApplyAll is Apply with a slice of arguments, which it does not keep.
func (th *Thread) ApplyAll(pos source.Pos, fn Value, args []Value) (Value, error) {
	fn, err := th.Force(fn, pos)
	if err != nil {
		return nil, err
	}
	if err := th.Enter(pos); err != nil {
		return nil, err
	}
	v, err := th.applyForced(pos, fn, args)
	th.Leave()
	return v, err
}

// applyForced is Nix's callFunction: one level of call depth, however many
// arguments there are.
func (th *Thread) applyForced(pos source.Pos, fn Value, args []Value) (Value, error) {
	for len(args) > 0 {
		switch f := fn.(type) {
		case *Closure:
			v, used, err := th.enterClosure(f, args)
			if err != nil {
				return nil, FromCallSite(err, pos)
			}
			fn, args = v, args[used:]
		case *Builtin:
			n := f.Arity()
			if len(args) < n {
				return &PartialApp{Builtin: f, Args: slices.Clone(args)}, nil
			}
			v, err := th.callBuiltin(pos, f, args[:n:n])
			if err != nil {
				return nil, err
			}
			fn, args = v, args[n:]
		case *PartialApp:
			left := f.Builtin.Arity() - len(f.Args)
			n := min(left, len(args))
			if n < left {
				return &PartialApp{Builtin: f.Builtin, Args: slices.Concat(f.Args, args[:n])}, nil
			}
			all, mark := th.Args(f.Builtin.Arity())
			copy(all[copy(all, f.Args):], args)
			v, err := th.callBuiltin(pos, f.Builtin, all)
			th.Return(all, mark)
			if err != nil {
				return nil, err
			}
			fn, args = v, args[n:]
		default:
			v, err := th.callFunctor(pos, fn, args[0])
			if err != nil {
				return nil, err
			}
			fn, args = v, args[1:]
		}
	}
	return fn, nil
}

func (th *Thread) enterClosure(c *Closure, args []Value) (Value, int, error) {
	if len(args) > 1 {
		if m, ok := c.Fn.(MultiFunction); ok {
			f, have, room := m.Open(th, c.Frame)
			n := min(room, len(args))
			for i, a := range args[:n] {
				f.SetSlot(have+i, a)
			}
			v, err := m.Enter(th, f, have+n)
			return v, n, err
		}
	}
	v, err := c.Fn.Call(th, c.Frame, args[0])
	return v, 1, err
}

// callBuiltin calls b with all of its arguments and makes sure of a forced
// result.
func (th *Thread) callBuiltin(pos source.Pos, b *Builtin, args []Value) (Value, error) {
	th.Stats.BuiltinCalls++
	th.nest += builtinWeight
	v, err := b.Fn(th, source.NoPos, args)
	if err == nil {
		if _, lazy := v.(*Thunk); lazy {
			v, err = th.Force(v, pos)
		}
	}
	th.nest -= builtinWeight
	if err != nil {
		if b.NoFrame {
			return nil, AsError(err)
		}
		return nil, WithFrame(err, pos, "while calling the '%s' builtin", b.Name)
	}
	return v, nil
}

// callFunctor calls a set that has a __functor, which gets the set itself
// first; anything else cannot be called.
func (th *Thread) callFunctor(pos source.Pos, fn, arg Value) (Value, error) {
	if set, ok := fn.(*Attrs); ok {
		if functor, ok := set.Get(symbol.Functor); ok {
			args, mark := th.Args(2)
			args[0], args[1] = set, arg
			v, err := th.ApplyAll(functor.Pos, functor.Val, args)
			th.Return(args, mark)
			if err != nil {
				return nil, WithFrame(err, pos, "while calling a functor (an attribute set with a '__functor' attribute)")
			}
			return v, nil
		}
	}
	return nil, th.Errorf(pos, TypeError, "attempt to call something which is not a function but %s: %s",
		TypeName(fn), th.Show(fn))
}

// Call applies the forced value fn to one argument. It is ApplyAll without the
// slice, for the commonest of calls.
func (th *Thread) Call(pos source.Pos, fn, arg Value) (Value, error) {
	c, ok := fn.(*Closure)
	if !ok {
		args, mark := th.Args(1)
		args[0] = arg
		var v Value
		var err error
		if b, ok := fn.(*Builtin); ok && b.Arity() == 1 {
			v, err = th.CallBuiltin(pos, b, args)
		} else {
			v, err = th.ApplyAll(pos, fn, args)
		}
		th.Return(args, mark)
		return v, err
	}
	if err := th.Enter(pos); err != nil {
		return nil, err
	}
	v, err := c.Fn.Call(th, c.Frame, arg)
	th.Leave()
	if err != nil {
		return nil, FromCallSite(err, pos)
	}
	return v, nil
}

// CallBuiltin calls b with all of its arguments.
func (th *Thread) CallBuiltin(pos source.Pos, b *Builtin, args []Value) (Value, error) {
	if err := th.Enter(pos); err != nil {
		return nil, err
	}
	v, err := th.callBuiltin(pos, b, args)
	th.Leave()
	return v, err
}
