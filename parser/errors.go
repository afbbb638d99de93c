package parser

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2"

	"gonix/parser/ast"
	"gonix/parser/lexer"
	"gonix/parser/source"
)

// pos is the place of a token.
func (p *parse) pos(t lexer.Token) source.Pos { return p.source.Pos(int(t.Offset)) }

// at is the place of a token, for a node.
func (p *parse) at(t lexer.Token) ast.At { return ast.At(p.pos(t)) }

// errorf records the first error and returns it.
func (p *parse) errorf(pos source.Pos, format string, args ...any) error {
	if p.err == nil {
		p.err = &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
	}
	return p.err
}

// lint asks about a literal.
func (p *parse) lint(form Form, t lexer.Token) error { return p.lintText(form, t.Value, t) }

// lintText asks about what is written as text and starts with t.
func (p *parse) lintText(form Form, text string, t lexer.Token) error {
	if p.opt.Lint == nil {
		return nil
	}
	if err := p.opt.Lint(form, text, p.pos(t)); err != nil {
		return p.errorf(p.pos(t), "%v", err)
	}
	return nil
}

// expect moves on behind the token at c, which must be of type t.
func (p *parse) expect(c *cursor, t lexer.Type) error {
	if next := c.Peek(); next.Type != t {
		return p.unexpected(next, lexer.Describe(t))
	}
	c.Skip()
	return nil
}

// noPipes is the error that the pipe t is an experiment.
func (p *parse) noPipes(t lexer.Token) error {
	return p.errorf(p.pos(t), "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it")
}

const syntaxError = "syntax error, unexpected "

// unexpected is the error that t is not what could stand there. Like Nix it
// names what could if that is at most four things, else nothing.
func (p *parse) unexpected(t lexer.Token, expected ...string) error {
	if t.Type == lexer.Error {
		return p.errorf(p.pos(t), "%s", t.Value)
	}
	if p.opt.NoPipes && (t.Type == lexer.PipeFrom || t.Type == lexer.PipeInto) {
		return p.noPipes(t)
	}
	msg := syntaxError + lexer.Describe(t.Type)
	if len(expected) > 0 {
		msg += ", expecting " + strings.Join(expected, " or ")
	}
	return p.errorf(p.pos(t), "%s", msg)
}

// fail turns an error of participle's into ours: the production got the token at
// c instead of the one it expects.
func (p *parse) fail(c *cursor, err error) error {
	if p.err != nil {
		return p.err
	}
	var u *participle.UnexpectedTokenError
	if !errors.As(err, &u) {
		return p.errorf(p.pos(c.Peek()), "%s", err.Error())
	}
	got := lexer.Token{Type: lexer.Type(u.Unexpected.Type), Value: u.Unexpected.Value, Offset: uint32(u.Unexpected.Pos.Offset)}
	// The only way to learn what was expected is its text, "… (expected <then> …)".
	_, after, _ := strings.Cut(u.Message(), "(expected <")
	symbol, _, _ := strings.Cut(after, ">")
	if t, ok := lexer.BySymbol(symbol); ok {
		return p.unexpected(got, lexer.Describe(t))
	}
	return p.unexpected(got)
}

// The limits of nesting. Go cannot recover from a stack that is too deep, so
// what walks the tree relies on them.
const (
	maxDepth = 10_000 // of hooks within hooks; a pair of parentheses takes two
	maxChain = 50_000 // of nodes below nodes, in chains such as a + b + c too
)

// enter is called by every hook that can come to itself again; leave undoes it.
func (p *parse) enter(t lexer.Token) error {
	p.depth++
	if p.depth > maxDepth {
		return p.errorf(p.pos(t), "expression is nested too deeply")
	}
	if p.depth > p.peak {
		p.peak = p.depth
	}
	return nil
}

// leave undoes enter.
func (p *parse) leave() { p.depth-- }

// deepen says that the nodes below the one under way moved down by n.
func (p *parse) deepen(t lexer.Token, n int) error {
	p.peak += n
	if p.peak > maxChain {
		return p.errorf(p.pos(t), "expression is nested too deeply")
	}
	return nil
}
