package value

import "gonix/parser/source"

// Interrupt makes the evaluation on th end with an error at the next call, and
// all later ones too, until [Thread.Proceed]. Unlike all else of a thread it
// may be called by any goroutine. Values that were being evaluated can be
// evaluated again.
func (th *Thread) Interrupt() { th.interrupted.Store(true) }

// Proceed ends an interruption.
func (th *Thread) Proceed() { th.interrupted.Store(false) }

// Interrupted reports whether th was interrupted.
func (th *Thread) Interrupted() bool { return th.interrupted.Load() }

// CheckInterrupt returns an error if th was interrupted. Builtins that can take
// long without calling anything ask now and then.
func (th *Thread) CheckInterrupt(pos source.Pos) error {
	if th.interrupted.Load() {
		return th.interruption(pos)
	}
	return nil
}

func (th *Thread) interruption(pos source.Pos) *Error {
	e := th.Errorf(pos, EvalError, "interrupted by the user")
	e.Recoverable = true
	return e
}
