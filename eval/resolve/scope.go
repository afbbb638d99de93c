package resolve

import (
	"gonix/eval/code"
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// scope is the static side of a frame: the names of its slots. A nil scope is
// that of the globals.
type scope struct {
	up     *scope
	names  []symbol.Symbol       // slot i holds names[i]; symbol.Empty for unnamed slots
	index  map[symbol.Symbol]int // of names, when they are many
	isWith bool
	at     source.Pos // of the with
}

// manyNames is where a map begins to beat looking through the names.
const manyNames = 12

func newScope(up *scope, names []symbol.Symbol) *scope {
	s := &scope{up: up, names: names}
	if len(names) > manyNames {
		s.index = make(map[symbol.Symbol]int, len(names))
		for i, n := range names {
			s.index[n] = i
		}
	}
	return s
}

func newWith(up *scope, at source.Pos) *scope { return &scope{up: up, isWith: true, at: at} }

// slot returns the slot of a name, or -1. Of equal names the last counts:
// in a: a: x the inner argument hides the outer.
func (s *scope) slot(n symbol.Symbol) int {
	if s.index != nil {
		if i, ok := s.index[n]; ok {
			return i
		}
		return -1
	}
	for i := len(s.names) - 1; i >= 0; i-- {
		if s.names[i] == n {
			return i
		}
	}
	return -1
}

// withs returns the with expressions around a scope, innermost first.
func (s *scope) withs() []code.WithScope {
	var out []code.WithScope
	for depth := 0; s != nil; s, depth = s.up, depth+1 {
		if s.isWith {
			out = append(out, code.WithScope{Depth: depth, At: s.at})
		}
	}
	return out
}
