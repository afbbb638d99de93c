package eval

import (
	"fmt"
	"path"

	"gonix/eval/code"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Declared evaluates a file that has to be the literal of a set, such as
// flake.nix (Nix: evalFile with mustBeTrivial).
func (s *State) Declared(file string) (*value.Attrs, error) {
	real, err := s.programPath(path.Clean(file))
	if err != nil {
		return nil, err
	}
	n, err := s.compileFile(real, nil)
	if err != nil {
		return nil, err
	}
	v, err := s.Literal(s.th.NewThunk(n, nil))
	if err != nil {
		return nil, err
	}
	set, ok := v.(*value.Attrs)
	if !ok {
		return nil, &value.Error{Kind: value.EvalError, Msg: fmt.Sprintf("file '%s' must be an attribute set", real)}
	}
	return set, nil
}

// Literal evaluates what is written as a set, a list, a function or the like,
// and returns v as it is, a thunk, if there is more to do (Nix:
// forceTrivialValue).
func (s *State) Literal(v value.Value) (value.Value, error) {
	waiting := value.Waiting(v)
	if deep, ok := waiting.(*code.Deep); ok {
		waiting = deep.X
	}
	switch waiting.(type) {
	case *code.Attrs, *code.LiteralAttrs, *code.Rec, *code.Sources, *code.List, *code.LiteralList, *code.Const:
		return s.th.Force(v, source.NoPos)
	}
	if got, state := value.Peek(v); state == value.Evaluated {
		return got, nil
	}
	return v, nil
}
