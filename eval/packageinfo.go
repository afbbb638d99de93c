package eval

import (
	"cmp"
	"slices"

	"gonix/derivation/storepath"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// PackageOutput is an output of a package.
type PackageOutput struct {
	Name string
	Path storepath.Path // zero if it was not asked for
}

// Outputs returns the outputs that the package names, sorted; paths says whether
// to evaluate their paths, which makes the derivation. (Nix:
// PackageInfo::queryOutputs)
func (p Package) Outputs(paths bool) ([]PackageOutput, error) {
	th := p.state.th
	a, ok := p.Attrs.Get(th.Symbols.Intern("outputs"))
	if !ok {
		o := PackageOutput{Name: "out"}
		var err error
		if paths {
			o.Path, err = p.OutPath()
		}
		return []PackageOutput{o}, err
	}
	names, err := th.List(a.Val, a.Pos, "while evaluating the 'outputs' attribute of a derivation")
	if err != nil {
		return nil, err
	}
	var list []PackageOutput
	for _, e := range names.Elems {
		name, err := th.StringNoCtx(e, a.Pos, "while evaluating the name of an output of a derivation")
		if err != nil {
			return nil, err
		}
		o := PackageOutput{Name: name}
		if paths {
			var ok bool
			if o.Path, ok, err = p.outputPath(name, a.Pos); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		list = append(list, o)
	}
	slices.SortStableFunc(list, func(a, b PackageOutput) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b PackageOutput) bool { return a.Name == b.Name }), nil
}

// outputPath returns the path of the output that the package has as an attribute;
// ok is false if it has none.
func (p Package) outputPath(name string, pos source.Pos) (path storepath.Path, ok bool, err error) {
	th := p.state.th
	a, ok := p.Attrs.Get(th.Symbols.Intern(name))
	if !ok {
		return path, false, nil
	}
	set, err := th.Attrs(a.Val, pos, "while evaluating an output of a derivation")
	if err != nil {
		return path, false, err
	}
	out, ok := set.Get(symbol.OutPath)
	if !ok {
		return path, false, nil
	}
	path, err = p.storePath(out, "while evaluating an output path of a derivation")
	return path, true, err
}

// MetaNames returns the names of what the package says of itself, sorted.
func (p Package) MetaNames() ([]string, error) {
	meta, err := p.meta()
	if err != nil || meta == nil {
		return nil, err
	}
	var names []string
	for _, a := range meta.Sorted(p.state.th.Symbols) {
		names = append(names, p.state.th.Symbols.Name(a.Sym))
	}
	return names, nil
}

func (p Package) meta() (*value.Attrs, error) {
	a, ok := p.Attrs.Get(p.state.th.Symbols.Intern("meta"))
	if !ok {
		return nil, nil
	}
	return p.state.th.Attrs(a.Val, a.Pos, "while evaluating the 'meta' attribute of a derivation")
}

// Meta returns what the package says of itself under a name; nil if it says
// nothing, or something that is not data: functions, paths, derivations.
func (p Package) Meta(name string) (value.Value, error) {
	meta, err := p.meta()
	if err != nil || meta == nil {
		return nil, err
	}
	a, ok := meta.Get(p.state.th.Symbols.Intern(name))
	if !ok {
		return nil, nil
	}
	v, isData, err := p.state.data(a.Val, a.Pos)
	if err != nil || !isData {
		return nil, err
	}
	return v, nil
}

// MetaText is Meta where it is a string, else "".
func (p Package) MetaText(name string) (string, error) {
	v, err := p.Meta(name)
	if s, ok := v.(*value.String); ok && err == nil {
		return s.S, nil
	}
	return "", err
}

// data evaluates v in full and reports whether it consists of data alone.
func (s *State) data(v value.Value, pos source.Pos) (forced value.Value, ok bool, err error) {
	if err := s.th.Enter(pos); err != nil {
		return nil, false, err
	}
	defer s.th.Leave()
	if v, err = s.th.Force(v, pos); err != nil {
		return nil, false, err
	}
	switch v := v.(type) {
	case *value.List:
		for _, e := range v.Elems {
			if _, ok, err := s.data(e, pos); err != nil || !ok {
				return v, false, err
			}
		}
		return v, true, nil
	case *value.Attrs:
		if _, is := v.Get(symbol.OutPath); is {
			return v, false, nil
		}
		for _, a := range v.Sorted(s.th.Symbols) {
			if _, ok, err := s.data(a.Val, a.Pos); err != nil || !ok {
				return v, false, err
			}
		}
		return v, true, nil
	case value.Int, value.Bool, value.Float, *value.String:
		return v, true, nil
	}
	return v, false, nil
}
