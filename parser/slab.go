package parser

import "gonix/parser/ast"

// slabs are where the commonest nodes of a tree come from: one allocation for
// many of them.
type slabs struct {
	idents   slab[ast.Ident]
	applies  slab[ast.Apply]
	selects  slab[ast.Select]
	literals slab[literalStr]
	sets     slab[ast.Attrs]
	lambdas  slab[ast.Lambda]
	binaries slab[ast.Binary]
	lists    slab[ast.List]

	exprs slab[ast.Expr]
	names slab[ast.AttrName]
	parts slab[ast.Part]

	bindings slab[ast.Binding]
}

// literalStr is a string together with its only part.
type literalStr struct {
	ast.Str
	part [1]ast.Part
}

// slab is a block of values that are not in use yet. A block lives as long as
// any of its values.
type slab[T any] struct {
	rest []T
	size int // of the block
}

// The sizes of a slab's blocks: the first is small, as most files are.
const (
	firstBlock = 8
	lastBlock  = 256
)

// one returns a zero value.
func (s *slab[T]) one() *T {
	if len(s.rest) == 0 {
		s.grow(1)
	}
	v := &s.rest[0]
	s.rest = s.rest[1:]
	return v
}

// keep returns a copy of list, which has no room to grow in; nil if it is empty.
func (s *slab[T]) keep(list []T) []T {
	n := len(list)
	switch {
	case n == 0:
		return nil
	case n > len(s.rest):
		if n >= lastBlock/4 {
			return append([]T(nil), list...)
		}
		s.grow(n)
	}
	kept := s.rest[:n:n]
	s.rest = s.rest[n:]
	copy(kept, list)
	return kept
}

// grow starts a new block, which holds n values at least.
func (s *slab[T]) grow(n int) {
	s.size = max(min(2*s.size, lastBlock), firstBlock, n)
	s.rest = make([]T, s.size)
}
