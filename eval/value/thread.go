package value

import (
	"fmt"
	"sync/atomic"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Thread is one evaluation in progress. It is passed to everything that may
// evaluate, and is not safe for concurrent use.
type Thread struct {
	Symbols *symbol.Table
	Sources *source.Set
	Paths   Paths

	// MaxDepth bounds nested calls, coercions and comparisons; beyond it
	// evaluation ends with an ordinary error (Nix: max-call-depth).
	MaxDepth int
	depth    int
	nest     int // see maxNest

	// MaxBytes bounds what a single list or string may take; 0 is no bound.
	MaxBytes int64
	// Room tells how many bytes of memory are left, for the large ones; nil is no bound.
	Room func() int64

	interrupted atomic.Bool

	thunks   slab[Thunk]
	closures slab[Closure]
	lists    slab[List]
	applied  slab[applyOne]
	mapped   slab[mapped]
	sets     slab[Attrs]
	sets1    slab[attrs1]
	sets2    slab[attrs2]
	sets3    slab[attrs3]
	frames   frames
	args     argStack
	strings  []*String
	Stats    Stats
}

// DefaultMaxDepth is Nix's max-call-depth.
const DefaultMaxDepth = 10000

// maxNest bounds the recursion of the evaluator itself, whatever its cause:
// chains of thunks are not calls and so do not count for MaxDepth. Its unit is
// about one small Go stack frame; the limit stays well below the size at which
// Go ends the process, which nothing could prevent. Expressions that nest
// deeply in the source weigh more (see [Thread.Deepen]).
const (
	maxNest       = 800_000
	forceWeight   = 2
	callWeight    = 3
	builtinWeight = 4
)

// Enter counts one level of call depth; each successful Enter needs a Leave.
func (th *Thread) Enter(pos source.Pos) error {
	if th.depth > th.MaxDepth {
		return th.Errorf(pos, DepthExceeded, "stack overflow; max-call-depth exceeded")
	}
	if th.nest > maxNest {
		return th.overflow(pos)
	}
	if th.interrupted.Load() {
		return th.interruption(pos)
	}
	th.depth++
	th.nest += callWeight
	return nil
}

// Fit checks that a list or string of n elements of size bytes each is no larger
// than MaxBytes. Go ends the process where memory is lacking; Nix ends with an error.
func (th *Thread) Fit(pos source.Pos, n, size int64) error {
	if th.MaxBytes > 0 && n > th.MaxBytes/size {
		return th.Errorf(pos, EvalError, "out of memory: a value of %d elements of %d bytes is larger than this machine allows (%d bytes)", n, size, th.MaxBytes)
	}
	if n >= largeValue/size && th.Room != nil {
		if room := th.Room(); n > room/size {
			return th.Errorf(pos, EvalError, "out of memory: a value of %d elements of %d bytes does not fit into what is left (%d bytes)", n, size, max(room, 0))
		}
	}
	return nil
}

// largeValue is from how many bytes on a list or string has to fit into what memory
// is left; largeText, from how many a string is looked at by Fit.
const (
	largeValue = 32 << 20
	largeText  = 1 << 14
)

// FitText is Fit for a string of n bytes.
func (th *Thread) FitText(pos source.Pos, n int) error {
	if n < largeText {
		return nil
	}
	return th.Fit(pos, int64(n), 1)
}

// Growth is FitText for a text that grows bit by bit: it looks again when the text
// has doubled.
type Growth struct{ fits int }

// Fit checks a text that is about to have n bytes.
func (g *Growth) Fit(th *Thread, pos source.Pos, n int) error {
	if n <= g.fits {
		return nil
	}
	g.fits = max(2*n, largeText)
	return th.FitText(pos, g.fits)
}

// Leave undoes Enter.
func (th *Thread) Leave() {
	th.depth--
	th.nest -= callWeight
}

// Deepen counts levels of recursion that are not calls; each successful Deepen
// needs a Shallow of as many.
func (th *Thread) Deepen(pos source.Pos, levels int) error {
	if th.nest > maxNest {
		return th.overflow(pos)
	}
	th.nest += levels
	return nil
}

// Shallow undoes Deepen.
func (th *Thread) Shallow(levels int) { th.nest -= levels }

func (th *Thread) overflow(pos source.Pos) *Error {
	return th.Errorf(pos, DepthExceeded, "stack overflow (possible infinite recursion)")
}

// SymbolString returns the name of s as a value, the same one each time.
func (th *Thread) SymbolString(s symbol.Symbol) *String {
	if int(s) >= len(th.strings) {
		th.strings = append(th.strings, make([]*String, th.Symbols.Len()-len(th.strings))...)
	}
	if v := th.strings[s]; v != nil {
		return v
	}
	v := NewString(th.Symbols.Name(s))
	th.strings[s] = v
	return v
}

// ShowPos is a place as messages write it: file:line:column.
func (th *Thread) ShowPos(pos source.Pos) string {
	p, ok := th.Sources.Position(pos)
	if !ok {
		return "«none»"
	}
	return fmt.Sprintf("%s:%d:%d", p.File.Name, p.Line, p.Column)
}
