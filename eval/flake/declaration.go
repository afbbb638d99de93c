package flake

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Flake is what a flake.nix declares.
type Flake struct {
	Ref    flakeref.Ref  // where it was looked for
	Locked flakeref.Ref  // which tree it is
	Tree   flakeref.Tree // that holds it
	File   string        // the flake.nix
	Inputs map[string]*Input
	self   flakeref.Attrs
}

// Input is one input as it is declared.
type Input struct {
	Ref       *flakeref.Ref // nil if it is not said
	Follows   []string      // the input it is the same as, from the root
	follows   bool
	IsFlake   bool
	Overrides map[string]*Input
}

// reader reads one flake.nix.
type reader struct {
	host Host
	th   *value.Thread
	root []string // where the inputs of this flake are, from the root
	dir  string
}

// read reads the flake.nix in a folder of a tree.
func (e *evaluation) read(ref, locked flakeref.Ref, t flakeref.Tree, dir string, root []string) (*Flake, error) {
	r := &reader{e.host, e.th, root, dir}
	f := &Flake{Ref: ref, Locked: locked, Tree: t, File: path.Join(dir, "flake.nix"), Inputs: map[string]*Input{}}
	set, err := e.host.Declared(f.File)
	if err != nil {
		return nil, err
	}
	if a, ok := r.get(set, "description"); ok {
		if _, err := literal[*value.String](r, a.Val, "a string", a.Pos); err != nil {
			return nil, err
		}
	}
	if a, ok := r.get(set, "inputs"); ok {
		if f.Inputs, f.self, err = r.inputs(a.Val, a.Pos, true); err != nil {
			return nil, err
		}
	}
	outputs, ok := r.get(set, "outputs")
	if !ok {
		return nil, fmt.Errorf("flake '%s' lacks attribute 'outputs'", ref)
	}
	if err := r.formals(f, outputs); err != nil {
		return nil, err
	}
	if a, ok := r.get(set, "nixConfig"); ok {
		if _, err := literal[*value.Attrs](r, a.Val, "a set", a.Pos); err != nil {
			return nil, err
		}
	}
	for _, a := range set.Sorted(e.th.Symbols) {
		switch name := e.th.Symbols.Name(a.Sym); name {
		case "description", "inputs", "outputs", "nixConfig":
		default:
			return nil, fmt.Errorf("flake '%s' has an unsupported attribute '%s', at %s", ref, name, e.th.ShowPos(a.Pos))
		}
	}
	return f, nil
}

// formals makes inputs of the arguments that outputs names.
func (r *reader) formals(f *Flake, outputs value.Attr) error {
	v, err := r.host.Literal(outputs.Val)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *value.Builtin, *value.PartialApp:
		return nil
	case *value.Closure:
		formals := v.Fn.Formals()
		if formals == nil {
			return nil
		}
		for _, formal := range formals.List {
			name := r.th.Symbols.Name(formal.Sym)
			if _, given := f.Inputs[name]; given || name == "self" {
				continue
			}
			ref, err := r.host.Refs().Parse(name, flakeref.Options{Tree: true})
			if err != nil {
				return err
			}
			f.Inputs[name] = &Input{Ref: &ref, IsFlake: true}
		}
		return nil
	}
	return r.expected("a function", v, outputs.Pos)
}

func (r *reader) get(set *value.Attrs, name string) (value.Attr, bool) {
	return set.Get(r.th.Symbols.Intern(name))
}

// literal returns a value of the wanted type that is written as such.
func literal[T value.Value](r *reader, v value.Value, what string, pos source.Pos) (T, error) {
	v, err := r.host.Literal(v)
	if err != nil {
		var none T
		return none, err
	}
	t, ok := v.(T)
	if !ok {
		return t, r.expected(what, v, pos)
	}
	return t, nil
}

func (r *reader) expected(what string, v value.Value, pos source.Pos) error {
	got := "a thunk"
	if _, waiting := v.(*value.Thunk); !waiting {
		got = value.TypeName(v)
	}
	return fmt.Errorf("expected %s but got %s at %s", what, got, r.th.ShowPos(pos))
}

// inputs reads a set of inputs; what it says of self is apart.
func (r *reader) inputs(v value.Value, pos source.Pos, allowSelf bool) (map[string]*Input, flakeref.Attrs, error) {
	set, err := literal[*value.Attrs](r, v, "a set", pos)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]*Input{}
	self := flakeref.Attrs{}
	for _, a := range set.Sorted(r.th.Symbols) {
		name := r.th.Symbols.Name(a.Sym)
		if name != "self" {
			if out[name], err = r.input(a.Val, a.Pos); err != nil {
				return nil, nil, err
			}
			continue
		}
		if !allowSelf {
			return nil, nil, fmt.Errorf("'self' input attribute not allowed at %s", r.th.ShowPos(a.Pos))
		}
		attrs, err := literal[*value.Attrs](r, a.Val, "a set", a.Pos)
		if err != nil {
			return nil, nil, err
		}
		for _, b := range attrs.Sorted(r.th.Symbols) {
			if err := r.attr(b, self); err != nil {
				return nil, nil, err
			}
		}
	}
	return out, self, nil
}

// attr reads an attribute of a reference.
func (r *reader) attr(a value.Attr, into flakeref.Attrs) error {
	name := r.th.Symbols.Name(a.Sym)
	v, err := r.host.Literal(a.Val)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *value.String:
		into[name] = flakeref.Text(v.S)
	case value.Bool:
		into[name] = flakeref.Flag(bool(v))
	case value.Int:
		if v < 0 {
			return r.th.Errorf(source.NoPos, value.EvalError, "negative value given for flake input attribute %s: %d", name, int64(v))
		}
		into[name] = flakeref.Number(uint64(v))
	default:
		got := "a thunk"
		if _, waiting := v.(*value.Thunk); !waiting {
			got = value.TypeName(v)
		}
		return r.th.Errorf(source.NoPos, value.TypeError, "flake input attribute '%s' is %s while a string, Boolean, or integer is expected", name, got)
	}
	return nil
}

func (r *reader) input(v value.Value, pos source.Pos) (*Input, error) {
	set, err := literal[*value.Attrs](r, v, "a set", pos)
	if err != nil {
		return nil, err
	}
	in := &Input{IsFlake: true}
	attrs := flakeref.Attrs{}
	for _, a := range set.Sorted(r.th.Symbols) {
		if err := r.inputAttr(in, a, attrs); err != nil {
			return nil, value.WithFrame(err, a.Pos, "while evaluating flake attribute '%s'", r.th.Symbols.Name(a.Sym))
		}
	}
	url := attrs["url"]
	text, hasURL := url.Text()
	_, hasURL2 := attrs["url"]
	hasURL = hasURL && hasURL2
	var ref flakeref.Ref
	if _, typed := attrs["type"]; typed {
		if ref, err = r.host.Refs().FromAttrs(attrs); err != nil {
			return nil, value.WithFrame(err, pos, "while evaluating flake input")
		}
		in.Ref = &ref
	} else {
		delete(attrs, "url")
		for _, name := range attrs.Names() {
			return nil, fmt.Errorf("unexpected flake input attribute '%s', at %s", name, r.th.ShowPos(pos))
		}
		if hasURL {
			if ref, err = r.host.Refs().Parse(text, flakeref.Options{Tree: in.IsFlake, Relative: true}); err != nil {
				return nil, err
			}
			in.Ref = &ref
		}
	}
	if in.Ref != nil && in.follows {
		return nil, fmt.Errorf("flake input has both a flake reference and a follows attribute, at %s", r.th.ShowPos(pos))
	}
	return in, nil
}

func (r *reader) inputAttr(in *Input, a value.Attr, attrs flakeref.Attrs) error {
	switch r.th.Symbols.Name(a.Sym) {
	case "url":
		v, err := r.host.Literal(a.Val)
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case *value.String:
			attrs["url"] = flakeref.Text(v.S)
		case value.Path:
			rel, err := filepath.Rel(r.dir, string(v))
			if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
				return fmt.Errorf("input attribute path '%s' at %s must be in the same source tree as %s", string(v), r.th.ShowPos(a.Pos), r.dir)
			}
			attrs["url"] = flakeref.Text("path:./" + rel)
		default:
			return r.expected("a string or a path", v, a.Pos)
		}
	case "flake":
		b, err := literal[value.Bool](r, a.Val, "a Boolean", a.Pos)
		in.IsFlake = bool(b)
		return err
	case "inputs":
		var err error
		in.Overrides, _, err = r.inputs(a.Val, a.Pos, false)
		return err
	case "follows":
		s, err := literal[*value.String](r, a.Val, "a string", a.Pos)
		if err != nil {
			return err
		}
		in.follows = true
		in.Follows = append(in.Follows, r.root...)
		for part := range strings.SplitSeq(s.S, "/") {
			switch {
			case part == "":
			case !flakeref.IsID(part):
				return fmt.Errorf("invalid flake input attribute path element '%s'", part)
			default:
				in.Follows = append(in.Follows, part)
			}
		}
	default:
		return r.attr(a, attrs)
	}
	return nil
}
