package value

import "unsafe"

// Stats counts what NIX_SHOW_STATS shows. Sets and lists are those that the
// program, operators and builtins make; the few that come with the evaluator or
// out of texts (JSON, TOML) are not among them.
type Stats struct {
	Thunks, ThunksAvoided, Frames, Slots, Calls, BuiltinCalls, Lookups uint64
	Updates, UpdatedValues, Sets, SetElems, Lists, ListElems, Concats  uint64
	Exprs                                                              uint64 // in the texts that were read
}

// Sizes are those of what is counted, in bytes.
var Sizes = struct{ Frame, Value, Thunk, Attrs, Attr uint64 }{
	Frame: uint64(unsafe.Sizeof(Frame{})),
	Value: uint64(unsafe.Sizeof(Value(nil))),
	Thunk: uint64(unsafe.Sizeof(Thunk{})),
	Attrs: uint64(unsafe.Sizeof(Attrs{})),
	Attr:  uint64(unsafe.Sizeof(Attr{})),
}

// MakeList returns the list of elems, which it keeps, and counts it.
func (th *Thread) MakeList(elems []Value) *List {
	th.Stats.Lists++
	th.Stats.ListElems += uint64(len(elems))
	l := th.lists.next()
	l.Elems = elems
	return l
}
