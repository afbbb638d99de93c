package value

import (
	"fmt"

	"gonix/parser/source"
)

// Kind classifies language errors; it decides whether tryEval may catch one.
type Kind uint8

// The kinds of errors (Nix: eval-error.hh).
const (
	EvalError Kind = iota
	TypeError
	UndefinedVar
	MissingAttr
	Throw         // builtins.throw: tryEval catches it
	AssertFailed  // assert: tryEval catches it
	NotFoundError // <x> not in the search path: tryEval catches it
	Abort
	InfiniteRecursion
	DepthExceeded
	Restricted
	ParseError
	IOError
)

// Catchable reports whether builtins.tryEval turns the error into a value.
func (k Kind) Catchable() bool { return k == Throw || k == AssertFailed || k == NotFoundError }

// Frame of a trace: what was being done where.
type TraceFrame struct {
	Pos source.Pos
	Msg string
}

// Error is an error of the program that is being evaluated.
type Error struct {
	Kind   Kind
	Msg    string
	Pos    source.Pos
	Frames []TraceFrame // innermost first
	Notes  []string     // "Did you mean …?" and the like
	Cause  error        // the host's error, if one is behind this
}

// Error returns the message alone; rendering with places is the caller's.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error at pos.
func (th *Thread) Errorf(pos source.Pos, kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Pos: pos}
}

// WithFrame appends a trace frame while an error is passed up; it returns err.
func WithFrame(err error, pos source.Pos, format string, args ...any) error {
	if e, ok := err.(*Error); ok {
		e.Frames = append(e.Frames, TraceFrame{pos, fmt.Sprintf(format, args...)})
	}
	return err
}
