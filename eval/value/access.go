package value

import "gonix/parser/source"

// Apply calls fn with args one after the other: closures, builtins (also
// partially applied) and sets with a __functor. The result is forced.
func (th *Thread) Apply(pos source.Pos, fn Value, args ...Value) (Value, error) {
	panic("todo")
}

// The accessors force v and check its type; why completes a trace line as in
// Nix ("while evaluating the first argument passed to builtins.elemAt"); ""
// adds none. Errors read "expected a list but found a string: \"x\"".

// Attrs forces v to a set.
func (th *Thread) Attrs(v Value, pos source.Pos, why string) (*Attrs, error) { panic("todo") }

// List forces v to a list (its elements stay lazy).
func (th *Thread) List(v Value, pos source.Pos, why string) (*List, error) { panic("todo") }

// String forces v to a string with its context.
func (th *Thread) String(v Value, pos source.Pos, why string) (*String, error) { panic("todo") }

// StringNoCtx forces v to a string and refuses context ("the string '%1%' is
// not allowed to refer to a store path (such as '%2%')").
func (th *Thread) StringNoCtx(v Value, pos source.Pos, why string) (string, error) { panic("todo") }

// Int forces v to an integer.
func (th *Thread) Int(v Value, pos source.Pos, why string) (int64, error) { panic("todo") }

// Bool forces v to a Boolean.
func (th *Thread) Bool(v Value, pos source.Pos, why string) (bool, error) { panic("todo") }

// Function forces v to something that Apply takes.
func (th *Thread) Function(v Value, pos source.Pos, why string) (Value, error) { panic("todo") }

// CoerceOptions say what Coerce accepts beyond strings, paths and sets with
// __toString or outPath.
type CoerceOptions struct {
	More        bool // null, Booleans, numbers and lists too (toString, derivation attributes)
	CopyToStore bool // a path becomes the store path of a copy of it
	KeepPaths   bool // a path stays as written, uncanonicalised
}

// Coerce turns v into a string as Nix's coerceToString does.
func (th *Thread) Coerce(v Value, pos source.Pos, opt CoerceOptions, why string) (*String, error) {
	panic("todo")
}

// CoercePath turns v into an absolute path, with the context of strings that
// were turned into one.
func (th *Thread) CoercePath(v Value, pos source.Pos, why string) (Path, *Context, error) {
	panic("todo")
}

// Equal is ==.
func (th *Thread) Equal(a, b Value, pos source.Pos) (bool, error) { panic("todo") }

// Less is <.
func (th *Thread) Less(a, b Value, pos source.Pos) (bool, error) { panic("todo") }

// DeepForce forces v and all that it holds (deepSeq, --strict).
func (th *Thread) DeepForce(v Value, pos source.Pos) error { panic("todo") }

// TypeName is the name of a forced value's type with its article as messages
// say it ("a set", "an integer", "a function").
func TypeName(v Value) string { panic("todo") }

// TypeOf is what builtins.typeOf returns for a forced value.
func TypeOf(v Value) string { panic("todo") }
