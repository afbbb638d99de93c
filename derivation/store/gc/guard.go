package gc

import (
	"bufio"
	"net"
	"strings"
	"sync"

	"gonix/derivation/storepath"
)

// guard knows what must not be deleted because a running process needs it, and
// what is being deleted just now. It knows objects by their hash parts, so that
// lock files and directories of builds are safe with them.
type guard struct {
	mu        sync.Mutex
	done      *sync.Cond // pending has become smaller
	protected map[string]bool
	pending   map[string]bool
}

func newGuard() *guard {
	g := &guard{protected: map[string]bool{}, pending: map[string]bool{}}
	g.done = sync.NewCond(&g.mu)
	return g
}

func (g *guard) protect(hashPart string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.protected[hashPart] = true
}

func (g *guard) protects(hashPart string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.protected[hashPart]
}

// claim reports whether the object may be deleted, and if so keeps processes
// that need it waiting until release is called.
func (g *guard) claim(hashPart string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.protected[hashPart] {
		return false
	}
	g.pending[hashPart] = true
	return true
}

// release says that the claimed objects are gone.
func (g *guard) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.pending)
	g.done.Broadcast()
}

// need protects an object and waits until it is not being deleted.
func (g *guard) need(hashPart string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.protected[hashPart] = true
	for g.pending[hashPart] {
		g.done.Wait()
	}
}

// serve listens to the processes that need something, until stop is called.
func (g *guard) serve(l net.Listener) (stop func()) {
	var all sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	closed := false
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if closed {
				conn.Close()
			} else {
				open[conn] = true
				all.Go(func() {
					g.answer(conn)
					mu.Lock()
					delete(open, conn)
					mu.Unlock()
					conn.Close()
				})
			}
			mu.Unlock()
		}
	})
	return func() {
		l.Close()
		mu.Lock()
		closed = true
		for conn := range open {
			conn.Close()
		}
		mu.Unlock()
		g.release()
		all.Wait()
	}
}

// answer is the conversation with one process.
func (g *guard) answer(conn net.Conn) {
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if p, err := storepath.Parse(strings.TrimSuffix(line, "\n")); err == nil {
			g.need(p.HashPart())
		}
		if _, err := conn.Write([]byte{'1'}); err != nil {
			return
		}
	}
}
