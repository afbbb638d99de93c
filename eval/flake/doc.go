// Package flake evaluates flakes: a reference goes in, the set that the
// flake's function outputs makes of its inputs comes out.
//
// A flake.nix declares inputs ([Flake]); flake.lock says which trees they are
// ([LockFile]). What the lock file does not know is fetched and locked for this
// evaluation only; no file is ever written. Follows Nix's libflake: lockFlake
// for the graph of inputs, callFlake for the result.
package flake

import (
	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Host is what flakes need of the evaluation around them. Files are named by
// their logical paths.
type Host interface {
	// Refs reads references.
	Refs() flakeref.Parser
	// FetchTree brings an input into the store.
	FetchTree(in flakeref.Input) (flakeref.Tree, error)
	// TreeAttrs is the set that describes a tree; dirty leaves out its commit.
	TreeAttrs(th *value.Thread, pos source.Pos, t flakeref.Tree, dirty bool) *value.Attrs
	// CheckURI returns an error if an address may not be fetched.
	CheckURI(uri string) error
	// Declared evaluates a file that must be the literal of a set, and Literal
	// what is written in one: v is returned as it is, a thunk, if it would have
	// to be computed.
	Declared(file string) (*value.Attrs, error)
	Literal(v value.Value) (value.Value, error)
	// EvalFile imports a program.
	EvalFile(th *value.Thread, file string) (value.Value, error)
	// ReadFile returns the content of a file; it wraps fs.ErrNotExist if there
	// is none.
	ReadFile(file string) ([]byte, error)
	Warn(msg string)
	// Pure reports whether results may depend on the expression alone.
	Pure() bool
}
