// Package code is the program that the evaluator runs: one node type per
// construct of the language, specialised where that pays.
//
// Names are gone: a variable is a frame depth and a slot, decided by package
// resolve, which alone builds nodes. Nodes are immutable once built and may be
// shared by threads. Eval gives weak head normal form; Delay gives the value
// itself where that costs nothing and must not be observed as evaluation, else
// a thunk (Nix's maybeThunk).
//
// Trace frames are appended on the way out of an error, so the success path
// pays nothing for them. Their wording is that of Nix 2.34.
package code

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

// Node is what resolve builds: the nodes of this package.
type Node interface {
	value.Code
	// dump writes the node for goldens and debugging.
	dump(d *dumper)
}

// Const is a value that is known already: a literal or a global variable that
// needs no evaluation.
type Const struct {
	V  value.Value
	At source.Pos // of a variable such as null; literals have none
}

// Eval returns the value.
func (c *Const) Eval(*value.Thread, *value.Frame) (value.Value, error) { return c.V, nil }

// Delay returns the value.
func (c *Const) Delay(th *value.Thread, _ *value.Frame) value.Value {
	th.Stats.ThunksAvoided++
	return c.V
}

// Pos returns where the variable stands.
func (c *Const) Pos() source.Pos { return c.At }

// Global is a variable of the outermost scope that may still be a thunk.
type Global struct {
	V    value.Value
	Name string
	At   source.Pos
}

// Eval forces the variable.
func (g *Global) Eval(th *value.Thread, _ *value.Frame) (value.Value, error) {
	return th.Force(g.V, g.At)
}

// Delay returns the variable.
func (g *Global) Delay(th *value.Thread, _ *value.Frame) value.Value {
	th.Stats.ThunksAvoided++
	return g.V
}

// Pos returns where the variable is used.
func (g *Global) Pos() source.Pos { return g.At }

// Known is an attribute of the set builtins, which is known to be that set.
type Known struct {
	V    value.Value
	Name string // of the attribute
	At   source.Pos
}

// Eval forces the attribute.
func (k *Known) Eval(th *value.Thread, _ *value.Frame) (value.Value, error) {
	return th.Force(k.V, k.At)
}

// Delay returns a thunk, so that whether it was evaluated stays visible.
func (k *Known) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeKnown, k, f)
}

// Pos returns where the selection starts.
func (k *Known) Pos() source.Pos { return k.At }

// Deep stands on top of every few levels of an expression that nests deeply in
// the source, and counts them.
type Deep struct {
	X      Node
	Levels int
}

// DeepEvery is how many nested nodes may evaluate each other uncounted.
const DeepEvery = 6

// Eval evaluates X.
func (d *Deep) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	if err := th.Deepen(d.X.Pos(), d.Levels); err != nil {
		return nil, err
	}
	v, err := d.X.Eval(th, f)
	th.Shallow(d.Levels)
	return v, err
}

// Delay returns a thunk.
func (d *Deep) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeDeep, d, f) }

// Pos returns the place of X.
func (d *Deep) Pos() source.Pos { return d.X.Pos() }
