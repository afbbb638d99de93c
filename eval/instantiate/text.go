package instantiate

import (
	"errors"
	"io/fs"
	"strings"

	"gonix/derivation"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// placeholder is builtins.placeholder.
func placeholder(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.placeholder")
	if err != nil {
		return nil, err
	}
	return value.NewString(derivation.Placeholder(name)), nil
}

// toFile is builtins.toFile.
func (s *State) toFile(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.toFile")
	if err != nil {
		return nil, err
	}
	text, err := th.String(args[1], pos, "while evaluating the second argument passed to builtins.toFile")
	if err != nil {
		return nil, err
	}
	var refs []storepath.Path
	for _, e := range text.Ctx.Elems() {
		if e.Kind != value.Opaque {
			// Building is later than evaluation: the file would be there
			// before what it refers to.
			return nil, th.Errorf(pos, value.EvalError, "files created by builtins.toFile may not reference derivations, but %s references %s",
				name, strings.Replace(e.String(), storepath.Dir+"/", "", 1))
		}
		r, err := storepath.Parse(e.Path)
		if err != nil {
			return nil, value.AsError(err)
		}
		refs = append(refs, r)
	}
	p, err := s.opt.Store.AddText(s.ctx, name, text.S, refs)
	if err != nil {
		return nil, value.AsError(err)
	}
	if _, ok := s.objects[p]; !ok {
		s.objects[p] = &object{refs: refs}
	}
	return opaque(p.String(), p), nil
}

// storePath is builtins.storePath.
func (s *State) storePath(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	if s.opt.Pure {
		return nil, th.Errorf(pos, value.Restricted, "'builtins.storePath' is not allowed in pure evaluation mode")
	}
	file, ctx, err := th.CoercePath(args[0], pos, "while evaluating the first argument passed to 'builtins.storePath'")
	if err != nil {
		return nil, err
	}
	name := string(file)
	// A link in the store itself is an object of its own and is not followed.
	if _, err := storepath.Parse(name); err != nil {
		real, err := s.resolve(name, true)
		switch {
		case err == nil:
			name = real
		case !errors.Is(err, fs.ErrNotExist):
			return nil, value.AsError(err)
		}
	}
	p, _, err := storepath.Split(name)
	if err != nil {
		return nil, th.Errorf(pos, value.EvalError, "path '%s' is not in the Nix store", name)
	}
	_, added := s.objects[p]
	if _, writesNothing := s.opt.Store.(readOnly); !added && !writesNothing {
		valid, err := s.isValid(p)
		if err != nil {
			return nil, value.AsError(err)
		}
		if !valid {
			return nil, th.Errorf(pos, value.EvalError, "path '%s' is not valid", p)
		}
	}
	v := opaque(name, p)
	v.Ctx = ctx.Union(v.Ctx)
	return v, nil
}
