package builtin

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

func listTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "length", Params: []string{"e"}, Fn: length,
			Doc: "Return the number of elements of a list."},
		{Name: "elemAt", Params: []string{"xs", "n"}, Fn: elemAt,
			Doc: "Return element n of a list, counting from zero."},
		{Name: "head", Params: []string{"list"}, Fn: head,
			Doc: "Return the first element of a list that is not empty."},
		{Name: "tail", Params: []string{"list"}, Fn: tail,
			Doc: "Return a list that is not empty without its first element; it takes time in proportion to the length."},
		{Name: "elem", Params: []string{"x", "xs"}, Fn: elem,
			Doc: "Return whether an element of xs equals x."},
		{Name: "concatLists", Params: []string{"lists"}, Fn: concatLists,
			Doc: "Return the elements of all lists in a list of lists."},
		{Name: "genList", Params: []string{"generator", "length"}, Fn: genList,
			Doc: "Return the list of generator applied to 0, 1, … length - 1, each evaluated when needed."},
		{Name: "map", Params: []string{"f", "list"}, Fn: mapList,
			Doc: "Return the list of f applied to each element, evaluated when needed."},
		{Name: "filter", Params: []string{"f", "list"}, Fn: filter,
			Doc: "Return the elements for which f returns true."},
		{Name: "sort", Params: []string{"comparator", "list"}, Fn: sortList,
			Doc: "Return the list sorted; comparator x y tells whether x goes before y. Equal elements keep their order."},
		{Name: "genericClosure", Params: []string{"attrset"}, Fn: genericClosure,
			Doc: "Return all elements that startSet leads to by operator, one for each value of the attribute key."},
	}
}

func length(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[0], pos, "while evaluating the first argument passed to builtins.length")
	if err != nil {
		return nil, err
	}
	return value.Int(len(l.Elems)), nil
}

func elemAt(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	n, err := th.Int(args[1], pos, "while evaluating the second argument passed to 'builtins.elemAt'")
	if err != nil {
		return nil, err
	}
	l, err := th.List(args[0], pos, "while evaluating the first argument passed to 'builtins.elemAt'")
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= int64(len(l.Elems)) {
		return nil, th.Errorf(pos, value.EvalError, "'builtins.elemAt' called with index %d on a list of size %d", n, len(l.Elems))
	}
	return th.Force(l.Elems[n], pos)
}

func head(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[0], pos, "while evaluating the first argument passed to 'builtins.head'")
	if err != nil {
		return nil, err
	}
	if len(l.Elems) == 0 {
		return nil, th.Errorf(pos, value.EvalError, "'builtins.head' called on an empty list")
	}
	return th.Force(l.Elems[0], pos)
}

func tail(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[0], pos, "while evaluating the first argument passed to 'builtins.tail'")
	if err != nil {
		return nil, err
	}
	if len(l.Elems) == 0 {
		return nil, th.Errorf(pos, value.EvalError, "'builtins.tail' called on an empty list")
	}
	// Lists are immutable, so the rest may share the elements.
	return value.NewList(l.Elems[1:len(l.Elems):len(l.Elems)]...), nil
}

func elem(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.elem")
	if err != nil {
		return nil, err
	}
	for _, e := range l.Elems {
		eq, err := th.Equal(args[0], e, pos)
		if err != nil {
			return nil, err
		}
		if eq {
			return value.Bool(true), nil
		}
	}
	return value.Bool(false), nil
}

func concatLists(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[0], pos, "while evaluating the first argument passed to builtins.concatLists")
	if err != nil {
		return nil, err
	}
	return joinLists(th, pos, l.Elems, "while evaluating a value of the list passed to builtins.concatLists")
}

// joinLists concatenates lists; a single one that is not empty is returned as
// it is.
func joinLists(th *value.Thread, pos source.Pos, lists []value.Value, why string) (value.Value, error) {
	var only *value.List
	n := 0
	for _, e := range lists {
		l, err := th.List(e, pos, why)
		if err != nil {
			return nil, err
		}
		if len(l.Elems) > 0 {
			only = l
		}
		n += len(l.Elems)
	}
	if only != nil && n == len(only.Elems) {
		return only, nil
	}
	if err := th.Fit(pos, int64(n), int64(value.Sizes.Value)); err != nil {
		return nil, err
	}
	out := th.NewValues(n)[:0]
	for _, e := range lists {
		l, err := th.List(e, pos, why)
		if err != nil {
			return nil, err
		}
		out = append(out, l.Elems...)
	}
	return th.MakeList(out), nil
}

// maxListLen bounds genList: what no machine could hold is an error rather
// than the end of the process.
const maxListLen = 1 << 32

func genList(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	n, err := th.Int(args[1], pos, "while evaluating the second argument passed to builtins.genList")
	if err != nil {
		return nil, err
	}
	if n < 0 || n > maxListLen {
		return nil, th.Errorf(pos, value.EvalError, "cannot create list of size %d", n)
	}
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.genList")
	if err != nil {
		return nil, err
	}
	// Each element is a thunk.
	if err := th.Fit(pos, int64(n), int64(value.Sizes.Value+value.Sizes.Thunk)); err != nil {
		return nil, err
	}
	out := th.NewValues(int(n))
	for i := range out {
		if i%(1<<12) == 0 {
			if err := th.CheckInterrupt(pos); err != nil {
				return nil, err
			}
		}
		out[i] = th.LazyApply(pos, f, value.Int(i))
	}
	return th.MakeList(out), nil
}

func mapList(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.map")
	if err != nil || len(l.Elems) == 0 {
		return l, err
	}
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.map")
	if err != nil {
		return nil, err
	}
	out := th.NewValues(len(l.Elems))
	for i, e := range l.Elems {
		out[i] = th.LazyApply(pos, f, e)
	}
	return th.MakeList(out), nil
}

func filter(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.filter")
	if err != nil || len(l.Elems) == 0 {
		return l, err
	}
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.filter")
	if err != nil {
		return nil, err
	}
	var out []value.Value
	for _, e := range l.Elems {
		keep, err := test(th, pos, f, e, "while evaluating the return value of the filtering function passed to builtins.filter")
		if err != nil {
			return nil, err
		}
		if keep {
			out = append(out, e)
		}
	}
	if len(out) == len(l.Elems) {
		return l, nil
	}
	return th.MakeList(out), nil
}

// test applies the predicate f to e.
func test(th *value.Thread, pos source.Pos, f, e value.Value, why string) (bool, error) {
	r, err := th.Apply(pos, f, e)
	if err != nil {
		return false, err
	}
	return th.Bool(r, pos, why)
}
