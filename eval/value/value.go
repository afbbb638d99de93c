// Package value is the heart of the evaluator: what Nix expressions evaluate
// to, thunks that get there on demand, and the operations that both the
// program nodes and the builtins are made of.
//
// It knows neither syntax nor store. Program nodes reach it through [Code] and
// [Function], the store through [Paths].
//
// Outside this package nobody asserts the concrete type of a Value that may
// still be a thunk: force it first, or use the accessors of [Thread].
package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Value is one of
//
//	Null | Bool | Int | Float | *String | Path | *List | *Attrs |
//	*Closure | *Builtin | *PartialApp | *Thunk
type Value interface{ isValue() }

// Null is null.
type Null struct{}

// Bool is true or false.
type Bool bool

// Int is a 64-bit integer; arithmetic reports overflow.
type Int int64

// Float is a double.
type Float float64

// Path is an absolute canonical file name. It is not copied to the store
// until it is coerced to a string that asks for it.
type Path string

// String is text with the store objects that it mentions.
type String struct {
	S   string
	Ctx *Context // nil if empty
}

// List is immutable once built; elements may be thunks.
type List struct{ Elems []Value }

// Closure is a function of the program with the frame it was made in.
type Closure struct {
	Fn    Function
	Frame *Frame
}

// Function is the code of a lambda.
type Function interface {
	// Call applies the function to one argument, which may be a thunk.
	Call(th *Thread, frame *Frame, arg Value) (Value, error)
	// Formals returns the pattern, or nil for a plain argument.
	Formals() *Formals
	// Name is what messages call the function; "" if it has no name.
	Name() string
	Pos() source.Pos
}

// Formals describes a function's pattern.
type Formals struct {
	List     []Formal // sorted as written
	Ellipsis bool
}

// Formal is one name of a pattern.
type Formal struct {
	Sym      symbol.Symbol
	Pos      source.Pos
	Optional bool
}

// MultiFunction is a Function whose body is a function again, so that it can
// take several arguments at once without making the functions in between. The
// caller puts the arguments into the frame itself, which spares it a slice.
type MultiFunction interface {
	Function
	// Open returns a new frame for arguments, the next of which goes into slot
	// have, and how many it has room for.
	Open(th *Thread, frame *Frame) (f *Frame, have, room int)
	// Enter goes on with a frame of Open that now holds have arguments.
	Enter(th *Thread, f *Frame, have int) (Value, error)
}

// Builtin is a function of the host. Fn gets exactly Arity arguments, not yet
// forced, in a slice that it must not keep. Its pos is where the function's own messages point: nowhere, as in
// Nix, for the trace frame "while calling the 'x' builtin" names the call.
type Builtin struct {
	Name    string // without the leading __
	Params  []string
	Doc     string
	NoFrame bool // leave out the trace frame that names the call
	Fn      func(th *Thread, pos source.Pos, args []Value) (Value, error)
}

// Arity is the number of arguments that Fn takes.
func (b *Builtin) Arity() int { return len(b.Params) }

// PartialApp is a builtin that has some of its arguments.
type PartialApp struct {
	Builtin *Builtin
	Args    []Value // fewer than Builtin.Arity()
}

func (Null) isValue()        {}
func (Bool) isValue()        {}
func (Int) isValue()         {}
func (Float) isValue()       {}
func (Path) isValue()        {}
func (*String) isValue()     {}
func (*List) isValue()       {}
func (*Attrs) isValue()      {}
func (*Closure) isValue()    {}
func (*Builtin) isValue()    {}
func (*PartialApp) isValue() {}
func (*Thunk) isValue()      {}

// NewString returns a string without context.
func NewString(s string) *String { return &String{S: s} }

// NewList returns the list of elems, which it keeps.
func NewList(elems ...Value) *List { return &List{Elems: elems} }

// Code is a resolved expression.
type Code interface {
	// Eval returns a value in weak head normal form: never a *Thunk.
	Eval(th *Thread, f *Frame) (Value, error)
	// Delay returns the value itself where that costs nothing, else a thunk.
	Delay(th *Thread, f *Frame) Value
	Pos() source.Pos
}

// Paths is what coercion and comparison need of the outside world.
type Paths interface {
	// CopyToStore adds the file or tree at path to the store as "source" of
	// the path's base name and returns the store path's text.
	CopyToStore(th *Thread, path string) (storePath string, err error)
}
