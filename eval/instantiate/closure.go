package instantiate

import (
	"context"
	"net/url"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Closures fetches objects with all that they refer to from the binary cache at a URL
// into the store.
type Closures interface {
	// FetchClosure makes p valid; signatures count as they do for substitutes.
	FetchClosure(ctx context.Context, cache string, p storepath.Path) error
	// ReaddressClosure makes a copy of p valid whose path follows from its content,
	// as do those of all that it refers to, and returns that path.
	ReaddressClosure(ctx context.Context, cache string, p storepath.Path) (storepath.Path, error)
}

// closureWish is the argument of fetchClosure.
type closureWish struct {
	cache          string
	from, to       storepath.Path
	rewrite        bool // toPath was given, perhaps empty
	inputAddressed bool
	has            map[string]bool
}

// fetchClosure is builtins.fetchClosure.
func (s *State) fetchClosure(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	w, err := s.closureWish(th, pos, args[0])
	if err != nil {
		return nil, err
	}
	if s.opt.Closures == nil {
		return nil, th.Errorf(source.NoPos, value.Restricted, "cannot fetch '%s': this evaluation has no store to keep it in", w.from)
	}
	p := w.from
	if w.rewrite {
		p, err = s.readdressed(th, w)
	} else {
		err = s.fetchedClosure(th, w)
	}
	if err != nil {
		return nil, value.AsError(err)
	}
	info, err := s.opt.Store.Info(s.ctx, p)
	if err != nil {
		return nil, value.AsError(err)
	}
	s.objects[p] = &object{refs: info.References}
	return opaque(p.String(), p), nil
}

// closureWish reads the argument and checks what belongs together.
func (s *State) closureWish(th *value.Thread, pos source.Pos, arg value.Value) (closureWish, error) {
	w := closureWish{has: map[string]bool{}}
	attrs, err := th.Attrs(arg, pos, "while evaluating the argument passed to builtins.fetchClosure")
	if err != nil {
		return w, err
	}
	fail := func(format string, args ...any) (closureWish, error) {
		return w, th.Errorf(source.NoPos, value.EvalError, format, args...)
	}
	for a := range attrs.Each {
		name := th.Symbols.Name(a.Sym)
		why := "while evaluating the attribute '" + name + "' passed to builtins.fetchClosure"
		switch name {
		case "fromPath":
			w.from, err = storePathOf(th, *a, why)
		case "toPath":
			w.rewrite = true
			var v value.Value
			if v, err = th.Force(a.Val, a.Pos); err == nil {
				if str, ok := v.(*value.String); !ok || str.S != "" {
					w.to, err = storePathOf(th, *a, why)
				}
			}
		case "fromStore":
			w.cache, err = th.StringNoCtx(a.Val, a.Pos, why)
		case "inputAddressed":
			w.inputAddressed, err = th.Bool(a.Val, a.Pos, why)
		default:
			return fail("attribute '%s' isn't supported in call to 'fetchClosure'", name)
		}
		if err != nil {
			return w, err
		}
		w.has[name] = true
	}
	u, urlErr := url.Parse(w.cache)
	switch {
	case !w.has["fromPath"]:
		return fail("attribute '%s' is missing in call to 'fetchClosure'", "fromPath")
	case w.inputAddressed && w.rewrite:
		return fail("attribute '%s' is set to true, but '%s' is also set. Please remove one of them", "inputAddressed", "toPath")
	case !w.has["fromStore"]:
		return fail("attribute '%s' is missing in call to 'fetchClosure'", "fromStore")
	case urlErr != nil || u.Scheme != "http" && u.Scheme != "https":
		return fail("'fetchClosure' only supports http:// and https:// stores")
	case strings.Contains(w.cache, "?"):
		return fail("'fetchClosure' does not support URL query parameters (in '%s')", w.cache)
	}
	return w, nil
}

// storePathOf is the store path that an attribute names.
func storePathOf(th *value.Thread, a value.Attr, why string) (storepath.Path, error) {
	str, err := th.Coerce(a.Val, a.Pos, value.CoerceOptions{}, why)
	if err != nil {
		return storepath.Path{}, err
	}
	p, err := storepath.Parse(str.S)
	if err != nil {
		err := th.Errorf(source.NoPos, value.EvalError, "path '%s' is not in the Nix store", str.S)
		return storepath.Path{}, value.WithFrame(err, a.Pos, why)
	}
	return p, nil
}

// fetchedClosure makes w.from valid.
func (s *State) fetchedClosure(th *value.Thread, w closureWish) error {
	info, err := s.valid(w.from)
	if info == nil && err == nil {
		if err = s.opt.Closures.FetchClosure(s.ctx, w.cache, w.from); err == nil {
			info, err = s.opt.Store.Info(s.ctx, w.from)
		}
	}
	switch {
	case err != nil:
		return err
	case w.inputAddressed && info.CA != "":
		return th.Errorf(source.NoPos, value.EvalError, "The store object referred to by 'fromPath' at '%s' is not input-addressed, but 'inputAddressed' is set to 'true'.\n\n"+
			"Remove the 'inputAddressed' attribute (it defaults to 'false') to expect 'fromPath' to be content-addressed", w.from)
	case !w.inputAddressed && info.CA == "":
		return th.Errorf(source.NoPos, value.EvalError, "The 'fromPath' value '%s' is input-addressed, but 'inputAddressed' is set to 'false' (default).\n\n"+
			"If you do intend to fetch an input-addressed store path, add\n\n    inputAddressed = true;\n\nto the 'fetchClosure' arguments.\n\n"+
			"Note that to ensure authenticity input-addressed store paths, users must configure a trusted binary cache public key on their systems. This is not needed for content-addressed paths.", w.from)
	}
	return nil
}

// readdressed makes w.to valid, which must be what becomes of w.from.
func (s *State) readdressed(th *value.Thread, w closureWish) (storepath.Path, error) {
	var none storepath.Path
	if w.to != none {
		info, err := s.valid(w.to)
		switch {
		case err != nil:
			return none, err
		case info != nil && info.CA == "":
			return none, th.Errorf(source.NoPos, value.EvalError, "The 'toPath' value '%s' is input-addressed, so it can't possibly be the result of rewriting to a content-addressed path.\n\n"+
				"Set 'toPath' to an empty string to make Nix report the correct content-addressed path.", w.to)
		case info != nil:
			return w.to, nil
		}
	}
	got, err := s.opt.Closures.ReaddressClosure(s.ctx, w.cache, w.from)
	switch {
	case err != nil:
		return none, err
	case w.to == none:
		return none, th.Errorf(source.NoPos, value.EvalError, "rewriting '%s' to content-addressed form yielded '%s'\n"+
			"Use this value for the 'toPath' attribute passed to 'fetchClosure'", w.from, got)
	case got != w.to:
		return none, th.Errorf(source.NoPos, value.EvalError, "rewriting '%s' to content-addressed form yielded '%s', while '%s' was expected", w.from, got, w.to)
	}
	return got, nil
}

// valid returns what the store knows of p, nil if nothing.
func (s *State) valid(p storepath.Path) (*store.Info, error) {
	ok, err := s.isValid(p)
	if err != nil || !ok {
		return nil, err
	}
	return s.opt.Store.Info(s.ctx, p)
}
