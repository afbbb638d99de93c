package parser

import (
	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// set parses { bindings }.
func (p *parse) set(c *cursor) (ast.Expr, error) {
	set := p.slabs.sets.one()
	set.At = p.at(c.Next())
	if err := p.bindings(c, set); err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.BraceClose {
		return nil, p.unexpected(t, "'inherit'") // nothing else, says Nix
	}
	c.Skip()
	return set, nil
}

// letBindings parses the bindings of a let.
func (p *parse) letBindings(c *cursor) (ast.Expr, error) {
	set := p.slabs.sets.one()
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
	set := p.slabs.sets.one()
	if err := p.bindings(c, set); err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.BraceClose {
		return nil, p.unexpected(t, "'inherit'", "'}'")
	}
	return set, nil
}

// recSet parses rec { bindings }.
func (p *parse) recSet(c *cursor) (ast.Expr, error) {
	t := c.Next()
	if err := p.expect(c, lexer.BraceOpen); err != nil {
		return nil, err
	}
	e, err := p.recBindings(c)
	if err != nil {
		return nil, err
	}
	c.Skip()
	set := e.(*ast.Attrs)
	set.At, set.Recursive = p.at(t), true
	return set, nil
}

// bindings parses bindings into set as far as they go. While they grow they lie in
// a list that the next set uses again.
func (p *parse) bindings(c *cursor, set *ast.Attrs) error {
	if n := len(p.growing); n > 0 {
		set.Static = p.growing[n-1]
		p.growing = p.growing[:n-1]
	}
	if err := p.bindingsInto(c, set); err != nil {
		return err
	}
	grown := set.Static
	set.Static = p.slabs.bindings.keep(grown)
	clear(grown)
	p.growing = append(p.growing, grown[:0])
	return nil
}

func (p *parse) bindingsInto(c *cursor, set *ast.Attrs) error {
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
	if err := p.pushAttrPath(c); err != nil {
		return err
	}
	path := p.names[base:]
	if t := c.Peek(); t.Type != lexer.Equals {
		return p.unexpected(t, "'.'", "'='")
	}
	c.Skip()
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
	if t := c.Peek(); t.Type == lexer.Semicolon {
		c.Skip()
	} else if !p.open || t.Type != lexer.EOF {
		return p.unexpected(t, "';'")
	}
	if err := p.bind(set, path, value); err != nil {
		return err
	}
	p.names = p.names[:base]
	return nil
}

// inherit parses inherit a b; and inherit (e) a b;
func (p *parse) inherit(c *cursor, set *ast.Attrs) error {
	c.Skip()
	var from ast.Expr
	if c.Type() == lexer.ParenOpen {
		c.Skip()
		var err error
		if from, err = p.expr(c); err != nil {
			return err
		}
		if err := p.expect(c, lexer.ParenClose); err != nil {
			return err
		}
	}
	base := len(p.names)
	if err := p.inheritNames(c); err != nil {
		return err
	}
	if from != nil {
		set.From = append(set.From, from)
	}
	for _, n := range p.names[base:] {
		b := ast.Binding{At: n.At, Name: n.Name}
		if from != nil {
			b.Kind, b.From = ast.InheritFrom, len(set.From)-1
		} else {
			x := p.slabs.idents.one()
			*x = ast.Ident{At: n.At, Name: n.Name}
			b.Kind, b.Value = ast.Inherit, x
		}
		if err := p.inheritName(set, b); err != nil {
			return err
		}
	}
	p.names = p.names[:base]
	return nil
}

// inheritNames parses the names of an inherit and its semicolon, and puts the
// names on their stack.
func (p *parse) inheritNames(c *cursor) error {
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.ID, lexer.OrKeyword, lexer.String:
			c.Skip()
			p.names = append(p.names, ast.AttrName{At: p.at(t), Name: t.Value})
		case lexer.Quote, lexer.DollarCurly:
			n, err := p.attrName(c)
			if err != nil {
				return err
			}
			if n.Expr != nil {
				return p.errorf(n.Pos(), "dynamic attributes not allowed in inherit")
			}
			p.names = append(p.names, n)
		case lexer.Semicolon:
			c.Skip()
			return nil
		default:
			if p.open && t.Type == lexer.EOF {
				return nil
			}
			return p.unexpected(t)
		}
	}
}

// attrPath parses a.b.c.
func (p *parse) attrPath(c *cursor) ([]ast.AttrName, error) {
	base := len(p.names)
	if err := p.pushAttrPath(c); err != nil {
		return nil, err
	}
	path := p.slabs.names.keep(p.names[base:])
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
		if c.Type() != lexer.Dot {
			return nil
		}
		c.Skip()
	}
}

// attrName parses one name of an attribute path.
func (p *parse) attrName(c *cursor) (ast.AttrName, error) {
	t := c.Peek()
	n := ast.AttrName{At: p.at(t)}
	switch t.Type {
	case lexer.ID, lexer.OrKeyword, lexer.String:
		c.Skip()
		n.Name = t.Value
		return n, nil
	case lexer.Quote:
		e, err := p.text(c)
		n.Expr = e
		return n, err
	case lexer.DollarCurly:
		x, err := p.interpolation(c)
		if err != nil {
			return n, err
		}
		if s, ok := x.(*ast.Str); ok && isLiteral(s) {
			n.Name = literalText(s)
			return n, nil
		}
		n.Expr = x
		return n, nil
	}
	return n, p.unexpected(t, "identifier", "'or'", "'${'", "'\"'")
}
