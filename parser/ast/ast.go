// Package ast is the syntax tree of the Nix language: types only.
//
// The tree is what the parser hands to the resolver, after string escapes and
// indentation are gone and after the bindings of a set are merged
// (a.b = 1; a.c = 2; is one attribute a). It is immutable once built.
package ast

import "gonix/parser/source"

// Expr is one of the pointer types of this package:
//
//	*Int | *Float | *Str | *Path | *SearchPath | *Ident | *CurPos | *List |
//	*Attrs | *Let | *Lambda | *Apply | *Select | *HasAttr | *If | *Assert |
//	*With | *Unary | *Binary
type Expr interface {
	// Pos is the place that messages about the expression point at, as in Nix:
	// an operator for Binary, the operand for HasAttr and !, the first element
	// for List, what follows the quote for Str, else where the text starts.
	// Literals, empty lists and sets made by a.b = … have none.
	Pos() source.Pos
	isExpr()
}

// At is the position part of every node.
type At source.Pos

// Pos implements [Expr].
func (a At) Pos() source.Pos { return source.Pos(a) }

func (At) isExpr() {}

// File is a parsed text.
type File struct {
	Source *source.File
	Body   Expr
}

// Int is an integer literal.
type Int struct {
	At
	Value int64
}

// Float is a floating-point literal.
type Float struct {
	At
	Value float64
}

// Str is a string of any of the three spellings ("…", ”…”, URI). No parts
// is the empty string; one part without Expr is a literal.
type Str struct {
	At
	Parts []Part
}

// Part is a stretch of literal text, or, if Expr is not nil, an interpolation.
type Part struct {
	At
	Text string
	Expr Expr
}

// Path is a path literal. Without interpolation Parts has one element whose
// Text is absolute and canonical; otherwise the first part is literal text,
// absolute, with its trailing slash kept. ~/x has been expanded by the parser's
// Options.Home.
type Path struct {
	At
	Parts []Part
}

// SearchPath is <Name>.
type SearchPath struct {
	At
	Name string
}

// Ident is a variable.
type Ident struct {
	At
	Name string
}

// CurPos is __curPos.
type CurPos struct{ At }

// List is [ a b c ].
type List struct {
	At
	Elems []Expr
}

// Attrs is a set, merged and checked for duplicates.
type Attrs struct {
	At
	Recursive bool
	Bindings
}

// Bindings are those of a set or a let, merged and checked for duplicates.
type Bindings struct {
	Static  []Binding // in order of first appearance, names unique
	From    []Expr    // the sources of inherit (e) …, one for each clause
	Dynamic []Dynamic // ${e} = …, "a${e}" = …; in order of appearance
}

// BindKind says how a Binding gets its value.
type BindKind uint8

// The kinds of bindings.
const (
	Plain       BindKind = iota // name = Value;
	Inherit                     // inherit name;        Value is the *Ident, looked up outside the set
	InheritFrom                 // inherit (e) name;    From indexes Bindings.From; Value is nil
)

// Binding is a statically named attribute.
type Binding struct {
	At
	Name  string
	Kind  BindKind
	Value Expr
	From  int
}

// Dynamic is an attribute whose name is computed; a null name leaves it out.
type Dynamic struct {
	At
	Name  Expr
	Value Expr
}

// Let is let … in Body. (let { … } is parsed as rec { … }.body.)
type Let struct {
	At
	Bindings
	Body Expr
}

// Lambda is a function: Arg: Body, or with Formals, or both (args@{…}: Body).
type Lambda struct {
	At
	Arg     string // "" if there is none
	Formals *Formals
	Body    Expr
}

// Formals is the pattern { a, b ? d, ... }.
type Formals struct {
	List     []Formal // in source order, names unique
	Ellipsis bool
}

// Formal is one name of a pattern.
type Formal struct {
	At
	Name    string
	Default Expr // nil if required
}

// Apply is Fn applied to Args one after the other.
type Apply struct {
	At
	Fn   Expr
	Args []Expr // at least one
}

// AttrName is one step of an attribute path: Name, or if Expr is not nil, what
// it computes. A string literal without interpolation is a Name.
type AttrName struct {
	At
	Name string
	Expr Expr
}

// Select is X.a.b or Default.
type Select struct {
	At
	X       Expr
	Path    []AttrName
	Default Expr // nil if there is none
}

// HasAttr is X ? a.b.
type HasAttr struct {
	At
	X    Expr
	Path []AttrName
}

// If is if Cond then Then else Else.
type If struct {
	At
	Cond, Then, Else Expr
}

// Assert is assert Cond; Body.
type Assert struct {
	At
	Cond, Body Expr
}

// With is with Scope; Body.
type With struct {
	At
	Scope, Body Expr
}

// Op is an operator. The pipe operators and unary minus stand for themselves
// here; what Nix desugars (a - b to __sub a b) is the resolver's business.
type Op uint8

// The operators, loosest first.
const (
	OpPipeFrom Op = iota // <|
	OpPipeInto           // |>
	OpImpl               // ->
	OpOr                 // ||
	OpAnd                // &&
	OpEq                 // ==
	OpNeq                // !=
	OpLt                 // <
	OpLeq                // <=
	OpGt                 // >
	OpGeq                // >=
	OpUpdate             // //
	OpNot                // !
	OpAdd                // +
	OpSub                // -
	OpMul                // *
	OpDiv                // /
	OpConcat             // ++
	OpNegate             // unary -
)

// Unary is OpNot or OpNegate applied to X.
type Unary struct {
	At
	Op Op
	X  Expr
}

// Binary is L Op R. At is the place of the operator, LPos and RPos are those
// where the texts of the operands start (L.Pos() may be elsewhere, or unknown).
type Binary struct {
	At
	Op         Op
	L, R       Expr
	LPos, RPos source.Pos
}
