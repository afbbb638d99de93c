package parser

import (
	"strconv"

	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// expr parses any expression.
func (p *parse) expr(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	defer p.leave()
	switch t.Type {
	case lexer.ID:
		switch c.ahead(1).Type {
		case lexer.Colon:
			return p.simpleLambda(c)
		case lexer.At:
			v, err := produce(p, &p.grammar.namedLambda, c)
			if err != nil {
				return nil, err
			}
			return p.lambda(t, v.Arg, v.Formals.formals(), v.Body)
		}
	case lexer.BraceOpen:
		if p.isFormals(c) {
			v, err := produce(p, &p.grammar.formalsLambda, c)
			if err != nil {
				return nil, err
			}
			return p.lambda(t, v.Alias.name(), v.Formals.formals(), v.Body)
		}
	case lexer.Assert:
		v, err := produce(p, &p.grammar.assertion, c)
		if err != nil {
			return nil, err
		}
		return &ast.Assert{At: p.at(t), Cond: v.Cond, Body: v.Body}, nil
	case lexer.With:
		v, err := produce(p, &p.grammar.with, c)
		if err != nil {
			return nil, err
		}
		return &ast.With{At: p.at(t), Scope: v.Scope, Body: v.Body}, nil
	case lexer.Let:
		if c.ahead(1).Type != lexer.BraceOpen {
			return p.let(c)
		}
	case lexer.If:
		v, err := produce(p, &p.grammar.conditional, c)
		if err != nil {
			return nil, err
		}
		return &ast.If{At: p.at(t), Cond: v.Cond, Then: v.Then, Else: v.Else}, nil
	}
	return p.pipes(c)
}

// simpleLambda parses x: body.
func (p *parse) simpleLambda(c *cursor) (ast.Expr, error) {
	t := c.Next()
	c.Skip()
	body, err := p.expr(c)
	if err != nil {
		return nil, err
	}
	l := p.slabs.lambdas.one()
	*l = ast.Lambda{At: p.at(t), Arg: t.Value, Body: body}
	return l, nil
}

// let parses let … in ….
func (p *parse) let(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	v, err := produce(p, &p.grammar.letIn, c)
	if err != nil {
		return nil, err
	}
	bindings := v.Bindings.(*ast.Attrs).Bindings
	if len(bindings.Dynamic) > 0 {
		return nil, p.errorf(p.pos(t), "dynamic attributes not allowed in let")
	}
	return &ast.Let{At: p.at(t), Bindings: bindings, Body: v.Body}, nil
}

// startsOperand reports whether an argument can start with t.
func startsOperand(t lexer.Type) bool {
	switch t {
	case lexer.ID, lexer.Int, lexer.Float, lexer.String, lexer.Quote, lexer.Indented, lexer.IndentOpen,
		lexer.Path, lexer.PathOpen, lexer.HomePath, lexer.HomeOpen, lexer.SearchPath, lexer.URI,
		lexer.ParenOpen, lexer.BraceOpen, lexer.ListOpen, lexer.Let, lexer.Rec:
		return true
	}
	return false
}

// application parses f x y.
func (p *parse) application(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	fn, err := p.selection(c, false)
	if err != nil || !startsOperand(c.Type()) {
		return fn, err
	}
	args, err := p.operands(c)
	if err != nil {
		return nil, err
	}
	if call, ok := fn.(*ast.Apply); ok {
		call.Args = append(call.Args, args...)
		return call, nil
	}
	call := p.slabs.applies.one()
	*call = ast.Apply{At: p.at(t), Fn: fn, Args: args}
	return call, nil
}

// selection parses x, x.a.b, x.a.b or y; tight says that it is not the function
// of a call.
func (p *parse) selection(c *cursor, tight bool) (ast.Expr, error) {
	t := c.Peek()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	x, err := p.simple(c)
	if err != nil {
		return nil, err
	}
	switch c.Type() {
	case lexer.Dot:
		c.Skip()
		path, err := p.attrPath(c)
		if err != nil {
			return nil, err
		}
		s := p.slabs.selects.one()
		*s = ast.Select{At: p.at(t), X: x, Path: path}
		if c.Type() == lexer.OrKeyword {
			c.Skip()
			if s.Default, err = p.selection(c, true); err != nil {
				return nil, err
			}
		}
		p.leave()
		return s, nil
	case lexer.OrKeyword:
		// The word was a function's name before it was an operator, so
		// map or xs still means that.
		or := c.Next()
		if tight {
			text := p.source.Text[t.Offset : int(or.Offset)+len("or")]
			if err := p.lintText(OrVariable, text, t); err != nil {
				return nil, err
			}
		}
		call := p.slabs.applies.one()
		*call = ast.Apply{At: p.at(t), Fn: x, Args: []ast.Expr{p.ident(t, "or")}}
		p.leave()
		return call, nil
	}
	p.leave()
	return x, nil
}

// ident makes a variable.
func (p *parse) ident(t lexer.Token, name string) *ast.Ident {
	x := p.slabs.idents.one()
	*x = ast.Ident{At: p.at(t), Name: name}
	return x
}

// simple parses what binds tightest.
func (p *parse) simple(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	switch t.Type {
	case lexer.ID:
		c.Skip()
		if t.Value == "__curPos" {
			return &ast.CurPos{At: p.at(t)}, nil
		}
		return p.ident(t, t.Value), nil
	case lexer.Int:
		c.Skip()
		n, _ := strconv.ParseInt(t.Value, 10, 64) // the lexer has checked it
		return &ast.Int{Value: n}, nil
	case lexer.Float:
		c.Skip()
		f, _ := strconv.ParseFloat(t.Value, 64) // the lexer has checked it
		return &ast.Float{Value: f}, nil
	case lexer.String, lexer.Quote, lexer.Indented, lexer.IndentOpen:
		return p.text(c)
	case lexer.URI:
		c.Skip()
		if err := p.lint(URL, t); err != nil {
			return nil, err
		}
		return p.literal(t), nil
	case lexer.Path, lexer.PathOpen, lexer.HomePath, lexer.HomeOpen:
		return p.path(c)
	case lexer.SearchPath:
		c.Skip()
		return &ast.SearchPath{At: p.at(t), Name: t.Value}, nil
	case lexer.ParenOpen:
		c.Skip()
		x, err := p.expr(c)
		if err != nil {
			return nil, err
		}
		return x, p.expect(c, lexer.ParenClose)
	case lexer.ListOpen:
		return p.list(c)
	case lexer.BraceOpen:
		return p.set(c)
	case lexer.Rec:
		return p.recSet(c)
	case lexer.Let:
		v, err := produce(p, &p.grammar.letSet, c)
		if err != nil {
			return nil, err
		}
		set := v.Bindings.(*ast.Attrs)
		set.At, set.Recursive = p.at(t), true
		return &ast.Select{X: set, Path: []ast.AttrName{{At: p.at(t), Name: "body"}}}, nil
	}
	return nil, p.unexpected(t)
}

// list parses [ a b c ].
func (p *parse) list(c *cursor) (ast.Expr, error) {
	c.Skip()
	elems, err := p.operands(c)
	if err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.ListClose {
		return nil, p.unexpected(t)
	}
	c.Skip()
	l := p.slabs.lists.one()
	l.Elems = elems
	if len(elems) > 0 {
		l.At = ast.At(elems[0].Pos())
	}
	return l, nil
}

// operands parses the elements of a list or the arguments of a function.
func (p *parse) operands(c *cursor) ([]ast.Expr, error) {
	base := len(p.elems)
	for startsOperand(c.Type()) {
		e, err := p.selection(c, true)
		if err != nil {
			return nil, err
		}
		p.elems = append(p.elems, e)
	}
	list := p.slabs.exprs.keep(p.elems[base:])
	p.elems = p.elems[:base]
	return list, nil
}
