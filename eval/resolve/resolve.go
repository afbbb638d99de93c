// Package resolve turns a syntax tree into a program: every name becomes a
// frame depth and a slot, so that evaluation never looks up a name.
//
// Scopes and frames correspond one to one. A let, a rec set, a function and a
// with make a frame each; a function of several arguments, a: b: …, makes one
// for all of them. The sources of inherit (e) … live in unnamed slots of the
// frame around them.
//
// A name is looked for in the lexical scopes from the inside out, then among
// the globals; only a name that none of them has comes from the with
// expressions around it, innermost first. So a lexical binding wins over with,
// whatever their distance. A name that nothing can provide is an error here,
// before anything is evaluated, as in Nix.
//
// Operators that the language defines as calls of builtins (a - b, a < b, -a,
// <path>) are calls of whatever those builtins' names stand for in the scope;
// where that is the builtin, a specialised node is made.
package resolve

import (
	"gonix/eval/code"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/ast"
	"gonix/parser/printer"
	"gonix/parser/source"
)

// Env is what a program finds around it.
type Env struct {
	Symbols *symbol.Table
	// Globals are the outermost variables.
	Globals map[string]value.Value
	// Scope names the slots of the frame in which the program will be
	// evaluated, between the globals and the program's own scopes; nil if there
	// is no such frame (Nix: scopedImport).
	Scope []symbol.Symbol
	// Count is increased by the number of expressions, if it is not nil.
	Count *uint64
}

// File resolves a whole text. The error is a *value.Error of kind UndefinedVar.
func File(f *ast.File, env Env) (code.Node, error) { return Expr(f.Body, env) }

// Expr resolves an expression.
func Expr(e ast.Expr, env Env) (code.Node, error) {
	r := &resolver{env: env}
	var sc *scope
	if env.Scope != nil {
		sc = newScope(nil, env.Scope)
	}
	n := r.root(e, sc)
	if env.Count != nil {
		*env.Count += r.count
	}
	if r.err != nil {
		return nil, r.err
	}
	return n, nil
}

// resolver carries the first error; after that what it builds is not used.
type resolver struct {
	env         Env
	err         error
	count       uint64 // of expressions
	inCondition bool   // of an assert
}

func (r *resolver) sym(name string) symbol.Symbol { return r.env.Symbols.Intern(name) }

// built is a node with the number of nodes that evaluate each other below it.
type built struct {
	code.Node
	height int
}

// root resolves an expression that is evaluated on its own: a body, an
// argument, the value of an attribute.
func (r *resolver) root(e ast.Expr, sc *scope) code.Node { return r.expr(e, sc).Node }

// named is root for the value of a binding: functions take its name.
func (r *resolver) named(e ast.Expr, sc *scope, name string) code.Node {
	if l, ok := e.(*ast.Lambda); ok {
		return r.lambda(l, sc, name)
	}
	return r.root(e, sc)
}

// over returns n, which evaluates parts, counting depth where there is much.
func over(n code.Node, parts ...built) built {
	h := 0
	for _, p := range parts {
		h = max(h, p.height)
	}
	h++
	if h >= code.DeepEvery {
		return built{&code.Deep{X: n, Levels: h}, 1}
	}
	return built{n, h}
}

// assert spells the condition at once: to do so when it fails would keep the
// tree of every file. Only within another condition is it left for then, or
// nested ones would take quadratic room.
func (r *resolver) assert(e *ast.Assert, sc *scope) built {
	text := func() string { return printer.Expr(e.Cond) }
	within := r.inCondition
	if !within {
		spelt := text()
		text = func() string { return spelt }
	}
	r.inCondition = true
	c := r.expr(e.Cond, sc)
	r.inCondition = within
	b := r.expr(e.Body, sc)
	return over(&code.Assert{Cond: c.Node, Body: b.Node, Text: text, At: e.Pos()}, c, b)
}

func (r *resolver) expr(e ast.Expr, sc *scope) built {
	r.count++
	switch e := e.(type) {
	case *ast.Int:
		return built{&code.Const{V: value.Int(e.Value)}, 1}
	case *ast.Float:
		return built{&code.Const{V: value.Float(e.Value)}, 1}
	case *ast.Str:
		return r.str(e, sc)
	case *ast.Path:
		return r.path(e, sc)
	case *ast.SearchPath:
		return r.searchPath(e, sc)
	case *ast.Ident:
		return built{r.variable(e.Name, e.Pos(), sc), 1}
	case *ast.CurPos:
		return built{&code.Here{At: e.Pos()}, 1}
	case *ast.List:
		return built{r.list(e, sc), 1}
	case *ast.Attrs:
		return built{r.attrs(e, sc), 1}
	case *ast.Let:
		return r.let(e, sc)
	case *ast.Lambda:
		return built{r.lambda(e, sc, ""), 1}
	case *ast.Apply:
		return r.apply(e, sc)
	case *ast.Select:
		return r.selection(e, sc)
	case *ast.HasAttr:
		x := r.expr(e.X, sc)
		path, parts := r.attrPath(e.Path, sc)
		return over(&code.Has{X: x.Node, Path: path}, append(parts, x)...)
	case *ast.If:
		c, t, f := r.expr(e.Cond, sc), r.expr(e.Then, sc), r.expr(e.Else, sc)
		return over(&code.If{Cond: c.Node, Then: t.Node, Else: f.Node, At: e.Pos()}, c, t, f)
	case *ast.Assert:
		return r.assert(e, sc)
	case *ast.With:
		scope := r.root(e.Scope, sc)
		body := r.expr(e.Body, newWith(sc, e.Pos()))
		return over(&code.With{Scope: scope, Body: body.Node, At: e.Pos()}, body)
	case *ast.Unary:
		return r.unary(e, sc)
	case *ast.Binary:
		return r.binary(e, sc)
	}
	panic("resolve: no such type of expression")
}

// variable finds what a name stands for.
func (r *resolver) variable(name string, at source.Pos, sc *scope) code.Node {
	sym := r.sym(name)
	depth := 0
	for s := sc; s != nil; s = s.up {
		if slot := s.slot(sym); slot >= 0 {
			return local(depth, slot, at)
		}
		depth++
	}
	if v, ok := r.env.Globals[name]; ok {
		return global(v, name, at)
	}
	withs := sc.withs()
	if len(withs) == 0 {
		if r.err == nil {
			r.err = &value.Error{Kind: value.UndefinedVar, Msg: "undefined variable '" + name + "'", Pos: at}
		}
		return &code.Const{V: value.Null{}}
	}
	return &code.FromWith{Name: sym, Withs: withs, At: at}
}

func local(depth, slot int, at source.Pos) code.Node {
	switch depth {
	case 0:
		return &code.Local{Slot: slot, At: at}
	case 1:
		return &code.Up{Slot: slot, At: at}
	}
	return &code.Far{Depth: depth, Slot: slot, At: at}
}

func global(v value.Value, name string, at source.Pos) code.Node {
	if _, lazy := v.(*value.Thunk); lazy {
		return &code.Global{V: v, Name: name, At: at}
	}
	return &code.Const{V: v, At: at}
}
