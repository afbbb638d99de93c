package instantiate

import (
	"strings"

	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// outputOf is builtins.outputOf, for derivations whose files are there: what a
// derivation would make of another that it has still to make is not known.
func (s *State) outputOf(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	const why = "while evaluating the first argument to builtins.outputOf"
	fail := func(format string, a ...any) error {
		return value.WithFrame(th.Errorf(source.NoPos, value.EvalError, format, a...), pos, why)
	}
	ref, err := th.Coerce(args[0], pos, value.CoerceOptions{}, why)
	if err != nil {
		return nil, err
	}
	elems := ref.Ctx.Elems()
	if len(elems) != 1 {
		return nil, fail("string '%s' has %d entries in its context. It should only have exactly one entry", ref.S, len(elems))
	}
	e := elems[0]
	switch {
	case e.Kind == value.DrvDeep:
		return nil, fail("string '%s' has a context which refers to a complete source and binary closure. This is not supported at this time", ref.S)
	case e.Kind == value.Built:
		return nil, fail("string '%s' is an output of '%s': derivations that are made by derivations are not supported", ref.S, e.Path)
	case ref.S != e.Path:
		return nil, fail("path string '%s' has context with the different path '%s'", ref.S, e.Path)
	case !strings.HasSuffix(e.Path, storepath.DrvSuffix):
		return nil, fail("path '%s' is not a derivation", e.Path)
	}
	output, err := th.StringNoCtx(args[1], pos, "while evaluating the second argument to builtins.outputOf")
	if err != nil {
		return nil, err
	}
	p, err := storepath.Parse(e.Path)
	if err != nil {
		return nil, err
	}
	d, err := s.Derivation(p)
	if err != nil {
		return nil, err
	}
	out, ok := d.Outputs[output]
	if !ok {
		return nil, th.Errorf(source.NoPos, value.EvalError, "derivation '%s' does not have output '%s'", e.Path, output)
	}
	return &value.String{S: out.Path.String(), Ctx: value.NewContext(value.ContextElem{Kind: value.Built, Path: e.Path, Output: output})}, nil
}
