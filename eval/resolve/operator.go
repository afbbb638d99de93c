package resolve

import (
	"gonix/eval/code"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/ast"
	"gonix/parser/source"
)

// arithmetic says which call each operator stands for.
var arithmetic = map[ast.Op]struct {
	name    string // of the builtin
	op      code.ArithOp
	swapped bool // the right operand is the first argument
	negated bool // the result is negated
}{
	ast.OpSub: {"__sub", code.Sub, false, false},
	ast.OpMul: {"__mul", code.Mul, false, false},
	ast.OpDiv: {"__div", code.Div, false, false},
	ast.OpLt:  {"__lessThan", code.Less, false, false},
	ast.OpGt:  {"__lessThan", code.Less, true, false},
	ast.OpLeq: {"__lessThan", code.Less, true, true},
	ast.OpGeq: {"__lessThan", code.Less, false, true},
}

var logic = map[ast.Op]code.LogicOp{ast.OpAnd: code.And, ast.OpOr: code.Or, ast.OpImpl: code.Implies}

func (r *resolver) binary(e *ast.Binary, sc *scope) built {
	at := e.Pos()
	switch e.Op {
	case ast.OpUpdate:
		return r.update(e, sc)
	case ast.OpPipeFrom:
		return r.call(r.expr(e.L, sc), []ast.Expr{e.R}, at, sc)
	case ast.OpPipeInto:
		return r.call(r.expr(e.R, sc), []ast.Expr{e.L}, at, sc)
	}
	l, rt := r.expr(e.L, sc), r.expr(e.R, sc)
	if a, ok := arithmetic[e.Op]; ok {
		if a.swapped {
			l, rt = rt, l
		}
		n := r.arith(a.name, a.op, l, rt, at, sc)
		if a.negated {
			return over(&code.Not{X: n.Node}, n)
		}
		return n
	}
	if op, ok := logic[e.Op]; ok {
		return over(&code.Logic{Op: op, L: l.Node, R: rt.Node, At: at}, l, rt)
	}
	switch e.Op {
	case ast.OpEq, ast.OpNeq:
		return over(&code.Equal{L: l.Node, R: rt.Node, Not: e.Op == ast.OpNeq}, l, rt)
	case ast.OpConcat:
		return over(&code.Concat{L: l.Node, R: rt.Node, At: at}, l, rt)
	case ast.OpAdd:
		return over(&code.Add{L: l.Node, R: rt.Node, Start: e.LPos, At: at}, l, rt)
	}
	panic("resolve: no such operator")
}

// arith makes an operator that stands for a call of a builtin.
func (r *resolver) arith(name string, op code.ArithOp, l, rt built, at source.Pos, sc *scope) built {
	fn := r.variable(name, source.NoPos, sc)
	if b := builtinOf(fn); b != nil {
		return over(&code.Arith{Op: op, L: l.Node, R: rt.Node, Builtin: b, At: at}, l, rt)
	}
	return built{&code.Call{Fn: fn, Args: []code.Node{l.Node, rt.Node}, At: at}, 2}
}

func builtinOf(n code.Node) *value.Builtin {
	var b *value.Builtin
	switch n := n.(type) {
	case *code.Const:
		b, _ = n.V.(*value.Builtin)
	case *code.Known:
		b, _ = n.V.(*value.Builtin)
	}
	return b
}

func (r *resolver) unary(e *ast.Unary, sc *scope) built {
	x := r.expr(e.X, sc)
	if e.Op == ast.OpNot {
		return over(&code.Not{X: x.Node}, x)
	}
	zero := built{&code.Const{V: value.Int(0)}, 1}
	return r.arith("__sub", code.Sub, zero, x, e.Pos(), sc)
}

// update flattens a // (b // c).
func (r *resolver) update(e *ast.Binary, sc *scope) built {
	n := &code.Update{At: e.Pos()}
	var parts []built
	add := func(x ast.Expr) {
		b := r.expr(x, sc)
		parts = append(parts, b)
		n.Sets = append(n.Sets, b.Node)
	}
	var x ast.Expr = e
	for {
		u, ok := x.(*ast.Binary)
		if !ok || u.Op != ast.OpUpdate {
			break
		}
		add(u.L)
		x = u.R
	}
	add(x)
	return over(n, parts...)
}

func (r *resolver) apply(e *ast.Apply, sc *scope) built {
	return r.call(r.expr(e.Fn, sc), e.Args, e.Pos(), sc)
}

func (r *resolver) call(fn built, args []ast.Expr, at source.Pos, sc *scope) built {
	nodes := make([]code.Node, len(args))
	for i, a := range args {
		nodes[i] = r.root(a, sc)
	}
	if b := builtinOf(fn.Node); b != nil && b.Arity() == len(nodes) {
		return built{&code.CallBuiltin{Builtin: b, Args: nodes, At: at}, 1}
	}
	if len(nodes) == 1 {
		return over(&code.CallOne{Fn: fn.Node, Arg: nodes[0], At: at}, fn)
	}
	return over(&code.Call{Fn: fn.Node, Args: nodes, At: at}, fn)
}

func (r *resolver) selection(e *ast.Select, sc *scope) built {
	x := r.expr(e.X, sc)
	if len(e.Path) == 1 && e.Path[0].Expr == nil {
		name := e.Path[0].Name
		if n := r.known(e.X, x.Node, name, e.Pos()); n != nil {
			return built{n, 1}
		}
		if e.Default == nil {
			return over(&code.SelectOne{X: x.Node, Sym: r.sym(name), At: e.Pos()}, x)
		}
	}
	path, parts := r.attrPath(e.Path, sc)
	n := &code.Select{X: x.Node, Path: path, At: e.Pos()}
	if e.Default != nil {
		d := r.expr(e.Default, sc)
		n.Default = d.Node
		parts = append(parts, d)
	}
	return over(n, append(parts, x)...)
}

// known returns the node of builtins.name where builtins is the global set and
// has that attribute.
func (r *resolver) known(x ast.Expr, n code.Node, name string, at source.Pos) code.Node {
	id, ok := x.(*ast.Ident)
	if !ok || id.Name != "builtins" {
		return nil
	}
	c, ok := n.(*code.Const)
	if !ok {
		return nil
	}
	set, ok := c.V.(*value.Attrs)
	if !ok {
		return nil
	}
	a, ok := set.Get(r.sym(name))
	if !ok {
		return nil
	}
	return &code.Known{V: a.Val, Name: name, At: at}
}

func (r *resolver) attrPath(path []ast.AttrName, sc *scope) ([]code.Name, []built) {
	out := make([]code.Name, len(path))
	var parts []built
	for i, p := range path {
		if p.Expr == nil {
			out[i] = code.Name{Sym: r.sym(p.Name)}
			continue
		}
		x := r.expr(p.Expr, sc)
		parts = append(parts, x)
		out[i] = code.Name{Sym: symbol.Empty, Expr: x.Node, Text: sourceText(p.Expr)}
	}
	return out, parts
}

// sourceText spells the expressions that are commonest in ${…}, for messages.
func sourceText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.Select:
		s := sourceText(e.X)
		for _, p := range e.Path {
			if p.Expr != nil {
				return s + ".…"
			}
			s += "." + p.Name
		}
		return s
	}
	return "…"
}

func (r *resolver) str(e *ast.Str, sc *scope) built {
	text := ""
	if len(e.Parts) == 1 {
		text = e.Parts[0].Text
	}
	if len(e.Parts) == 0 || len(e.Parts) == 1 && e.Parts[0].Expr == nil {
		return built{&code.Const{V: value.NewString(text)}, 1}
	}
	nodes, parts := r.parts(e.Parts, sc)
	return over(&code.Interp{Parts: nodes, At: e.Pos()}, parts...)
}

func (r *resolver) parts(from []ast.Part, sc *scope) ([]code.Part, []built) {
	nodes := make([]code.Part, len(from))
	parts := make([]built, len(from))
	for i, p := range from {
		if p.Expr == nil {
			parts[i] = built{&code.Const{V: value.NewString(p.Text)}, 1}
		} else {
			parts[i] = r.expr(p.Expr, sc)
		}
		nodes[i] = code.Part{X: parts[i].Node, At: p.Pos()}
	}
	return nodes, parts
}

func (r *resolver) path(e *ast.Path, sc *scope) built {
	if len(e.Parts) == 1 && e.Parts[0].Expr == nil {
		return built{&code.Const{V: value.Path(e.Parts[0].Text)}, 1}
	}
	nodes, parts := r.parts(e.Parts[1:], sc)
	return over(&code.Path{Prefix: e.Parts[0].Text, Parts: nodes, At: e.Pos()}, parts...)
}

// searchPath makes __findFile __nixPath "name".
func (r *resolver) searchPath(e *ast.SearchPath, sc *scope) built {
	args := []code.Node{
		r.variable("__nixPath", source.NoPos, sc),
		&code.Const{V: value.NewString(e.Name)},
	}
	fn := r.variable("__findFile", source.NoPos, sc)
	if b := builtinOf(fn); b != nil && b.Arity() == len(args) {
		return built{&code.CallBuiltin{Builtin: b, Args: args, At: e.Pos()}, 1}
	}
	return built{&code.Call{Fn: fn, Args: args, At: e.Pos()}, 2}
}
