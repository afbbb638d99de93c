package parser

import (
	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// literal makes a string without interpolation. Nix knows no place for it.
func (p *parse) literal(t lexer.Token) *ast.Str {
	if t.Value == "" {
		return new(ast.Str)
	}
	s := p.slabs.literals.one()
	s.part[0] = ast.Part{At: p.at(t), Text: t.Value}
	s.Parts = s.part[:]
	return &s.Str
}

// isLiteral reports whether s is a string without interpolation.
func isLiteral(s *ast.Str) bool {
	return len(s.Parts) == 0 || len(s.Parts) == 1 && s.Parts[0].Expr == nil
}

// literalText is what a literal says.
func literalText(s *ast.Str) string {
	if len(s.Parts) == 0 {
		return ""
	}
	return s.Parts[0].Text
}

// text parses a string of either kind of quotes.
func (p *parse) text(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	switch t.Type {
	case lexer.String:
		c.Skip()
		return p.literal(t), nil
	case lexer.Quote:
		return p.interpolated(c)
	case lexer.Indented:
		c.Skip()
		return indentedString(p.at(t), []piece{{Part: ast.Part{At: p.at(t), Text: t.Value}, raw: true}}), nil
	default: // lexer.IndentOpen
		return p.indented(c)
	}
}

// interpolated parses "text${expr}text".
func (p *parse) interpolated(c *cursor) (ast.Expr, error) {
	c.Skip()
	parts, err := p.textAndInner(c)
	if err != nil {
		return nil, err
	}
	if err := p.expect(c, lexer.Unquote); err != nil {
		return nil, err
	}
	s := &ast.Str{Parts: parts}
	if !isLiteral(s) {
		s.At = parts[0].At
	}
	return s, nil
}

// interpolation parses ${ expr }.
func (p *parse) interpolation(c *cursor) (ast.Expr, error) {
	c.Skip()
	x, err := p.expr(c)
	if err != nil {
		return nil, err
	}
	return x, p.expect(c, lexer.BraceClose)
}

// textAndInner parses the pieces and interpolations at c.
func (p *parse) textAndInner(c *cursor) ([]ast.Part, error) {
	base := len(p.parts)
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.Text:
			c.Skip()
			p.parts = append(p.parts, ast.Part{At: p.at(t), Text: t.Value})
		case lexer.DollarCurly:
			x, err := p.interpolation(c)
			if err != nil {
				return nil, err
			}
			p.parts = append(p.parts, ast.Part{At: p.at(t), Expr: x})
		default:
			parts := p.slabs.parts.keep(p.parts[base:])
			p.parts = p.parts[:base]
			return parts, nil
		}
	}
}

// indented parses ”text${expr}text”.
func (p *parse) indented(c *cursor) (ast.Expr, error) {
	open := c.Next()
	base := len(p.pieces)
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.Raw, lexer.Escaped:
			c.Skip()
			p.pieces = append(p.pieces, piece{Part: ast.Part{At: p.at(t), Text: t.Value}, raw: t.Type == lexer.Raw})
		case lexer.DollarCurly:
			x, err := p.interpolation(c)
			if err != nil {
				return nil, err
			}
			p.pieces = append(p.pieces, piece{Part: ast.Part{At: p.at(t), Expr: x}})
		case lexer.IndentClose:
			c.Skip()
			s := indentedString(p.at(open), p.pieces[base:])
			p.pieces = p.pieces[:base]
			return s, nil
		default:
			return nil, p.unexpected(t, "indented string", "'${'", "end of an indented string")
		}
	}
}
