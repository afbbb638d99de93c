package substitute

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"gonix/derivation/storepath"
)

// gate lets a number of objects through at a time, the largest of those that
// wait first: what takes longest is not what is begun last.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter // what is let through next is last
}

type waiter struct {
	path storepath.Path
	size int64
	open chan struct{} // closed when it may go on
}

// try enters if nobody has to wait.
func (g *gate) try() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free == 0 {
		return false
	}
	g.free--
	return true
}

// enter waits until it is the turn of an object; leave must follow unless there
// is an error.
func (g *gate) enter(ctx context.Context, p storepath.Path, size int64) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	w := &waiter{path: p, size: size, open: make(chan struct{})}
	at, _ := slices.BinarySearchFunc(g.waiting, w, func(a, b *waiter) int {
		return cmp.Or(cmp.Compare(a.size, b.size), storepath.Compare(b.path, a.path))
	})
	g.waiting = slices.Insert(g.waiting, at, w)
	g.mu.Unlock()
	select {
	case <-w.open:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else {
		g.next() // it was let through meanwhile
	}
	return context.Cause(ctx)
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next()
}

// next lets the next one through, if any waits; g.mu is held.
func (g *gate) next() {
	n := len(g.waiting) - 1
	if n < 0 {
		g.free++
		return
	}
	close(g.waiting[n].open)
	g.waiting = g.waiting[:n]
}
