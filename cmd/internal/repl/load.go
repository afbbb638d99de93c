package repl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/eval/value"
	"gonix/parser/source"
)

// load is something whose attributes are variables.
type load struct {
	kind loadKind
	arg  string
}

type loadKind uint8

// The kinds of what can be loaded.
const (
	loadFile  loadKind = iota // arg is a file
	loadAttr                  // arg is an attribute path in what --file or --expr says
	loadFlake                 // arg is a flake reference
)

// String names the load for messages.
func (l load) String() string {
	switch l.kind {
	case loadAttr:
		return "installable '" + l.arg + "'"
	case loadFlake:
		return "flake '" + l.arg + "'"
	}
	return `"` + l.arg + `"`
}

// loadAll loads everything again. What cannot be loaded is kept for the next
// time.
func (r *session) loadAll() error {
	r.vars = value.EmptyAttrs
	for _, l := range r.loads {
		r.notice("Loading %s...", l)
		if err := r.add(l); err != nil {
			if r.turn.interrupted() {
				return err
			}
			r.show(err)
		}
	}
	return nil
}

// load loads something, and remembers it unless that fails.
func (r *session) load(l load) error {
	if err := r.add(l); err != nil {
		return err
	}
	r.loads = append(slices.DeleteFunc(r.loads, func(old load) bool { return old == l }), l)
	return nil
}

// add makes the attributes of something variables.
func (r *session) add(l load) error {
	v, err := r.valueOf(l)
	if err != nil {
		return err
	}
	return r.addAttrs(v)
}

func (r *session) valueOf(l load) (value.Value, error) {
	switch l.kind {
	case loadFlake:
		return r.flake(l.arg)
	case loadFile:
		return r.fileValue(l.arg)
	}
	var v value.Value
	var err error
	if r.f.Exprs {
		v, err = r.state.Expression(r.f.expr, r.World.Cwd, "«string»")
	} else {
		v, err = r.fileValue(r.f.file)
	}
	if err != nil {
		return nil, err
	}
	v, _, err = r.state.Attr(r.auto, l.arg, v)
	return v, err
}

// fileValue evaluates a file and calls the function that it may be.
func (r *session) fileValue(name string) (value.Value, error) {
	file, err := r.state.Lookup(name)
	if err != nil {
		return nil, err
	}
	v, err := r.state.EvalFile(file)
	if err != nil {
		return nil, err
	}
	return r.state.AutoCall(r.auto, v)
}

// flake evaluates a flake.
func (r *session) flake(ref string) (value.Value, error) {
	if ref == "" {
		return nil, errors.New("which flake? The one of this folder is '.'")
	}
	get, ok := r.state.Builtins().Get(r.state.Symbols().Intern("getFlake"))
	if !ok {
		return nil, errors.New("this version of gonix cannot load flakes")
	}
	if ref == "." || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") {
		ref = r.World.Abs(ref)
	}
	return r.state.Thread().Apply(source.NoPos, get.Val, value.NewString(ref))
}

// addAttrs makes the attributes of v variables (Nix: addAttrsToScope).
func (r *session) addAttrs(v value.Value) error {
	attrs, err := r.state.Thread().Attrs(v, source.NoPos, "while evaluating an attribute set to be merged in the global scope")
	if err != nil {
		return err
	}
	r.bind(attrs)
	r.last = attrs
	r.notice("Added %d variables.", attrs.Len())
	const shown = 20
	var names strings.Builder
	for i, a := range attrs.Sorted(r.state.Symbols()) {
		if i == shown {
			break
		}
		if i > 0 {
			names.WriteString(", ")
		}
		value.AppendAttrName(&names, r.state.Symbols().Name(a.Sym))
	}
	r.notice("%s", names.String())
	if more := attrs.Len() - shown; more > 0 {
		r.notice("... and %d more; view with :ll", more)
	}
	return nil
}

// bind lets variables be what the attributes are.
func (r *session) bind(attrs *value.Attrs) {
	b := value.NewBuilder(attrs.Len() + r.vars.Len())
	for _, set := range []*value.Attrs{attrs, r.vars} { // the first of a name stays
		for _, a := range set.All() {
			b.Add(a.Sym, a.Pos, a.Val)
		}
	}
	r.vars = b.Finish()
}

// listLast prints the names of what was loaded last, in the order in which they
// were first seen, as Nix does.
func (r *session) listLast(string) error {
	if r.last == nil {
		return errors.New("nothing has been loaded yet")
	}
	for _, a := range r.last.All() {
		fmt.Fprintln(r.World.Stdout, r.state.Symbols().Name(a.Sym))
	}
	return nil
}
