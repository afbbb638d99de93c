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
		hook(p, p.expr),
		hook(p, func(c *cursor) (function, error) { return p.expr(c) }),
		hook(p, func(c *cursor) (letBindings, error) { return p.letBindings(c) }),
		hook(p, func(c *cursor) (recBindings, error) { return p.recBindings(c) }),
		hook(p, p.formalSet),
		hook(p, p.alias),
		hook(p, p.pathParts),
	}}
}

// hook makes fn the parser of all fields of type T. It finds the cursor where
// participle has got to, and participle goes on where fn has left it.
func hook[T any](p *parse, fn func(*cursor) (T, error)) participle.Option {
	return participle.ParseTypeWith(func(l *plex.PeekingLexer) (T, error) {
		i := int(l.RawCursor())
		p.window.follow(&p.cursor, i)
		v, err := fn(&p.cursor)
		p.window.show(&p.cursor, i)
		return v, err
	})
}

// produce parses one production at c.
func produce[P any](p *parse, g *production[P], c *cursor) (*P, error) {
	if g.parser == nil {
		g.parser = participle.MustBuild[P](p.grammar.options...)
	}
	p.window.lexer.LoadCheckpoint(plex.Checkpoint{})
	p.window.show(c, 0)
	v, err := g.parser.ParseFromLexer(p.window.lexer, p.trailing...)
	if err != nil {
		return nil, p.fail(c, err)
	}
	p.window.follow(c, int(p.window.lexer.RawCursor()))
	return v, nil
}
