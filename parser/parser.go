// Package parser turns Nix text into a syntax tree.
//
// The compound forms of the language are participle productions (grammar.go).
// Their hooks do what such productions cannot do fast or at all: choose by the
// tokens ahead and parse the commonest forms (expression.go), climb precedences
// (operator.go), repeat (binding.go, formals.go, text.go). Nodes come in blocks
// (slab.go). The grammar needs three tokens of lookahead and never goes back, so the first
// error is the only one.
//
// What comes out is what later stages want to see: escapes and indentation are
// resolved (lexer, indent.go), paths are absolute (path.go), bindings are merged
// and free of duplicates (merge.go). Names are not looked up here.
//
// The language, the messages and the places they point at are those of C++ Nix
// (libexpr/parser.y, lexer.l and parser-state.hh).
package parser

import (
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2"

	"gonix/parser/ast"
	"gonix/parser/lexer"
	"gonix/parser/source"
)

// Options says what a text's paths are relative to.
type Options struct {
	// Base is the absolute directory that ./x is relative to.
	Base string
	// Home is what ~ stands for; a path with ~ is an error if it is empty.
	Home string
	// NoPipes refuses |> and <|, which Nix calls experimental.
	NoPipes bool
	// Lint is asked about each expression of a form that some do not want to see.
	// An error ends the parsing there; nil lets all pass.
	Lint func(form Form, text string, pos source.Pos) error
}

// Form is a form of expressions that [Options].Lint is asked about.
type Form uint8

// The forms.
const (
	AbsolutePath Form = iota // /a
	HomePath                 // ~/a
	ShortPath                // a/b, which could be ./a/b
	URL                      // http://a
	OrVariable               // a or, as an argument, an element or a default: it would be two if or were a name as any other
)

// Error says what is wrong with a text and where.
type Error struct {
	Pos source.Pos
	Msg string
}

// Error implements error; the place is not in it.
func (e *Error) Error() string { return e.Msg }

// Parse parses a whole file. An error is an [*Error].
func Parse(f *source.File, opt Options) (*ast.File, error) {
	p := parsers.Get().(*parse)
	defer parsers.Put(p)
	body, err := p.whole(f, opt, p.expr)
	if err != nil {
		return nil, err
	}
	return &ast.File{Source: f, Body: body}, nil
}

// ParseBindings parses a text that is what stands between the braces of a set,
// and returns that set. The last semicolon may be missing. An error is an
// [*Error].
func ParseBindings(f *source.File, opt Options) (*ast.Attrs, error) {
	p := parsers.Get().(*parse)
	defer parsers.Put(p)
	p.open = true
	defer func() { p.open = false }()
	set := new(ast.Attrs)
	_, err := p.whole(f, opt, func(c *cursor) (ast.Expr, error) { return set, p.bindings(c, set) })
	if err != nil {
		return nil, err
	}
	return set, nil
}

// AtEnd reports whether the text ended where something was still to come: with
// more text there may be no error.
func (e *Error) AtEnd() bool {
	return strings.HasPrefix(e.Msg, syntaxError+lexer.Describe(lexer.EOF))
}

// parsers keeps instances for the next call of [Parse]: building the grammar
// takes longer than parsing a small file.
var parsers = sync.Pool{New: func() any {
	p := &parse{window: newWindow()}
	p.trailing = []participle.ParseOption{participle.AllowTrailing(true)}
	p.grammar = newGrammar(p)
	return p
}}

// parse is the state of one call of [Parse], kept for further ones.
type parse struct {
	cursor   cursor
	window   window // of participle's on the cursor
	grammar  productions
	trailing []participle.ParseOption

	source *source.File
	opt    Options
	err    *Error // the first error; everything returns once it is set

	open  bool // the end of the text may stand for a semicolon
	depth int  // how many hooks are under way
	peak  int  // depth of the deepest node below the one under way

	slabs slabs // where nodes come from; what is left of a block is for the next file

	// Stacks, each with what belongs to the constructs under way.
	names  []ast.AttrName // attribute paths, names of inherit
	elems  []ast.Expr     // elements of lists, arguments
	parts  []ast.Part     // of strings and paths
	pieces []piece        // of indented strings

	indexes map[*ast.Bindings]map[string]int // of large sets, see find
	growing [][]ast.Binding                  // room for sets to come, see bindings
}

// whole parses all of f as what the hook parses.
func (p *parse) whole(f *source.File, opt Options, hook func(*cursor) (ast.Expr, error)) (ast.Expr, error) {
	p.source, p.opt, p.err = f, opt, nil
	p.depth, p.peak = 0, 0
	p.cursor.open(f.Text)
	body, err := hook(&p.cursor)
	if err == nil {
		if t := p.cursor.Peek(); t.Type != lexer.EOF {
			err = p.unexpected(t, "end of file")
		}
	}
	p.cursor.close()
	p.window.close()
	p.source, p.indexes = nil, nil
	p.names, p.elems = reset(p.names), reset(p.elems)
	p.parts, p.pieces = reset(p.parts), reset(p.pieces)
	if err != nil {
		return nil, p.err
	}
	return body, nil
}

// reset empties a stack for the next file: through it nothing of this one stays alive.
func reset[T any](stack []T) []T {
	const maxKept = 1 << 10
	if cap(stack) > maxKept {
		return nil
	}
	clear(stack[:cap(stack)])
	return stack[:0]
}
