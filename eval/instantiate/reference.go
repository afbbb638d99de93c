package instantiate

import (
	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// allRefs reads every reference. Reading one does nothing in the world, so that
// no feature has to be enabled for it; Nix asks for flakes.
var allRefs = flakeref.Parser{Flakes: true, Verified: true}

// parseFlakeRef is builtins.parseFlakeRef.
func (s *State) parseFlakeRef(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	text, err := th.StringNoCtx(args[0], pos, "while evaluating the argument passed to builtins.parseFlakeRef")
	if err != nil {
		return nil, err
	}
	ref, err := allRefs.Parse(text, flakeref.Options{Tree: true})
	if err != nil {
		return nil, hostError(err)
	}
	attrs := ref.Attrs()
	b := value.NewBuilder(len(attrs))
	for _, name := range attrs.Names() {
		var v value.Value
		if text, ok := attrs[name].Text(); ok {
			v = value.NewString(text)
		} else if n, ok := attrs[name].Number(); ok {
			v = value.Int(n)
		} else {
			flag, _ := attrs[name].Flag()
			v = value.Bool(flag)
		}
		b.Add(th.Symbols.Intern(name), source.NoPos, v)
	}
	return b.Finish(), nil
}

// flakeRefToString is builtins.flakeRefToString.
func (s *State) flakeRefToString(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	set, err := th.Attrs(args[0], pos, "while evaluating the argument passed to builtins.flakeRefToString")
	if err != nil {
		return nil, err
	}
	attrs := flakeref.Attrs{}
	for _, a := range set.Sorted(th.Symbols) {
		name := th.Symbols.Name(a.Sym)
		v, err := th.Force(a.Val, a.Pos)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case value.Int:
			if v < 0 {
				return nil, th.Errorf(source.NoPos, value.EvalError, "negative value given for flake ref attr %s: %d", name, int64(v))
			}
			attrs[name] = flakeref.Number(uint64(v))
		case value.Bool:
			attrs[name] = flakeref.Flag(bool(v))
		case *value.String:
			attrs[name] = flakeref.Text(v.S)
		default:
			return nil, th.Errorf(source.NoPos, value.EvalError, "flake reference attribute sets may only contain integers, Booleans, "+
				"and strings, but attribute '%s' is %s", name, value.TypeName(v))
		}
	}
	ref, err := allRefs.FromAttrs(attrs)
	if err != nil {
		return nil, hostError(err)
	}
	text, err := ref.URL()
	if err != nil {
		return nil, hostError(err)
	}
	return value.NewString(text), nil
}
