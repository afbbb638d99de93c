package code

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

// LiteralAttrs is a set literal whose parts are all literals. Its attributes
// are made once, but each evaluation gives a set of its own, as in Nix: which
// of them are the same shows where a value is printed («repeated»).
type LiteralAttrs struct {
	Attrs []value.Attr // sorted by symbol
	At    source.Pos
}

// Eval returns a set.
func (l *LiteralAttrs) Eval(th *value.Thread, _ *value.Frame) (value.Value, error) {
	return th.KeepAttrs(l.At, l.Attrs), nil
}

// Delay returns a thunk, so that whether the set was evaluated stays visible.
func (l *LiteralAttrs) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeLiteralAttrs, l, f)
}

// Pos returns where the set starts.
func (l *LiteralAttrs) Pos() source.Pos { return l.At }

// LiteralList is a list of at least one element, all of them literals; see
// [LiteralAttrs].
type LiteralList struct {
	Elems []value.Value
	At    source.Pos
}

// Eval returns a list.
func (l *LiteralList) Eval(th *value.Thread, _ *value.Frame) (value.Value, error) {
	return th.MakeList(l.Elems), nil
}

// Delay returns a thunk.
func (l *LiteralList) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeLiteralList, l, f)
}

// Pos returns the place of the first element, as in Nix.
func (l *LiteralList) Pos() source.Pos { return l.At }
