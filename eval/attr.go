package eval

import (
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Attr follows a selection path such as pkgs.tools.0 from v, as nix-build -A
// does: names select from sets, numbers from lists, and functions on the way
// are called with what args has for them. The result is not evaluated; pos is
// where it was defined.
func (s *State) Attr(args *value.Attrs, selection string, v value.Value) (result value.Value, pos source.Pos, err error) {
	names, err := splitSelection(selection)
	if err != nil {
		return nil, source.NoPos, err
	}
	for _, name := range names {
		if v, err = s.AutoCall(args, v); err != nil {
			return nil, source.NoPos, err
		}
		if i, err := strconv.ParseUint(name, 10, 32); err == nil {
			v, err = s.element(v, int(i), selection)
			if err != nil {
				return nil, source.NoPos, err
			}
			pos = source.NoPos
			continue
		}
		a, err := s.attribute(v, name, selection)
		if err != nil {
			return nil, source.NoPos, err
		}
		v, pos = a.Val, a.Pos
	}
	return v, pos, nil
}

func (s *State) element(v value.Value, i int, selection string) (value.Value, error) {
	l, ok := v.(*value.List)
	if !ok {
		return nil, s.th.Errorf(source.NoPos, value.TypeError,
			"the expression selected by the selection path '%s' should be a list but is %s", selection, value.TypeName(v))
	}
	if i >= len(l.Elems) {
		return nil, s.th.Errorf(source.NoPos, value.MissingAttr,
			"list index %d in selection path '%s' is out of range", i, selection)
	}
	return l.Elems[i], nil
}

func (s *State) attribute(v value.Value, name, selection string) (value.Attr, error) {
	set, ok := v.(*value.Attrs)
	if !ok {
		return value.Attr{}, s.th.Errorf(source.NoPos, value.TypeError,
			"the expression selected by the selection path '%s' should be a set but is %s", selection, value.TypeName(v))
	}
	if name == "" {
		return value.Attr{}, s.th.Errorf(source.NoPos, value.EvalError, "empty attribute name in selection path '%s'", selection)
	}
	if a, ok := set.Get(s.th.Symbols.Intern(name)); ok {
		return a, nil
	}
	err := s.th.Errorf(source.NoPos, value.MissingAttr, "attribute '%s' in selection path '%s' not found", name, selection)
	return value.Attr{}, err.WithNote(s.th.SuggestAttr(set, name))
}

// splitSelection splits at the dots that are not in quotes.
func splitSelection(text string) ([]string, error) {
	var names []string
	var name strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '.':
			names = append(names, name.String())
			name.Reset()
		case '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return nil, &value.Error{Kind: value.ParseError, Msg: "missing closing quote in selection path '" + text + "'"}
			}
			name.WriteString(text[i+1 : i+1+end])
			i += end + 1
		default:
			name.WriteByte(text[i])
		}
	}
	if name.Len() > 0 {
		names = append(names, name.String())
	}
	return names, nil
}

// AutoCall calls v, if it is a function with a pattern, with what args has for
// its formals (all of args if it takes any), and returns other values as they
// are. args may be nil. The result is forced.
func (s *State) AutoCall(args *value.Attrs, v value.Value) (value.Value, error) {
	th := s.th
	if args == nil {
		args = value.EmptyAttrs
	}
	v, err := th.Force(v, source.NoPos)
	if err != nil {
		return nil, err
	}
	if set, ok := v.(*value.Attrs); ok {
		f, ok := set.Get(symbol.Functor)
		if !ok {
			return v, nil
		}
		if err := th.Enter(set.Pos()); err != nil {
			return nil, err
		}
		defer th.Leave()
		called, err := th.Apply(set.Pos(), f.Val, set)
		if err != nil {
			return nil, err
		}
		return s.AutoCall(args, called)
	}
	fn, ok := v.(*value.Closure)
	if !ok || fn.Fn.Formals() == nil {
		return v, nil
	}
	formals := fn.Fn.Formals()
	if formals.Ellipsis {
		return th.Apply(fn.Fn.Pos(), fn, args)
	}
	b := value.NewBuilder(len(formals.List))
	for _, f := range formals.List {
		if a, ok := args.Get(f.Sym); ok {
			b.Add(a.Sym, a.Pos, a.Val)
		} else if !f.Optional {
			return nil, th.Errorf(f.Pos, value.TypeError, missingArgument, th.Symbols.Name(f.Sym))
		}
	}
	return th.Apply(fn.Fn.Pos(), fn, b.Finish())
}

const missingArgument = `cannot evaluate a function that has an argument without a value ('%s')
Nix attempted to evaluate a function as a top level expression; in
this case it must have its arguments supplied either by default
values, or passed explicitly with '--arg' or '--argstr'. See
https://nix.dev/manual/nix/stable/language/syntax.html#functions.`
