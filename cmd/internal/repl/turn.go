package repl

import (
	"context"
	"sync"
	"time"

	"gonix/eval/value"
)

// turn is the context of what the user asked for last. An interruption ends
// that alone, while the state of the evaluation, which was made with this
// context, goes on to be used.
type turn struct {
	parent context.Context
	th     *value.Thread

	mu     sync.Mutex
	now    context.Context
	cancel context.CancelFunc // nil between turns
}

var _ context.Context = (*turn)(nil)

// newTurn returns a turn that has not begun. Its end is not that of parent:
// the first interruption ends parent for good.
func newTurn(parent context.Context) *turn {
	parent = context.WithoutCancel(parent)
	return &turn{parent: parent, now: parent}
}

// do calls fn, which can be interrupted.
func (t *turn) do(fn func() error) error {
	ctx, cancel := context.WithCancel(t.parent)
	defer cancel()
	t.th.Proceed()
	t.mu.Lock()
	t.now, t.cancel = ctx, cancel
	t.mu.Unlock()
	err := fn()
	if ctx.Err() != nil && err == nil {
		err = ctx.Err()
	}
	t.mu.Lock()
	t.now, t.cancel = t.parent, nil
	t.mu.Unlock()
	return err
}

// interrupted reports whether the present turn, or the last one, was.
func (t *turn) interrupted() bool { return t.th.Interrupted() }

// interrupt ends what is being done, and reports whether anything is.
func (t *turn) interrupt() (busy bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel == nil {
		return false
	}
	t.cancel()
	t.th.Interrupt()
	return true
}

func (t *turn) current() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// Deadline implements [context.Context].
func (t *turn) Deadline() (time.Time, bool) { return t.current().Deadline() }

// Done implements [context.Context]; the channel is that of the present turn.
func (t *turn) Done() <-chan struct{} { return t.current().Done() }

// Err implements [context.Context].
func (t *turn) Err() error { return t.current().Err() }

// Value implements [context.Context].
func (t *turn) Value(key any) any { return t.current().Value(key) }
