package code

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

// evalBool evaluates an operand that has to be a Boolean; pos and why make the
// trace frame of any error in it.
func evalBool(th *value.Thread, f *value.Frame, x Node, pos source.Pos, why string) (bool, error) {
	v, err := x.Eval(th, f)
	if err != nil {
		return false, value.WithFrame(err, pos, why)
	}
	if b, ok := v.(value.Bool); ok {
		return bool(b), nil
	}
	return th.CheckBool(v, pos, why)
}

// If is if Cond then Then else Else.
type If struct {
	Cond, Then, Else Node
	At               source.Pos
}

// Eval evaluates the condition and one branch.
func (i *If) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	b, err := evalBool(th, f, i.Cond, i.At, "while evaluating a branch condition")
	if err != nil {
		return nil, err
	}
	if b {
		return i.Then.Eval(th, f)
	}
	return i.Else.Eval(th, f)
}

// Delay returns a thunk.
func (i *If) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeIf, i, f) }

// Pos returns where the expression starts.
func (i *If) Pos() source.Pos { return i.At }

// With is with Scope; Body: a frame whose only slot is the set.
type With struct {
	Scope, Body Node
	At          source.Pos
}

// Eval evaluates the body; the set waits until a variable needs it.
func (w *With) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	return w.Body.Eval(th, th.NewFrame1(f, w.Scope.Delay(th, f)))
}

// Delay returns a thunk.
func (w *With) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeWith, w, f) }

// Pos returns where the expression starts.
func (w *With) Pos() source.Pos { return w.At }

// Assert is assert Cond; Body. Text spells Cond for messages, when there is one.
type Assert struct {
	Cond, Body Node
	Text       func() string
	At         source.Pos
}

// Eval checks the condition and evaluates the body.
func (a *Assert) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	b, err := evalBool(th, f, a.Cond, a.At, "in the condition of the assert statement")
	if err != nil {
		return nil, err
	}
	if b {
		return a.Body.Eval(th, f)
	}
	if eq, ok := unwrap(a.Cond).(*Equal); ok && !eq.Not {
		if err := a.explain(th, f, eq); err != nil {
			return nil, err
		}
	}
	return nil, th.Errorf(a.At, value.AssertFailed, "assertion '%s' failed", a.Text())
}

// explain says how the sides of a failed equation differ.
func (a *Assert) explain(th *value.Thread, f *value.Frame, eq *Equal) error {
	l, err := eq.L.Eval(th, f)
	if err != nil {
		return err
	}
	r, err := eq.R.Eval(th, f)
	if err != nil {
		return err
	}
	err = th.ExplainUnequal(l, r, eq.Pos())
	if err == nil {
		return nil
	}
	if e := value.AsError(err); e.Kind != value.AssertFailed {
		return e
	}
	return value.WithFrame(err, a.At, "while evaluating the condition of the assertion '%s'", a.Text())
}

// unwrap removes a Deep on top of a node.
func unwrap(n Node) Node {
	if d, ok := n.(*Deep); ok {
		return d.X
	}
	return n
}

// Delay returns a thunk.
func (a *Assert) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeAssert, a, f)
}

// Pos returns where the expression starts.
func (a *Assert) Pos() source.Pos { return a.At }
