package parser

import (
	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// isFormals reports whether the { at c starts the pattern of a function. Two
// more tokens tell.
func (p *parse) isFormals(c *cursor) bool {
	switch c.ahead(1).Type {
	case lexer.Ellipsis:
		return true
	case lexer.BraceClose:
		switch c.ahead(2).Type {
		case lexer.Colon, lexer.At:
			return true
		}
	case lexer.ID:
		switch c.ahead(2).Type {
		case lexer.Comma, lexer.Question, lexer.BraceClose:
			return true
		}
	}
	return false
}

// formalSet parses { a, b ? c, ... }.
func (p *parse) formalSet(c *cursor) (formalSet, error) {
	f := new(theFormals)
	if t := c.Peek(); t.Type != lexer.BraceOpen {
		return nil, p.unexpected(t, "'{'")
	}
	c.Skip()
	for {
		switch t := c.Peek(); t.Type {
		case lexer.BraceClose:
			c.Skip()
			return f, nil
		case lexer.Ellipsis:
			c.Skip()
			f.Ellipsis = true
			if t := c.Peek(); t.Type != lexer.BraceClose {
				return nil, p.unexpected(t, "'}'")
			}
			continue
		case lexer.ID:
			c.Skip()
			formal := ast.Formal{At: p.at(t), Name: t.Value}
			if c.Type() == lexer.Question {
				c.Skip()
				var err error
				if formal.Default, err = p.expr(c); err != nil {
					return nil, err
				}
			}
			f.List = append(f.List, formal)
		default:
			return nil, p.unexpected(t, "identifier", "'...'", "'}'")
		}
		switch t := c.Peek(); t.Type {
		case lexer.Comma:
			c.Skip()
		case lexer.BraceClose:
		default:
			return nil, p.unexpected(t, "'}'", "','")
		}
	}
}

// alias parses the @x that may stand behind formals.
func (p *parse) alias(c *cursor) (alias, error) {
	switch t := c.Peek(); t.Type {
	case lexer.Colon:
		return theAlias(""), nil
	case lexer.At:
		c.Skip()
		t := c.Peek()
		if t.Type != lexer.ID {
			return nil, p.unexpected(t, "identifier")
		}
		c.Skip()
		return theAlias(t.Value), nil
	default:
		return nil, p.unexpected(t, "':'", "'@'")
	}
}

// lambda makes a function with formals after checking that no name comes twice.
func (p *parse) lambda(t lexer.Token, arg string, f *ast.Formals, body ast.Expr) (ast.Expr, error) {
	if i := duplicateFormal(f.List); i >= 0 {
		return nil, p.errorf(f.List[i].Pos(), "duplicate formal function argument '%s'", f.List[i].Name)
	}
	if arg != "" {
		for i := range f.List {
			if f.List[i].Name == arg {
				return nil, p.errorf(p.pos(t), "duplicate formal function argument '%s'", arg)
			}
		}
	}
	l := p.slabs.lambdas.one()
	*l = ast.Lambda{At: p.at(t), Arg: arg, Formals: f, Body: body}
	return l, nil
}

// smallFormals is how many names are compared pairwise; more take a map.
const smallFormals = 16

// duplicateFormal returns the index of the second appearance of the first name
// that appears twice, or -1.
func duplicateFormal(list []ast.Formal) int {
	if len(list) <= smallFormals {
		for i := range list {
			for j := i + 1; j < len(list); j++ {
				if list[i].Name == list[j].Name {
					return j
				}
			}
		}
		return -1
	}
	first := make(map[string]int, len(list))
	best, bestFirst := -1, len(list)
	for j := range list {
		i, ok := first[list[j].Name]
		switch {
		case !ok:
			first[list[j].Name] = j
		case i < bestFirst:
			best, bestFirst = j, i
		}
	}
	return best
}
