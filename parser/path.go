package parser

import (
	"path"

	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// path parses a path, with interpolation or without.
func (p *parse) path(c *cursor) (ast.Expr, error) {
	t := c.Next()
	text, err := p.absolute(t)
	if err != nil {
		return nil, err
	}
	first := ast.Part{At: p.at(t), Text: text}
	node := &ast.Path{Parts: p.slabs.parts.keep([]ast.Part{first})}
	if t.Type == lexer.Path || t.Type == lexer.HomePath {
		return node, nil
	}
	node.At = p.at(t)
	v, err := produce(p, &p.grammar.pathTail, c)
	if err != nil {
		return nil, err
	}
	node.Parts = append(node.Parts, v.Parts.parts()...)
	return node, nil
}

// pathParts parses what follows the first piece of a path.
func (p *parse) pathParts(c *cursor) (pathParts, error) {
	if t := c.Peek(); t.Type == lexer.Text {
		// a//b, where Nix wants nothing but an interpolation behind a/
		if next := c.ahead(1); next.Type != lexer.DollarCurly {
			return nil, p.unexpected(next, "'${'")
		}
	}
	parts, err := p.textAndInner(c)
	if err != nil {
		return nil, err
	}
	if t := c.Peek(); t.Type != lexer.PathEnd {
		return nil, p.unexpected(t)
	}
	return theParts(parts), nil
}

// absolute returns the canonical absolute path of a literal. A slash at its end
// stays, for what follows it.
func (p *parse) absolute(t lexer.Token) (string, error) {
	literal := t.Value
	kind := ShortPath
	switch literal[0] {
	case '/':
		kind = AbsolutePath
	case '~':
		kind = HomePath
	}
	if kind != ShortPath || literal[0] != '.' {
		if err := p.lint(kind, t); err != nil {
			return "", err
		}
	}
	var abs string
	switch kind {
	case HomePath:
		if p.opt.Home == "" {
			return "", p.errorf(p.pos(t), "the path '%s' can not be resolved because the home directory is not known", literal)
		}
		abs = path.Clean(p.opt.Home + literal[1:])
	case AbsolutePath:
		abs = path.Clean(literal)
	default:
		abs = path.Join("/", p.opt.Base, literal)
	}
	if len(literal) > 1 && literal[len(literal)-1] == '/' {
		abs += "/"
	}
	return abs, nil
}
