package instantiate

import (
	"regexp"
	"strings"
	"sync"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

var hgRev = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-fA-F]{40}$`)
})

// fetchMercurial is builtins.fetchMercurial: what it asks for is checked as in
// Nix, but has to be in the store already, since nothing here reads Mercurial
// repositories.
func (s *State) fetchMercurial(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	arg, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	attrs := flakeref.Attrs{"type": flakeref.Text("hg"), "name": flakeref.Text("source")}
	url := ""
	if set, ok := arg.(*value.Attrs); ok {
		if url, err = s.mercurialAttrs(th, pos, set, attrs); err != nil {
			return nil, err
		}
	} else {
		text, err := th.Coerce(arg, pos, value.CoerceOptions{}, "while evaluating the first argument passed to builtins.fetchMercurial")
		if err != nil {
			return nil, err
		}
		url = text.S
	}
	if err := s.opt.CheckURI(url); err != nil {
		return nil, err
	}
	if _, ok := attrs["rev"]; s.opt.Pure && !ok {
		return nil, th.Errorf(source.NoPos, value.Restricted, "in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision")
	}
	if !strings.Contains(url, "://") {
		url = "file://" + url
	}
	attrs["url"] = flakeref.Text(url)
	in, err := s.Refs().InputFromAttrs(attrs)
	if err != nil {
		return nil, err
	}
	t, err := s.FetchTree(in)
	if err != nil {
		return nil, err
	}
	return s.TreeAttrs(th, pos, t, TreeForm{NullRev: true}), nil
}

func (s *State) mercurialAttrs(th *value.Thread, pos source.Pos, set *value.Attrs, attrs flakeref.Attrs) (url string, err error) {
	for _, a := range set.Sorted(th.Symbols) {
		switch name := th.Symbols.Name(a.Sym); name {
		case "url":
			text, err := th.Coerce(a.Val, a.Pos, value.CoerceOptions{}, "while evaluating the `url` attribute passed to builtins.fetchMercurial")
			if err != nil {
				return "", err
			}
			url = text.S
		case "rev":
			text, err := th.StringNoCtx(a.Val, a.Pos, "while evaluating the `rev` attribute passed to builtins.fetchMercurial")
			if err != nil {
				return "", err
			}
			// It may be the name of a branch as well.
			if hgRev().MatchString(text) {
				name = "rev"
			} else {
				name = "ref"
			}
			attrs[name] = flakeref.Text(text)
		case "name":
			text, err := th.StringNoCtx(a.Val, a.Pos, "while evaluating the `name` attribute passed to builtins.fetchMercurial")
			if err != nil {
				return "", err
			}
			attrs["name"] = flakeref.Text(text)
		default:
			return "", th.Errorf(a.Pos, value.EvalError, "unsupported argument '%s' to 'fetchMercurial'", name)
		}
	}
	if url == "" {
		return "", th.Errorf(pos, value.EvalError, "'url' argument required")
	}
	return url, nil
}
