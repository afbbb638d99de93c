package eval

import (
	"errors"
	"strconv"

	"gonix/derivation/storepath"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Package is a derivation that was found in a value. What is known of it is
// evaluated when it is asked for.
type Package struct {
	AttrPath string // how it was reached, "" for the value itself
	Name     string
	Attrs    *value.Attrs
	state    *State
}

// Packages finds the derivations in v as nix-build does: v itself, the elements
// of a list, the attributes of a set, and what is in those that are sets with
// recurseForDerivations. Functions with a pattern are called with args.
func (s *State) Packages(args *value.Attrs, v value.Value) ([]Package, error) {
	f := finder{s: s, args: args, done: map[*value.Attrs]bool{}}
	if err := f.all(v, ""); err != nil {
		return nil, err
	}
	return f.found, nil
}

// Available is Packages for what was selected at an attribute path, as nix-env
// looks for what could be installed: what fails with an assertion is left out.
func (s *State) Available(args *value.Attrs, at string, v value.Value) ([]Package, error) {
	f := finder{s: s, args: args, done: map[*value.Attrs]bool{}, lenient: true}
	if err := f.all(v, at); err != nil {
		return nil, err
	}
	return f.found, nil
}

type finder struct {
	s       *State
	args    *value.Attrs
	done    map[*value.Attrs]bool
	found   []Package
	lenient bool // leave out what fails with an assertion
}

// one adds v if it is a derivation; more says whether it is worth looking into
// v, which is forced.
func (f *finder) one(v value.Value, at string) (forced value.Value, more bool, err error) {
	forced, more, err = f.derivation(v, at)
	if f.lenient && IsAssertion(err) {
		return v, false, nil
	}
	return forced, more, err
}

// IsAssertion reports whether an evaluation failed with an assertion.
func IsAssertion(err error) bool {
	var e *value.Error
	return errors.As(err, &e) && e.Kind == value.AssertFailed
}

func (f *finder) derivation(v value.Value, at string) (forced value.Value, more bool, err error) {
	th := f.s.th
	v, err = th.Force(v, source.NoPos)
	if err != nil {
		return nil, false, err
	}
	isDrv, err := th.IsDerivation(v)
	if err != nil || !isDrv {
		return v, true, err
	}
	set := v.(*value.Attrs)
	if f.done[set] {
		return v, false, nil
	}
	f.done[set] = true
	name, ok := set.Get(symbol.Name)
	if !ok {
		return nil, false, th.Errorf(source.NoPos, value.TypeError, "derivation name missing")
	}
	text, err := th.StringNoCtx(name.Val, source.NoPos, "while evaluating the 'name' attribute of a derivation")
	if err != nil {
		return nil, false, err
	}
	f.found = append(f.found, Package{AttrPath: at, Name: text, Attrs: set, state: f.s})
	return v, false, nil
}

func (f *finder) all(v value.Value, at string) error {
	th := f.s.th
	if err := th.Enter(source.NoPos); err != nil {
		return err
	}
	defer th.Leave()
	v, err := f.s.AutoCall(f.args, v)
	if err != nil {
		return err
	}
	v, more, err := f.one(v, at)
	if err != nil || !more {
		return err
	}
	switch v := v.(type) {
	case *value.Attrs:
		return f.attrs(v, at)
	case *value.List:
		for i, e := range v.Elems {
			inner := join(at, strconv.Itoa(i))
			_, more, err := f.one(e, inner)
			if err == nil && more {
				err = f.all(e, inner)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return th.Errorf(source.NoPos, value.TypeError, "expression does not evaluate to a derivation (or a set or list of those)")
}

func (f *finder) attrs(set *value.Attrs, at string) error {
	th := f.s.th
	_, combine := set.Get(th.Symbols.Intern("_combineChannels"))
	for _, a := range set.Sorted(th.Symbols) {
		name := th.Symbols.Name(a.Sym)
		if !isPathComponent(name) {
			continue
		}
		if err := f.attr(a, join(at, name), combine); err != nil {
			return value.WithFrame(err, a.Pos, "while evaluating the attribute '%s'", name)
		}
	}
	return nil
}

func (f *finder) attr(a value.Attr, at string, combine bool) error {
	if combine {
		return f.all(a.Val, at)
	}
	v, more, err := f.one(a.Val, at)
	if err != nil || !more {
		return err
	}
	set, ok := v.(*value.Attrs)
	if !ok {
		return nil
	}
	r, ok := set.Get(symbol.Recurse)
	if !ok {
		return nil
	}
	recurse, err := f.s.th.Bool(r.Val, r.Pos, "while evaluating the attribute `recurseForDerivations`")
	if err != nil || !recurse {
		return err
	}
	return f.all(v, at)
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// isPathComponent reports whether an attribute is considered at all.
func isPathComponent(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '+')) {
			return false
		}
	}
	return name != ""
}

// DrvPath returns the path of the package's derivation.
func (p Package) DrvPath() (storepath.Path, error) {
	const why = "while evaluating the 'drvPath' attribute of a derivation"
	th := p.state.th
	a, ok := p.Attrs.Get(symbol.DrvPath)
	if !ok {
		return storepath.Path{}, th.Errorf(source.NoPos, value.EvalError, "derivation does not contain a 'drvPath' attribute")
	}
	path, err := p.storePath(a, why)
	if err != nil {
		return storepath.Path{}, err
	}
	if !path.IsDerivation() {
		err := th.Errorf(source.NoPos, value.EvalError, "store path '%s' is not a valid derivation path", path.Base())
		return storepath.Path{}, value.WithFrame(err, a.Pos, why)
	}
	return path, nil
}

// OutPath returns the path of the package's output.
func (p Package) OutPath() (storepath.Path, error) {
	a, ok := p.Attrs.Get(symbol.OutPath)
	if !ok {
		return storepath.Path{}, p.state.th.Errorf(source.NoPos, value.EvalError, "derivation does not have attribute 'outPath'")
	}
	return p.storePath(a, "while evaluating the output path of a derivation")
}

func (p Package) storePath(a value.Attr, why string) (storepath.Path, error) {
	th := p.state.th
	s, err := th.Coerce(a.Val, a.Pos, value.CoerceOptions{}, why)
	if err != nil {
		return storepath.Path{}, err
	}
	path, err := storepath.Parse(s.S)
	if err != nil {
		err := th.Errorf(source.NoPos, value.EvalError, "path '%s' is not in the Nix store", s.S)
		return storepath.Path{}, value.WithFrame(err, a.Pos, why)
	}
	return path, nil
}

// OutputName returns which output of the derivation the package is, "" if it
// does not say.
func (p Package) OutputName() (string, error) {
	a, ok := p.Attrs.Get(symbol.OutputName)
	if !ok {
		return "", nil
	}
	return p.state.th.StringNoCtx(a.Val, source.NoPos, "while evaluating the output name of a derivation")
}

// System returns the package's system, "unknown" if it does not say.
func (p Package) System() (string, error) {
	a, ok := p.Attrs.Get(p.state.th.Symbols.Intern("system"))
	if !ok {
		return "unknown", nil
	}
	return p.state.th.StringNoCtx(a.Val, a.Pos, "while evaluating the 'system' attribute of a derivation")
}
