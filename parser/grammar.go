package parser

import (
	"github.com/alecthomas/participle/v2"
	plex "github.com/alecthomas/participle/v2/lexer"

	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// The compound forms of the language, each a straight line of tokens and other
// forms; there is no choice and no repetition in them. What a field's type
// stands for is chosen by the hook of that type (see newGrammar), by looking at
// the tokens ahead.
//
// Participle takes a microsecond for one of them, several times as long as code
// does. So the forms that stand in every line of a text are code, behind the
// choice that finds them:
//
//	x: body                                  simpleLambda
//	( expr )                                 simple
//	[ elements ]                             list
//	rec { bindings }                         recSet
//	"text${expr}text"  ''text${expr}text''   interpolated, indented
//	inherit a b;  inherit (expr) a b;        inherit
//	x.a.b or y                               selection
type (
	// x@{ formals }: body
	namedLambda struct {
		Arg     string    `parser:"@ID AT"`
		Formals formalSet `parser:"@@"`
		Body    function  `parser:"COLON @@"`
	}
	// { formals }: body and { formals }@x: body
	formalsLambda struct {
		Formals formalSet `parser:"@@"`
		Alias   alias     `parser:"@@"`
		Body    function  `parser:"COLON @@"`
	}
	// assert cond; body
	assertion struct {
		Cond ast.Expr `parser:"ASSERT @@"`
		Body function `parser:"SEMICOLON @@"`
	}
	// with scope; body
	with struct {
		Scope ast.Expr `parser:"WITH @@"`
		Body  function `parser:"SEMICOLON @@"`
	}
	// let bindings in body
	letIn struct {
		Bindings letBindings `parser:"LET @@"`
		Body     function    `parser:"IN @@"`
	}
	// if cond then a else b
	conditional struct {
		Cond ast.Expr `parser:"IF @@"`
		Then ast.Expr `parser:"THEN @@"`
		Else ast.Expr `parser:"ELSE @@"`
	}
	// let { bindings }
	letSet struct {
		Bindings recBindings `parser:"LET BRACE_OPEN @@ BRACE_CLOSE"`
	}
	// text/${expr}/text, behind its first piece
	pathTail struct {
		Parts pathParts `parser:"@@ PATH_END"`
	}
)

// The choices and repetitions, each a type with a hook of its own. [ast.Expr]
// is the choice of any expression.
type (
	function    interface{ ast.Expr } // an expression behind x:, with e;, in …
	letBindings interface{ ast.Expr } // *ast.Attrs, up to in
	recBindings interface{ ast.Expr } // *ast.Attrs, up to }
	formalSet   interface{ formals() *ast.Formals }
	alias       interface{ name() string }
	pathParts   interface{ parts() []ast.Part }
)

// What the hooks return.
type (
	theFormals ast.Formals
	theAlias   string
	theParts   []ast.Part
)

func (f *theFormals) formals() *ast.Formals { return (*ast.Formals)(f) }
func (a theAlias) name() string             { return string(a) }
func (p theParts) parts() []ast.Part        { return p }

// productions has what participle needs to parse each production.
type productions struct {
	options []participle.Option // the lexer and the hooks

	namedLambda   production[namedLambda]
	formalsLambda production[formalsLambda]
	assertion     production[assertion]
	with          production[with]
	letIn         production[letIn]
	conditional   production[conditional]
	letSet        production[letSet]
	pathTail      production[pathTail]
}

// production is participle's parser for one production. It is built when it is
// first asked for: that takes as long as parsing a small file.
type production[P any] struct{ parser *participle.Parser[P] }

// newGrammar returns productions with the hooks of p.
func newGrammar(p *parse) productions {
	return productions{options: []participle.Option{
		participle.Lexer(lexer.Definition{}),
		participle.ParseTypeWith[ast.Expr](p.expr),
		participle.ParseTypeWith(func(c *cursor) (function, error) { return p.expr(c) }),
		participle.ParseTypeWith(func(c *cursor) (letBindings, error) { return p.letBindings(c) }),
		participle.ParseTypeWith(func(c *cursor) (recBindings, error) { return p.recBindings(c) }),
		participle.ParseTypeWith(p.formalSet),
		participle.ParseTypeWith(p.alias),
		participle.ParseTypeWith(p.pathParts),
	}}
}

// produce parses one production at c.
func produce[P any](p *parse, g *production[P], c *cursor) (*P, error) {
	if g.parser == nil {
		g.parser = participle.MustBuild[P](p.grammar.options...)
	}
	v, err := g.parser.ParseFromLexer(c, p.trailing...)
	if err != nil {
		return nil, p.fail(c, err)
	}
	return v, nil
}

// cursor is a place among the tokens, which every hook gets and moves on.
type cursor = plex.PeekingLexer
