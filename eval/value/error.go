package value

import (
	"errors"
	"fmt"
	"slices"

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

// TraceFrame says what was being done where when an error came up.
type TraceFrame struct {
	Pos source.Pos
	Msg string
	// Call marks the frames of function calls, which are many: only a full
	// trace (--show-trace) has them.
	Call bool
	// Always marks the frames that are shown even where a short trace is cut:
	// what the expression itself says about its errors.
	Always bool
}

// Error is an error of the program that is being evaluated.
type Error struct {
	Kind        Kind
	Msg         string
	Pos         source.Pos
	Frames      []TraceFrame // innermost first
	Notes       []string     // "Did you mean …?" and the like
	Cause       error        // the host's error, if one is behind this
	Recoverable bool         // forcing the same value again tries again
	OfCall      bool         // the call itself is wrong, and a short trace shows where it is
}

// Error returns the message alone; rendering with places is the caller's.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error at pos.
func (th *Thread) Errorf(pos source.Pos, kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Pos: pos}
}

// AsError returns err as a language error, wrapping an error of the host.
func AsError(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: IOError, Msg: err.Error(), Cause: err}
}

// WithFrame appends a trace frame while an error is passed up; it returns err
// as an [*Error]. An empty format adds nothing.
func WithFrame(err error, pos source.Pos, format string, args ...any) error {
	e := AsError(err)
	if format == "" {
		return e
	}
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	e.Frames = append(e.Frames, TraceFrame{Pos: pos, Msg: format})
	return e
}

// WithLastingFrame is WithFrame for the frames that every trace shows.
func WithLastingFrame(err error, msg string) error {
	e := AsError(err)
	e.Frames = append(e.Frames, TraceFrame{Msg: msg, Always: true})
	return e
}

// WithCallFrame is WithFrame for the frames that only a full trace shows.
func WithCallFrame(err error, pos source.Pos, msg string) error {
	e := AsError(err)
	e.Frames = append(e.Frames, TraceFrame{Pos: pos, Msg: msg, Call: true})
	return e
}

// FromCallSite adds the frame of a call at pos that failed, if that is known.
func FromCallSite(err error, pos source.Pos) error {
	e := AsError(err)
	of := e.OfCall
	e.OfCall = false // of no call further out
	if pos != source.NoPos || of && len(e.Frames) == 0 {
		e.Frames = append(e.Frames, TraceFrame{Pos: pos, Msg: "from call site", Call: !of})
	}
	return e
}

// snapshot returns a copy of e for another way out: what forcing a failed
// thunk again returns. The thunk itself remembers the error that went up first,
// with the frames it got on its way, as Nix does.
func (e *Error) snapshot() *Error {
	c := *e
	c.Frames = slices.Clip(e.Frames)
	return &c
}
