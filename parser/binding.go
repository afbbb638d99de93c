package parser

import (
	"slices"

	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// set parses { bindings }.
func (p *parse) set(c *cursor) (ast.Expr, error) {
	set := &ast.Attrs{At: p.at(c.Next())}
	if err := p.bindings(c, set); err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.BraceClose {
		return nil, p.unexpected(t, "'inherit'") // nothing else, says Nix
	}
	c.Next()
	return set, nil
}

// letBindings parses the bindings of a let.
func (p *parse) letBindings(c *cursor) (ast.Expr, error) {
	set := new(ast.Attrs)
	if err := p.bindings(c, set); err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.In {
		return nil, p.unexpected(t, "'in'", "'inherit'")
	}
	return set, nil
}

// recBindings parses the bindings of a recursive set.
func (p *parse) recBindings(c *cursor) (ast.Expr, error) {
	set := new(ast.Attrs)
	if err := p.bindings(c, set); err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.BraceClose {
		return nil, p.unexpected(t, "'inherit'", "'}'")
	}
	return set, nil
}

// bindings parses bindings into set as far as they go.
func (p *parse) bindings(c *cursor, set *ast.Attrs) error {
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.ID, lexer.OrKeyword, lexer.String, lexer.Quote, lexer.DollarCurly:
			if err := p.binding(c, set); err != nil {
				return err
			}
		case lexer.Inherit:
			if err := p.inherit(c, set); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// binding parses a.b = expr;
func (p *parse) binding(c *cursor, set *ast.Attrs) error {
	t := c.Peek()
	// The path is not kept, so it lies on a stack; it stays what it is when
	// the value's bindings put theirs behind it.
	base := len(p.names)
	defer func() { p.names = p.names[:base] }()
	if err := p.pushAttrPath(c); err != nil {
		return err
	}
	path := p.names[base:]
	if t := c.Peek(); t.Type != lexer.Equals {
		return p.unexpected(t, "'.'", "'='")
	}
	c.Next()
	outer := p.peak
	p.peak = p.depth
	value, err := p.expr(c)
	if err != nil {
		return err
	}
	if err := p.deepen(t, len(path)-1); err != nil {
		return err
	}
	p.peak = max(p.peak, outer)
	if t := c.Peek(); t.Type != lexer.Semicolon {
		return p.unexpected(t, "';'")
	}
	c.Next()
	return p.bind(set, path, value)
}

// inherit parses inherit a b; and inherit (e) a b;
func (p *parse) inherit(c *cursor, set *ast.Attrs) error {
	if p.peek(c, 1).Type == lexer.ParenOpen {
		v, err := produce(p, p.grammar.inheritFrom, c)
		if err != nil {
			return err
		}
		set.From = append(set.From, v.From)
		for _, n := range v.Names.names() {
			b := ast.Binding{At: n.At, Name: n.Name, Kind: ast.InheritFrom, From: len(set.From) - 1}
			if err := p.inheritName(set, b); err != nil {
				return err
			}
		}
		return nil
	}
	v, err := produce(p, p.grammar.inherit, c)
	if err != nil {
		return err
	}
	for _, n := range v.Names.names() {
		b := ast.Binding{At: n.At, Name: n.Name, Kind: ast.Inherit, Value: &ast.Ident{At: n.At, Name: n.Name}}
		if err := p.inheritName(set, b); err != nil {
			return err
		}
	}
	return nil
}

// inheritNames parses the names of an inherit.
func (p *parse) inheritNames(c *cursor) (inheritNames, error) {
	var names theNames
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.ID, lexer.OrKeyword, lexer.String:
			c.Next()
			names = append(names, ast.AttrName{At: p.at(t), Name: t.Value})
		case lexer.Quote, lexer.DollarCurly:
			n, err := p.attrName(c)
			if err != nil {
				return nil, err
			}
			if n.Expr != nil {
				return nil, p.errorf(n.Pos(), "dynamic attributes not allowed in inherit")
			}
			names = append(names, n)
		case lexer.Semicolon:
			return names, nil
		default:
			return nil, p.unexpected(t)
		}
	}
}

// attrPath parses a.b.c.
func (p *parse) attrPath(c *cursor) ([]ast.AttrName, error) {
	base := len(p.names)
	if err := p.pushAttrPath(c); err != nil {
		return nil, err
	}
	path := slices.Clone(p.names[base:])
	p.names = p.names[:base]
	return path, nil
}

// pushAttrPath parses a.b.c and puts it on the stack of names.
func (p *parse) pushAttrPath(c *cursor) error {
	for {
		n, err := p.attrName(c)
		if err != nil {
			return err
		}
		p.names = append(p.names, n)
		if c.Peek().Type != lexer.Dot {
			return nil
		}
		c.Next()
	}
}

// attrName parses one name of an attribute path.
func (p *parse) attrName(c *cursor) (ast.AttrName, error) {
	t := c.Peek()
	n := ast.AttrName{At: p.at(t)}
	switch t.Type {
	case lexer.ID, lexer.OrKeyword, lexer.String:
		c.Next()
		n.Name = t.Value
		return n, nil
	case lexer.Quote:
		e, err := p.text(c)
		n.Expr = e
		return n, err
	case lexer.DollarCurly:
		v, err := produce(p, p.grammar.interpolation, c)
		if err != nil {
			return n, err
		}
		if s, ok := v.Inner.(*ast.Str); ok && isLiteral(s) {
			n.Name = literalText(s)
			return n, nil
		}
		n.Expr = v.Inner
		return n, nil
	}
	return n, p.unexpected(t, "identifier", "'or'", "'${'", "'\"'")
}
