package parser

import (
	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// literal is a string without interpolation. Nix knows no place for it.
func literal(at ast.At, s string) *ast.Str {
	if s == "" {
		return new(ast.Str)
	}
	return &ast.Str{Parts: []ast.Part{{At: at, Text: s}}}
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
		c.Next()
		return literal(p.at(t), t.Value), nil
	case lexer.Quote:
		v, err := produce(p, p.grammar.interpolated, c)
		if err != nil {
			return nil, err
		}
		parts := v.Parts.parts()
		s := &ast.Str{Parts: parts}
		if !isLiteral(s) {
			s.At = parts[0].At
		}
		return s, nil
	case lexer.Indented:
		c.Next()
		return indentedString(p.at(t), []piece{{Part: ast.Part{At: p.at(t), Text: t.Value}, raw: true}}), nil
	default: // lexer.IndentOpen
		v, err := produce(p, p.grammar.indented, c)
		if err != nil {
			return nil, err
		}
		return indentedString(p.at(t), v.Parts.pieces()), nil
	}
}

// textParts parses what is between the quotes of a string.
func (p *parse) textParts(c *cursor) (textParts, error) {
	parts, err := p.parts(c, nil)
	if err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.Unquote {
		return nil, p.unexpected(t, "'\"'")
	}
	return theParts(parts), nil
}

// parts adds the pieces and interpolations at c to parts.
func (p *parse) parts(c *cursor, parts []ast.Part) ([]ast.Part, error) {
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.Text:
			c.Next()
			parts = append(parts, ast.Part{At: p.at(t), Text: t.Value})
		case lexer.DollarCurly:
			v, err := produce(p, p.grammar.interpolation, c)
			if err != nil {
				return nil, err
			}
			parts = append(parts, ast.Part{At: p.at(t), Expr: v.Inner})
		default:
			return parts, nil
		}
	}
}

// rawParts parses what is between the quotes of an indented string.
func (p *parse) rawParts(c *cursor) (rawParts, error) {
	var pieces thePieces
	for {
		t := c.Peek()
		switch t.Type {
		case lexer.Raw, lexer.Escaped:
			c.Next()
			pieces = append(pieces, piece{Part: ast.Part{At: p.at(t), Text: t.Value}, raw: t.Type == lexer.Raw})
		case lexer.DollarCurly:
			v, err := produce(p, p.grammar.interpolation, c)
			if err != nil {
				return nil, err
			}
			pieces = append(pieces, piece{Part: ast.Part{At: p.at(t), Expr: v.Inner}})
		case lexer.IndentClose:
			return pieces, nil
		default:
			return nil, p.unexpected(t, "indented string", "'${'", "end of an indented string")
		}
	}
}
