package resolve

import (
	"slices"

	"gonix/eval/code"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/ast"
)

func (r *resolver) list(e *ast.List, sc *scope) code.Node {
	elems := make([]code.Node, len(e.Elems))
	constant := true
	for i, x := range e.Elems {
		elems[i] = r.root(x, sc)
		constant = constant && isConst(elems[i])
	}
	if len(elems) == 0 {
		return &code.Const{V: value.NewList()}
	}
	if !constant {
		return &code.List{Elems: elems}
	}
	vals := make([]value.Value, len(elems))
	for i, x := range elems {
		vals[i] = x.(*code.Const).V
	}
	return &code.LiteralList{Elems: vals, At: elems[0].Pos()}
}

func isConst(n code.Node) bool {
	_, ok := n.(*code.Const)
	return ok
}

// let makes one frame: the sources of inherit (e) …, then the bindings.
func (r *resolver) let(e *ast.Let, sc *scope) built {
	inner := r.bindingScope(&e.Bindings, sc)
	binds := r.sources(e.From, inner)
	for i := range e.Static {
		binds = append(binds, r.bind(&e.Static[i], inner, sc))
	}
	body := r.expr(e.Body, inner)
	return over(&code.Let{Binds: binds, Body: body.Node}, body)
}

// bindingScope names the slots of a frame for bindings that see each other.
func (r *resolver) bindingScope(b *ast.Bindings, up *scope) *scope {
	names := make([]symbol.Symbol, len(b.From), len(b.From)+len(b.Static))
	for i := range b.Static {
		names = append(names, r.sym(b.Static[i].Name))
	}
	return newScope(up, names)
}

func (r *resolver) sources(from []ast.Expr, sc *scope) []code.Bind {
	binds := make([]code.Bind, 0, len(from))
	for _, e := range from {
		binds = append(binds, code.Bind{X: r.root(e, sc)})
	}
	return binds
}

// bind resolves one binding of a let or rec set.
func (r *resolver) bind(b *ast.Binding, inner, outer *scope) code.Bind {
	switch b.Kind {
	case ast.Inherit:
		return code.Bind{X: r.root(b.Value, outer), Outer: true}
	case ast.InheritFrom:
		from := &code.Local{Slot: b.From, At: b.Pos()}
		return code.Bind{X: &code.SelectOne{X: from, Sym: r.sym(b.Name), At: b.Pos()}}
	}
	return code.Bind{X: r.named(b.Value, inner, b.Name)}
}

func (r *resolver) attrs(e *ast.Attrs, sc *scope) code.Node {
	if e.Recursive {
		return r.rec(e, sc)
	}
	if slices.ContainsFunc(e.From, needsFrame) {
		from := make([]code.Node, len(e.From))
		for i, x := range e.From {
			from[i] = r.root(x, sc)
		}
		inner := newScope(sc, make([]symbol.Symbol, len(from)))
		body := r.plainAttrs(e, inner, func(b *ast.Binding) code.Node {
			return &code.Local{Slot: b.From, At: b.Pos()}
		})
		return &code.Sources{From: from, Body: body}
	}
	return r.plainAttrs(e, sc, func(b *ast.Binding) code.Node { return r.root(e.From[b.From], sc) })
}

// needsFrame reports whether the source of inherit (e) … has to be evaluated
// once for all of its names; a variable need not.
func needsFrame(e ast.Expr) bool {
	_, ok := e.(*ast.Ident)
	return !ok
}

// plainAttrs resolves a set that is not recursive; from gives the node of an
// inherit's source.
func (r *resolver) plainAttrs(e *ast.Attrs, sc *scope, from func(*ast.Binding) code.Node) code.Node {
	attrs := make([]code.Attr, 0, len(e.Static))
	constant := len(e.Dynamic) == 0
	for i := range e.Static {
		b := &e.Static[i]
		sym := r.sym(b.Name)
		var x code.Node
		switch b.Kind {
		case ast.InheritFrom:
			x = &code.SelectOne{X: from(b), Sym: sym, At: b.Pos()}
		case ast.Inherit:
			x = r.root(b.Value, sc)
		default:
			x = r.named(b.Value, sc, b.Name)
		}
		constant = constant && isConst(x)
		attrs = append(attrs, code.Attr{Sym: sym, At: b.Pos(), X: x})
	}
	sortAttrs(attrs)
	set := &code.Attrs{Attrs: attrs, At: e.Pos()}
	if len(e.Dynamic) > 0 {
		return &code.Dynamic{Static: set, Attrs: r.dynamic(e.Dynamic, sc)}
	}
	if !constant {
		return set
	}
	vals := make([]value.Attr, len(attrs))
	for i, a := range attrs {
		vals[i] = value.Attr{Sym: a.Sym, Pos: a.At, Val: a.X.(*code.Const).V}
	}
	return &code.LiteralAttrs{Attrs: vals, At: e.Pos()}
}

func sortAttrs(attrs []code.Attr) {
	slices.SortFunc(attrs, func(a, b code.Attr) int { return int(a.Sym) - int(b.Sym) })
}

func (r *resolver) dynamic(dyn []ast.Dynamic, sc *scope) []code.DynamicAttr {
	out := make([]code.DynamicAttr, len(dyn))
	for i := range dyn {
		out[i] = code.DynamicAttr{Name: r.root(dyn[i].Name, sc), X: r.root(dyn[i].Value, sc), At: dyn[i].Pos()}
	}
	return out
}

// rec makes a frame for the attributes, sorted as the set will be.
func (r *resolver) rec(e *ast.Attrs, sc *scope) code.Node {
	sorted := slices.Clone(e.Static)
	for i := range sorted {
		r.sym(sorted[i].Name) // symbols in the order of the text
	}
	slices.SortFunc(sorted, func(a, b ast.Binding) int { return int(r.sym(a.Name)) - int(r.sym(b.Name)) })
	bindings := ast.Bindings{Static: sorted, From: e.From}
	inner := r.bindingScope(&bindings, sc)
	n := &code.Rec{Overrides: -1, At: e.Pos(), Binds: r.sources(e.From, inner)}
	for i := range sorted {
		b := &sorted[i]
		sym := r.sym(b.Name)
		if sym == symbol.Overrides {
			n.Overrides = i
		}
		n.Attrs = append(n.Attrs, code.Attr{Sym: sym, At: b.Pos()})
		n.Binds = append(n.Binds, r.bind(b, inner, sc))
	}
	n.Dynamic = r.dynamic(e.Dynamic, inner)
	return n
}

// lambda resolves a function; label is what messages call it.
func (r *resolver) lambda(e *ast.Lambda, sc *scope, label string) code.Node {
	if e.Formals != nil {
		return r.pattern(e, sc, label)
	}
	names := []symbol.Symbol{r.sym(e.Arg)}
	params := []code.Param{{Name: e.Arg, At: e.Pos()}}
	body := e.Body
	for {
		next, ok := body.(*ast.Lambda)
		if !ok || next.Formals != nil {
			break
		}
		names = append(names, r.sym(next.Arg))
		params = append(params, code.Param{Name: next.Arg, At: next.Pos()})
		body = next.Body
	}
	inner := newScope(sc, names)
	if len(names) > 1 {
		return code.NewCurried(label, params, r.named(body, inner, label))
	}
	return &code.Lambda{Label: label, Arg: e.Arg, Body: r.named(body, inner, label), At: e.Pos()}
}

func (r *resolver) pattern(e *ast.Lambda, sc *scope, label string) code.Node {
	formals := slices.Clone(e.Formals.List)
	for _, f := range formals {
		r.sym(f.Name) // symbols in the order of the text
	}
	slices.SortFunc(formals, func(a, b ast.Formal) int { return int(r.sym(a.Name)) - int(r.sym(b.Name)) })
	p := &code.Pattern{Label: label, At: e.Pos(), List: &value.Formals{Ellipsis: e.Formals.Ellipsis}}
	var names []symbol.Symbol
	if e.Arg != "" {
		p.Whole = e.Arg
		names = append(names, r.sym(e.Arg))
	}
	for _, f := range formals {
		names = append(names, r.sym(f.Name))
	}
	inner := newScope(sc, names)
	for _, f := range formals {
		p.List.List = append(p.List.List, value.Formal{Sym: r.sym(f.Name), Pos: f.Pos(), Optional: f.Default != nil})
		var d code.Node
		if f.Default != nil {
			d = r.root(f.Default, inner)
		}
		p.Defaults = append(p.Defaults, d)
	}
	p.Body = r.named(e.Body, inner, label)
	return p
}
