package eval

import (
	"errors"
	"maps"
	"slices"

	"gonix/eval/resolve"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/ast"
	"gonix/parser/source"
)

// ExpressionIn is [State.Expression] for a text that finds the attributes of
// scope as variables, which hide the globals.
func (s *State) ExpressionIn(scope *value.Attrs, text, base, name string) (value.Value, error) {
	names, frame := s.scopeFrame(scope)
	n, err := s.compile(name, text, base, names)
	if err != nil {
		return nil, err
	}
	return s.th.NewThunk(n, frame), nil
}

// BindingsIn returns the set that a text like x = 1; inherit (y) z; describes.
// The last semicolon may be missing. The values are not evaluated yet and do not see each other (Nix: the bindings
// of the REPL). The rest is as in [State.ExpressionIn].
func (s *State) BindingsIn(scope *value.Attrs, text, base, name string) (*value.Attrs, error) {
	tree, err := parser.ParseBindings(s.th.Sources.Add(name, text), s.parserOptions(base))
	if err != nil {
		return nil, syntaxError(err)
	}
	v, err := s.evalIn(scope, tree)
	if err != nil {
		return nil, err
	}
	return s.th.Attrs(v, source.NoPos, "")
}

// SelectionIn evaluates the set of which a text like x.a.b selects an attribute,
// and returns the attribute, which is not evaluated yet. ok says whether the
// text is a selection (without or) at all.
func (s *State) SelectionIn(scope *value.Attrs, text, base, name string) (attr value.Attr, ok bool, err error) {
	tree, err := s.parse(name, text, base)
	if err != nil {
		return value.Attr{}, false, err
	}
	sel, ok := tree.Body.(*ast.Select)
	if !ok || sel.Default != nil {
		return value.Attr{}, false, nil
	}
	last := len(sel.Path) - 1
	if sel.Path[last].Expr != nil {
		return value.Attr{}, false, nil
	}
	of := sel.X
	if last > 0 {
		of = &ast.Select{At: sel.At, X: sel.X, Path: sel.Path[:last]}
	}
	v, err := s.evalIn(scope, of)
	if err != nil {
		return value.Attr{}, true, err
	}
	set, err := s.th.Attrs(v, sel.Pos(), "while selecting an attribute")
	if err != nil {
		return value.Attr{}, true, err
	}
	attr, found := set.Get(s.th.Symbols.Intern(sel.Path[last].Name))
	if !found {
		// Evaluating all of it says what is missing, and what may be meant.
		if _, err = s.evalIn(scope, sel); err == nil {
			err = errors.New("the attribute came into being just now")
		}
	}
	return attr, true, err
}

// evalIn evaluates a tree.
func (s *State) evalIn(scope *value.Attrs, tree ast.Expr) (value.Value, error) {
	names, frame := s.scopeFrame(scope)
	n, err := resolve.Expr(tree, resolve.Env{Symbols: s.th.Symbols, Globals: s.globals, Scope: names, Count: &s.th.Stats.Exprs})
	if err != nil {
		return nil, err
	}
	return n.Eval(s.th, frame)
}

// scopeFrame makes a frame of a set.
func (s *State) scopeFrame(scope *value.Attrs) ([]symbol.Symbol, *value.Frame) {
	attrs := scope.All()
	names := make([]symbol.Symbol, len(attrs))
	frame := s.th.NewFrame(nil, len(attrs))
	for i, a := range attrs {
		names[i] = a.Sym
		frame.SetSlot(i, a.Val)
	}
	return names, frame
}

// Globals returns the names of the outermost variables in order.
func (s *State) Globals() []string { return slices.Sorted(maps.Keys(s.globals)) }

// ForgetFiles makes later imports read files again.
func (s *State) ForgetFiles() {
	clear(s.imports)
	clear(s.resolved)
}
