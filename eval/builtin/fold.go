package builtin

import (
	"cmp"
	"slices"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func foldTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "foldl'", Params: []string{"op", "nul", "list"}, Fn: foldl,
			Doc: "Return op (… (op (op nul x0) x1) …) xn, evaluating each step at once."},
		{Name: "any", Params: []string{"pred", "list"}, Fn: anyOrAll("any", true),
			Doc: "Return whether pred returns true for some element."},
		{Name: "all", Params: []string{"pred", "list"}, Fn: anyOrAll("all", false),
			Doc: "Return whether pred returns true for every element."},
		{Name: "concatMap", Params: []string{"f", "list"}, Fn: concatMap,
			Doc: "Return the elements of the lists that f returns for the elements of list."},
		{Name: "partition", Params: []string{"pred", "list"}, Fn: partition,
			Doc: "Return { right = elements for which pred returns true; wrong = the others; }."},
		{Name: "groupBy", Params: []string{"f", "list"}, Fn: groupBy,
			Doc: "Return a set of lists: the elements by the name that f returns for them."},
	}
}

func foldl(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.foldlStrict")
	if err != nil {
		return nil, err
	}
	l, err := th.List(args[2], pos, "while evaluating the third argument passed to builtins.foldlStrict")
	if err != nil {
		return nil, err
	}
	// The start value is forced only if the list is empty or op needs it.
	acc := args[1]
	for _, e := range l.Elems {
		if acc, err = th.Apply(pos, f, acc, e); err != nil {
			return nil, err
		}
	}
	return th.Force(acc, pos)
}

// anyOrAll looks for an element for which the predicate returns stop.
func anyOrAll(name string, stop bool) builtinFunc {
	first := "while evaluating the first argument passed to builtins." + name
	second := "while evaluating the second argument passed to builtins." + name
	result := "while evaluating the return value of the function passed to builtins." + name
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		f, err := th.Function(args[0], pos, first)
		if err != nil {
			return nil, err
		}
		l, err := th.List(args[1], pos, second)
		if err != nil {
			return nil, err
		}
		for _, e := range l.Elems {
			r, err := test(th, pos, f, e, result)
			if err != nil {
				return nil, err
			}
			if r == stop {
				return value.Bool(stop), nil
			}
		}
		return value.Bool(!stop), nil
	}
}

func concatMap(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.concatMap")
	if err != nil {
		return nil, err
	}
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.concatMap")
	if err != nil {
		return nil, err
	}
	var out []value.Value
	for _, e := range l.Elems {
		r, err := th.Apply(pos, f, e)
		if err != nil {
			return nil, err
		}
		part, err := th.List(r, value.DeterminePos(r, value.DeterminePos(f, pos)), "while evaluating the return value of the function passed to builtins.concatMap")
		if err != nil {
			return nil, err
		}
		out = append(out, part.Elems...)
	}
	return th.MakeList(out), nil
}

func partition(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.partition")
	if err != nil {
		return nil, err
	}
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.partition")
	if err != nil {
		return nil, err
	}
	var right, wrong []value.Value
	for _, e := range l.Elems {
		if _, err := th.Force(e, pos); err != nil {
			return nil, err
		}
		r, err := test(th, pos, f, e, "while evaluating the return value of the partition function passed to builtins.partition")
		if err != nil {
			return nil, err
		}
		if r {
			right = append(right, e)
		} else {
			wrong = append(wrong, e)
		}
	}
	b := value.NewBuilder(2)
	b.Add(symbol.Right, source.NoPos, value.NewList(right...))
	b.Add(symbol.Wrong, source.NoPos, value.NewList(wrong...))
	return th.MakeSet(b), nil
}

func groupBy(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.groupBy")
	if err != nil {
		return nil, err
	}
	l, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.groupBy")
	if err != nil {
		return nil, err
	}
	groups := map[symbol.Symbol][]value.Value{}
	for _, e := range l.Elems {
		r, err := th.Apply(pos, f, e)
		if err != nil {
			return nil, err
		}
		name, err := th.StringNoCtx(r, pos, "while evaluating the return value of the grouping function passed to builtins.groupBy")
		if err != nil {
			return nil, err
		}
		sym := th.Symbols.Intern(name)
		groups[sym] = append(groups[sym], e)
	}
	return listsBySymbol(groups), nil
}

// listsBySymbol makes a set of lists.
func listsBySymbol(groups map[symbol.Symbol][]value.Value) *value.Attrs {
	b := value.NewBuilder(len(groups))
	for _, sym := range sortedSymbols(groups) {
		b.Add(sym, source.NoPos, value.NewList(groups[sym]...))
	}
	return b.Finish()
}

func sortedSymbols(groups map[symbol.Symbol][]value.Value) []symbol.Symbol {
	syms := make([]symbol.Symbol, 0, len(groups))
	for sym := range groups {
		syms = append(syms, sym)
	}
	slices.SortFunc(syms, func(a, b symbol.Symbol) int { return cmp.Compare(a, b) })
	return syms
}
