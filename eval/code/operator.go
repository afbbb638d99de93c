package code

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

// Not is !X.
type Not struct{ X Node }

// Eval negates X.
func (n *Not) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	b, err := evalBool(th, f, n.X, n.X.Pos(), "in the argument of the not operator")
	if err != nil {
		return nil, err
	}
	return value.Bool(!b), nil
}

// Delay returns a thunk.
func (n *Not) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeNot, n, f) }

// Pos returns the place of X, as in Nix.
func (n *Not) Pos() source.Pos { return n.X.Pos() }

// Logic is L && R, L || R or L -> R. R is evaluated only if L does not decide.
type Logic struct {
	Op   LogicOp
	L, R Node
	At   source.Pos
}

// LogicOp is the operator of a Logic.
type LogicOp uint8

// The operators of Logic.
const (
	And LogicOp = iota
	Or
	Implies
)

// logicOps says for which left side each operator is decided, with what result,
// and how traces name its operands.
var logicOps = [...]struct {
	decided, result bool
	name            string
	left, right     string
}{
	And:     {false, false, "&&", "in the left operand of the AND (&&) operator", "in the right operand of the AND (&&) operator"},
	Or:      {true, true, "||", "in the left operand of the OR (||) operator", "in the right operand of the OR (||) operator"},
	Implies: {false, true, "->", "in the left operand of the IMPL (->) operator", "in the right operand of the IMPL (->) operator"},
}

// Eval evaluates the operands from left to right as far as needed.
func (l *Logic) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	op := &logicOps[l.Op]
	b, err := evalBool(th, f, l.L, l.At, op.left)
	if err != nil {
		return nil, err
	}
	if b == op.decided {
		return value.Bool(op.result), nil
	}
	b, err = evalBool(th, f, l.R, l.At, op.right)
	if err != nil {
		return nil, err
	}
	return value.Bool(b), nil
}

// Delay returns a thunk.
func (l *Logic) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeLogic, l, f)
}

// Pos returns the place of the operator.
func (l *Logic) Pos() source.Pos { return l.At }

// Equal is L == R, or with Not L != R.
type Equal struct {
	L, R Node
	Not  bool
}

// Eval compares the operands.
func (e *Equal) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	l, err := e.L.Eval(th, f)
	if err != nil {
		return nil, err
	}
	r, err := e.R.Eval(th, f)
	if err != nil {
		return nil, err
	}
	eq, err := th.EqualForced(l, r, source.NoPos)
	if err != nil {
		return nil, err
	}
	return value.Bool(eq != e.Not), nil
}

// Delay returns a thunk.
func (e *Equal) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeEqual, e, f)
}

// Pos returns no place, as in Nix.
func (e *Equal) Pos() source.Pos { return source.NoPos }

// Arith is L - R, L * R or L < R where nothing shadows the builtin that the
// operator stands for. Integers are done here, all else by the builtin.
type Arith struct {
	Op      ArithOp
	L, R    Node
	Builtin *value.Builtin
	At      source.Pos
}

// ArithOp is the operator of an Arith.
type ArithOp uint8

// The operators of Arith.
const (
	Sub ArithOp = iota
	Mul
	Div
	Less
)

// Eval computes the result.
func (a *Arith) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	l, err := a.L.Eval(th, f)
	if err != nil {
		return nil, a.frame(err)
	}
	r, err := a.R.Eval(th, f)
	if err != nil {
		return nil, a.frame(err)
	}
	if x, ok := l.(value.Int); ok {
		if y, ok := r.(value.Int); ok {
			if v, ok := a.ints(int64(x), int64(y)); ok {
				return v, nil
			}
		}
	}
	args, mark := th.Args(2)
	args[0], args[1] = l, r
	v, err := th.CallBuiltin(a.At, a.Builtin, args)
	th.Return(args, mark)
	return v, err
}

// ints is the operation on integers; overflow and division by zero are left to
// the builtin, which has the message.
func (a *Arith) ints(x, y int64) (value.Value, bool) {
	switch a.Op {
	case Less:
		return value.Bool(x < y), true
	case Sub:
		d := x - y
		return value.Int(d), (x^y)&(x^d) >= 0
	case Mul:
		const small = 1 << 31
		if x < small && x > -small && y < small && y > -small {
			return value.Int(x * y), true
		}
	case Div:
		if y > 0 {
			return value.Int(x / y), true
		}
	}
	return nil, false
}

func (a *Arith) frame(err error) error {
	return value.WithFrame(err, a.At, "while calling the '%s' builtin", a.Builtin.Name)
}

// Delay returns a thunk.
func (a *Arith) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeArith, a, f)
}

// Pos returns the place of the operator.
func (a *Arith) Pos() source.Pos { return a.At }

// Update is a // (b // …): all operands but the last are left ones. They are
// evaluated from right to left.
type Update struct {
	Sets []Node
	At   source.Pos
}

// Eval merges the sets.
func (u *Update) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	var buf [4]*value.Attrs
	sets := buf[:0]
	last := len(u.Sets) - 1
	for i := last; i >= 0; i-- {
		why := "in the left operand of the update (//) operator"
		if i == last {
			why = "in the right operand of the update (//) operator"
		}
		v, err := u.Sets[i].Eval(th, f)
		if _, nested := u.Sets[i].(*Update); nested && err != nil {
			return nil, err // it says itself which operand is wrong
		}
		if err != nil {
			return nil, value.WithFrame(err, u.Sets[i].Pos(), why)
		}
		set, ok := v.(*value.Attrs)
		if !ok {
			err := th.Expected("a set", v)
			return nil, value.WithFrame(err, u.Sets[i].Pos(), why)
		}
		sets = append(sets, set)
	}
	out := sets[last]
	for i := last - 1; i >= 0; i-- {
		out = th.Update(out, sets[i])
	}
	return out, nil
}

// Delay returns a thunk.
func (u *Update) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeUpdate, u, f)
}

// Pos returns the place of the first operator.
func (u *Update) Pos() source.Pos { return u.At }

// Concat is L ++ R.
type Concat struct {
	L, R Node
	At   source.Pos
}

const whyConcat = "while evaluating one of the elements to concatenate"

// Eval concatenates the lists; a side that is empty costs nothing.
func (c *Concat) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	l, err := c.L.Eval(th, f)
	if err != nil {
		return nil, err
	}
	r, err := c.R.Eval(th, f)
	if err != nil {
		return nil, err
	}
	x, err := th.List(l, c.At, whyConcat)
	if err != nil {
		return nil, err
	}
	y, err := th.List(r, c.At, whyConcat)
	if err != nil {
		return nil, err
	}
	if len(y.Elems) == 0 {
		return x, nil
	}
	if len(x.Elems) == 0 {
		return y, nil
	}
	if err := th.Fit(c.At, int64(len(x.Elems)+len(y.Elems)), int64(value.Sizes.Value)); err != nil {
		return nil, err
	}
	out := th.NewValues(len(x.Elems) + len(y.Elems))[:0]
	out = append(append(out, x.Elems...), y.Elems...)
	th.Stats.Concats++
	return th.MakeList(out), nil
}

// Delay returns a thunk.
func (c *Concat) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeConcat, c, f)
}

// Pos returns the place of the operator.
func (c *Concat) Pos() source.Pos { return c.At }
