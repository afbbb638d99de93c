package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// The accessors force v and check its type; why completes a trace line as in
// Nix ("while evaluating the first argument passed to builtins.elemAt"); ""
// adds none. Errors read "expected a list but found a string: \"x\"".

func (th *Thread) expected(pos source.Pos, what string, v Value) *Error {
	return th.Errorf(pos, TypeError, "expected %s but found %s: %s", what, TypeName(v), th.Show(v))
}

// Attrs forces v to a set.
func (th *Thread) Attrs(v Value, pos source.Pos, why string) (*Attrs, error) {
	v, err := th.Force(v, pos)
	if err != nil {
		return nil, err
	}
	if a, ok := v.(*Attrs); ok {
		return a, nil
	}
	return nil, WithFrame(th.expected(source.NoPos, "a set", v), pos, why)
}

// List forces v to a list (its elements stay lazy).
func (th *Thread) List(v Value, pos source.Pos, why string) (*List, error) {
	v, err := th.Force(v, pos)
	if err != nil {
		return nil, err
	}
	if l, ok := v.(*List); ok {
		return l, nil
	}
	return nil, WithFrame(th.expected(source.NoPos, "a list", v), pos, why)
}

// String forces v to a string with its context.
func (th *Thread) String(v Value, pos source.Pos, why string) (*String, error) {
	v, err := th.Force(v, pos)
	if err == nil {
		s, ok := v.(*String)
		if ok {
			return s, nil
		}
		err = th.expected(pos, "a string", v)
	}
	return nil, WithFrame(err, pos, why)
}

// StringNoCtx forces v to a string and refuses context.
func (th *Thread) StringNoCtx(v Value, pos source.Pos, why string) (string, error) {
	s, err := th.String(v, pos, why)
	if err != nil {
		return "", err
	}
	if s.Ctx != nil {
		err := th.Errorf(source.NoPos, EvalError, "the string '%s' is not allowed to refer to a store path (such as '%s')",
			s.S, s.Ctx.Elems()[0].display())
		return "", WithFrame(err, pos, why)
	}
	return s.S, nil
}

// Int forces v to an integer.
func (th *Thread) Int(v Value, pos source.Pos, why string) (int64, error) {
	v, err := th.Force(v, pos)
	if err == nil {
		if i, ok := v.(Int); ok {
			return int64(i), nil
		}
		err = th.expected(pos, "an integer", v)
	}
	return 0, WithFrame(err, pos, why)
}

// Float forces v to a number and returns it as a double.
func (th *Thread) Float(v Value, pos source.Pos, why string) (float64, error) {
	v, err := th.Force(v, pos)
	if err == nil {
		switch v := v.(type) {
		case Int:
			return float64(v), nil
		case Float:
			return float64(v), nil
		}
		err = th.expected(pos, "a float", v)
	}
	return 0, WithFrame(err, pos, why)
}

// Bool forces v to a Boolean.
func (th *Thread) Bool(v Value, pos source.Pos, why string) (bool, error) {
	v, err := th.Force(v, pos)
	if err == nil {
		if b, ok := v.(Bool); ok {
			return bool(b), nil
		}
		err = th.expected(pos, "a Boolean", v)
	}
	return false, WithFrame(err, pos, why)
}

// CheckBool is Bool for a value that is forced already.
func (th *Thread) CheckBool(v Value, pos source.Pos, why string) (bool, error) {
	if b, ok := v.(Bool); ok {
		return bool(b), nil
	}
	return false, WithFrame(th.expected(pos, "a Boolean", v), pos, why)
}

// Function forces v to something that Apply takes.
func (th *Thread) Function(v Value, pos source.Pos, why string) (Value, error) {
	v, err := th.Force(v, pos)
	if err == nil {
		switch f := v.(type) {
		case *Closure, *Builtin, *PartialApp:
			return v, nil
		case *Attrs:
			if _, ok := f.Get(symbol.Functor); ok {
				return v, nil
			}
		}
		err = th.expected(pos, "a function", v)
	}
	return nil, WithFrame(err, pos, why)
}

// IsDerivation reports whether a forced value is a set whose type attribute is
// "derivation".
func (th *Thread) IsDerivation(v Value) (bool, error) {
	a, ok := v.(*Attrs)
	if !ok {
		return false, nil
	}
	typ, ok := a.Get(symbol.Type)
	if !ok {
		return false, nil
	}
	t, err := th.Force(typ.Val, typ.Pos)
	if err != nil {
		return false, err
	}
	s, ok := t.(*String)
	return ok && s.S == "derivation", nil
}

// TypeName is the name of a forced value's type with its article as messages
// say it ("a set", "an integer", "a function").
func TypeName(v Value) string {
	switch v := v.(type) {
	case Null:
		return "null"
	case Bool:
		return "a Boolean"
	case Int:
		return "an integer"
	case Float:
		return "a float"
	case Path:
		return "a path"
	case *String:
		if v.Ctx != nil {
			return "a string with context"
		}
		return "a string"
	case *List:
		return "a list"
	case *Attrs:
		return "a set"
	case *Closure:
		return "a function"
	case *Builtin:
		return "the built-in function '" + v.Name + "'"
	case *PartialApp:
		return "the partially applied built-in function '" + v.Builtin.Name + "'"
	case *Thunk:
		switch held, state := Peek(v); state {
		case Evaluated:
			return TypeName(held)
		case Running:
			return "a black hole"
		}
		return "a thunk"
	}
	panic("value: no such type of value")
}

// TypeOf is what builtins.typeOf returns for a forced value.
func TypeOf(v Value) string {
	switch v := v.(type) {
	case Null:
		return "null"
	case Bool:
		return "bool"
	case Int:
		return "int"
	case Float:
		return "float"
	case Path:
		return "path"
	case *String:
		return "string"
	case *List:
		return "list"
	case *Attrs:
		return "set"
	case *Closure, *Builtin, *PartialApp:
		return "lambda"
	case *Thunk:
		if v.done() {
			return TypeOf(v.value())
		}
	}
	panic("value: type of a value that is not forced")
}

// Expected is the error of a forced value that is not what it has to be ("a
// set", "a list").
func (th *Thread) Expected(what string, v Value) *Error { return th.expected(source.NoPos, what, v) }
