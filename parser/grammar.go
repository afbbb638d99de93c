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
type (
	// x: body
	simpleLambda struct {
		Arg  string   `parser:"@ID COLON"`
		Body function `parser:"@@"`
	}
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
	// rec { bindings }
	recSet struct {
		Bindings recBindings `parser:"REC BRACE_OPEN @@ BRACE_CLOSE"`
	}
	// ( expr )
	parens struct {
		Inner ast.Expr `parser:"PAREN_OPEN @@ PAREN_CLOSE"`
	}
	// [ elements ]
	list struct {
		Elems elements `parser:"LIST_OPEN @@ LIST_CLOSE"`
	}
	// "text${expr}text"
	interpolated struct {
		Parts textParts `parser:"QUOTE @@ UNQUOTE"`
	}
	// ''text${expr}text''
	indented struct {
		Parts rawParts `parser:"INDENT_OPEN @@ INDENT_CLOSE"`
	}
	// ${ expr }
	interpolation struct {
		Inner ast.Expr `parser:"DOLLAR_CURLY @@ BRACE_CLOSE"`
	}
	// text/${expr}/text, behind its first piece
	pathTail struct {
		Parts pathParts `parser:"@@ PATH_END"`
	}
	// or expr, behind a.b
	fallback struct {
		Default selection `parser:"OR_KEYWORD @@"`
	}
	// inherit a b;
	inherit struct {
		Names inheritNames `parser:"INHERIT @@ SEMICOLON"`
	}
	// inherit (expr) a b;
	inheritFrom struct {
		From  ast.Expr     `parser:"INHERIT PAREN_OPEN @@"`
		Names inheritNames `parser:"PAREN_CLOSE @@ SEMICOLON"`
	}
)

// The choices and repetitions, each a type with a hook of its own. [ast.Expr]
// is the choice of any expression.
type (
	function     interface{ ast.Expr } // an expression behind x:, with e;, in …
	selection    interface{ ast.Expr } // an argument of an application
	letBindings  interface{ ast.Expr } // *ast.Attrs, up to in
	recBindings  interface{ ast.Expr } // *ast.Attrs, up to }
	formalSet    interface{ formals() *ast.Formals }
	alias        interface{ name() string }
	elements     interface{ exprs() []ast.Expr }
	textParts    interface{ parts() []ast.Part }
	pathParts    interface{ parts() []ast.Part }
	rawParts     interface{ pieces() []piece }
	inheritNames interface{ names() []ast.AttrName }
)

// What the hooks return.
type (
	theFormals ast.Formals
	theAlias   string
	theExprs   []ast.Expr
	theParts   []ast.Part
	thePieces  []piece
	theNames   []ast.AttrName
)

func (f *theFormals) formals() *ast.Formals { return (*ast.Formals)(f) }
func (a theAlias) name() string             { return string(a) }
func (e theExprs) exprs() []ast.Expr        { return e }
func (p theParts) parts() []ast.Part        { return p }
func (p thePieces) pieces() []piece         { return p }
func (n theNames) names() []ast.AttrName    { return n }

// grammar makes participle look at every production; it is never parsed itself.
type grammar struct {
	SimpleLambda  *simpleLambda  `parser:"@@"`
	NamedLambda   *namedLambda   `parser:"@@"`
	FormalsLambda *formalsLambda `parser:"@@"`
	Assertion     *assertion     `parser:"@@"`
	With          *with          `parser:"@@"`
	LetIn         *letIn         `parser:"@@"`
	Conditional   *conditional   `parser:"@@"`
	LetSet        *letSet        `parser:"@@"`
	RecSet        *recSet        `parser:"@@"`
	Parens        *parens        `parser:"@@"`
	List          *list          `parser:"@@"`
	Interpolated  *interpolated  `parser:"@@"`
	Indented      *indented      `parser:"@@"`
	Interpolation *interpolation `parser:"@@"`
	PathTail      *pathTail      `parser:"@@"`
	Fallback      *fallback      `parser:"@@"`
	Inherit       *inherit       `parser:"@@"`
	InheritFrom   *inheritFrom   `parser:"@@"`
}

// productions is participle's parser for each production.
type productions struct {
	simpleLambda  *participle.Parser[simpleLambda]
	namedLambda   *participle.Parser[namedLambda]
	formalsLambda *participle.Parser[formalsLambda]
	assertion     *participle.Parser[assertion]
	with          *participle.Parser[with]
	letIn         *participle.Parser[letIn]
	conditional   *participle.Parser[conditional]
	letSet        *participle.Parser[letSet]
	recSet        *participle.Parser[recSet]
	parens        *participle.Parser[parens]
	list          *participle.Parser[list]
	interpolated  *participle.Parser[interpolated]
	indented      *participle.Parser[indented]
	interpolation *participle.Parser[interpolation]
	pathTail      *participle.Parser[pathTail]
	fallback      *participle.Parser[fallback]
	inherit       *participle.Parser[inherit]
	inheritFrom   *participle.Parser[inheritFrom]
}

// newGrammar builds participle's parsers with the hooks of p.
func newGrammar(p *parse) productions {
	g := participle.MustBuild[grammar](
		participle.Lexer(lexer.Definition{}),
		participle.ParseTypeWith[ast.Expr](p.expr),
		participle.ParseTypeWith(func(c *cursor) (function, error) { return p.expr(c) }),
		participle.ParseTypeWith(func(c *cursor) (selection, error) { return p.selection(c) }),
		participle.ParseTypeWith(func(c *cursor) (letBindings, error) { return p.letBindings(c) }),
		participle.ParseTypeWith(func(c *cursor) (recBindings, error) { return p.recBindings(c) }),
		participle.ParseTypeWith(p.formalSet),
		participle.ParseTypeWith(p.alias),
		participle.ParseTypeWith(p.elements),
		participle.ParseTypeWith(p.textParts),
		participle.ParseTypeWith(p.pathParts),
		participle.ParseTypeWith(p.rawParts),
		participle.ParseTypeWith(p.inheritNames),
	)
	return productions{
		simpleLambda:  production[simpleLambda](g),
		namedLambda:   production[namedLambda](g),
		formalsLambda: production[formalsLambda](g),
		assertion:     production[assertion](g),
		with:          production[with](g),
		letIn:         production[letIn](g),
		conditional:   production[conditional](g),
		letSet:        production[letSet](g),
		recSet:        production[recSet](g),
		parens:        production[parens](g),
		list:          production[list](g),
		interpolated:  production[interpolated](g),
		indented:      production[indented](g),
		interpolation: production[interpolation](g),
		pathTail:      production[pathTail](g),
		fallback:      production[fallback](g),
		inherit:       production[inherit](g),
		inheritFrom:   production[inheritFrom](g),
	}
}

// production picks one parser out of g.
func production[P any](g *participle.Parser[grammar]) *participle.Parser[P] {
	p, err := participle.ParserForProduction[P](g)
	if err != nil {
		panic("parser: " + err.Error())
	}
	return p
}

// produce parses one production at c.
func produce[P any](p *parse, production *participle.Parser[P], c *cursor) (*P, error) {
	v, err := production.ParseFromLexer(c, p.trailing...)
	if err != nil {
		return nil, p.fail(c, err)
	}
	return v, nil
}

// cursor is a place among the tokens, which every hook gets and moves on.
type cursor = plex.PeekingLexer
