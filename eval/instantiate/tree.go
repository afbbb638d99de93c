package instantiate

import (
	"errors"
	"fmt"
	"time"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// treeKind tells builtins.fetchTree and builtins.fetchGit apart.
type treeKind struct {
	who string
	git bool // of type git, with a name, and a commit of zeros for a dirty work tree
}

func (s *State) fetchTree(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	return s.tree(th, pos, args[0], treeKind{who: "fetchTree"})
}

func (s *State) fetchGit(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	return s.tree(th, pos, args[0], treeKind{who: "fetchGit", git: true})
}

// Refs reads references within what the features allow.
func (s *State) Refs() flakeref.Parser {
	return flakeref.Parser{Flakes: s.opt.Flakes, Verified: s.opt.VerifiedFetches}
}

// hostError is an error about what was asked for, without a place of its own.
func hostError(err error) error {
	return value.AsError(err)
}

func (s *State) tree(th *value.Thread, pos source.Pos, arg value.Value, kind treeKind) (value.Value, error) {
	in, err := s.input(th, pos, arg, kind)
	if err != nil {
		return nil, err
	}
	if s.opt.Pure && !in.Locked() {
		if h, err := in.NARHash(); err != nil || h.IsZero() {
			if _, err := in.URL(); err != nil {
				return nil, hostError(err)
			}
			return nil, th.Errorf(source.NoPos, value.Restricted, "in pure evaluation mode, '%s' doesn't fetch unlocked input '%s'", kind.who, in)
		}
		s.opt.Warn(fmt.Sprintf("Input '%s' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. "+
			"This is not reproducible and will break after garbage collection or when shared.", in))
	}
	u, err := in.URL()
	if err != nil {
		return nil, hostError(err)
	}
	if err := s.opt.CheckURI(u.String()); err != nil {
		return nil, err
	}
	if in.Final() {
		return nil, th.Errorf(source.NoPos, value.EvalError, "input '%s' is not allowed to use the '__final' attribute", in)
	}
	t, err := s.FetchTree(in)
	if err != nil {
		return nil, err
	}
	return s.TreeAttrs(th, pos, t, TreeForm{NullRev: kind.git}), nil
}

// FetchTree brings an input into the store, once per evaluation.
func (s *State) FetchTree(in flakeref.Input) (flakeref.Tree, error) {
	key := in.Attrs.JSON()
	if t, ok := s.trees[key]; ok {
		return t, nil
	}
	if !in.Direct() {
		return flakeref.Tree{}, fmt.Errorf("'%s' is an indirect flake reference, but registry lookups are not allowed", in)
	}
	if s.opt.Fetcher == nil {
		return flakeref.Tree{}, &value.Error{Kind: value.Restricted, Msg: fmt.Sprintf("cannot fetch '%s': this evaluation has no store to keep it in", in)}
	}
	if _, err := in.URL(); err != nil {
		return flakeref.Tree{}, hostError(err)
	}
	t, err := s.opt.Fetcher.FetchTree(s.ctx, in)
	if err != nil {
		if m, ok := errors.AsType[*flakeref.MismatchError](err); ok && m.Stored {
			return t, hostError(err)
		}
		return t, value.WithFrame(err, source.NoPos, "while fetching the input '%s'", in.String())
	}
	s.trees[key] = t
	s.addSource("", t.Path)
	return t, nil
}

// input reads the argument of fetchTree and fetchGit.
func (s *State) input(th *value.Thread, pos source.Pos, arg value.Value, kind treeKind) (in flakeref.Input, err error) {
	arg, err = th.Force(arg, pos)
	if err != nil {
		return in, err
	}
	attrs := flakeref.Attrs{}
	set, isSet := arg.(*value.Attrs)
	switch {
	case isSet:
		if attrs, err = s.inputAttrs(th, pos, set, kind); err != nil {
			return in, err
		}
	default:
		url, err := th.Coerce(arg, pos, value.CoerceOptions{}, "while evaluating the first argument passed to '"+kind.who+"'")
		if err != nil {
			return in, err
		}
		if !kind.git {
			if !s.opt.Flakes {
				return in, th.Errorf(source.NoPos, value.EvalError, "passing a string argument to '%s' requires the 'flakes' experimental feature", kind.who)
			}
			u, err := flakeref.ParseURL(url.S, false)
			if err == nil {
				in, err = s.Refs().InputFromURL(u, true)
			}
			if err != nil {
				return in, hostError(err)
			}
			return in, nil
		}
		attrs["type"], attrs["url"] = flakeref.Text("git"), flakeref.Text(url.S)
	}
	if err := completeGit(attrs, kind); err != nil {
		return in, err
	}
	if _, named := attrs["name"]; named && !kind.git {
		return in, th.Errorf(source.NoPos, value.EvalError, "argument 'name' isn’t supported in call to '%s'", kind.who)
	}
	if in, err = s.Refs().InputFromAttrs(attrs); err != nil {
		return in, hostError(err)
	}
	return in, nil
}

// completeGit adds what git inputs have by default.
func completeGit(attrs flakeref.Attrs, kind treeKind) error {
	submodules, _, err := attrs.Flag("submodules")
	if err != nil && kind.git {
		return hostError(err)
	}
	if _, given := attrs["exportIgnore"]; kind.git && !given && !submodules {
		attrs["exportIgnore"] = flakeref.Flag(true)
	}
	if _, given := attrs["shallow"]; attrs["type"] == flakeref.Text("git") && !kind.git && !given {
		attrs["shallow"] = flakeref.Flag(true)
	}
	return nil
}

func (s *State) inputAttrs(th *value.Thread, pos source.Pos, set *value.Attrs, kind treeKind) (flakeref.Attrs, error) {
	attrs := flakeref.Attrs{}
	typ, given := set.Get(th.Symbols.Intern("type"))
	switch {
	case given && kind.git:
		return nil, th.Errorf(source.NoPos, value.EvalError, "unexpected argument 'type'")
	case given:
		text, err := th.StringNoCtx(typ.Val, typ.Pos, "while evaluating the `type` argument passed to '"+kind.who+"'")
		if err != nil {
			return nil, err
		}
		attrs["type"] = flakeref.Text(text)
	case kind.git:
		attrs["type"] = flakeref.Text("git")
	default:
		return nil, th.Errorf(source.NoPos, value.EvalError, "argument 'type' is missing in call to '%s'", kind.who)
	}
	for _, a := range set.Sorted(th.Symbols) {
		name := th.Symbols.Name(a.Sym)
		if name == "type" {
			continue
		}
		v, err := th.Force(a.Val, a.Pos)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case *value.String, value.Path:
			text, err := th.Coerce(v, a.Pos, value.CoerceOptions{}, "")
			if err != nil {
				return nil, err
			}
			attrs[name] = flakeref.Text(text.S)
		case value.Bool:
			attrs[name] = flakeref.Flag(bool(v))
		case value.Int:
			if v < 0 {
				return nil, th.Errorf(source.NoPos, value.EvalError, "negative value given for '%s' argument '%s': %d", kind.who, name, int64(v))
			}
			attrs[name] = flakeref.Number(uint64(v))
		default:
			if name == "publicKeys" {
				return nil, hostError(&flakeref.DisabledError{Feature: "verified-fetches"})
			}
			return nil, th.Errorf(source.NoPos, value.TypeError, "argument '%s' to '%s' is %s while a string, Boolean or integer is expected",
				name, kind.who, value.TypeName(v))
		}
	}
	return attrs, nil
}

// TreeForm says how a tree is shown as a set.
type TreeForm struct {
	NullRev bool // a commit of zeros where there is none
	Dirty   bool // leave out the commit
}

// TreeAttrs is the set that describes a fetched tree (Nix: emitTreeAttrs).
func (s *State) TreeAttrs(th *value.Thread, pos source.Pos, t flakeref.Tree, form TreeForm) *value.Attrs {
	const nullRev = "0000000000000000000000000000000000000000"
	b := value.NewBuilder(12)
	add := func(name string, v value.Value) { b.Add(th.Symbols.Intern(name), pos, v) }
	text := func(name, v string) { add(name, value.NewString(v)) }
	in := t.Input
	add("outPath", opaque(t.Path.String(), t.Path))
	if h, err := in.NARHash(); err == nil && !h.IsZero() {
		text("narHash", h.SRI())
	}
	if in.Type() == "git" {
		add("submodules", value.Bool(in.Flag("submodules")))
	}
	if !form.Dirty {
		rev, err := in.Rev()
		if rev == "" && form.NullRev {
			rev = nullRev
		}
		if err == nil && rev != "" {
			text("rev", rev)
			text("shortRev", rev[:7])
		}
		count, counted := in.Number("revCount")
		switch {
		case t.RevCount != nil:
			add("revCount", th.Lazy(pos, func(*value.Thread) (value.Value, error) {
				n, err := t.RevCount()
				return value.Int(n), err
			}))
		case counted || form.NullRev:
			add("revCount", value.Int(count))
		}
	}
	for _, name := range []string{"dirtyRev", "dirtyShortRev"} {
		if v, ok, _ := in.Attrs.Text(name); ok {
			text(name, v)
		}
	}
	if n, ok := in.Number("lastModified"); ok {
		add("lastModified", value.Int(n))
		text("lastModifiedDate", time.Unix(int64(n), 0).UTC().Format("20060102150405"))
	}
	return b.Finish()
}
