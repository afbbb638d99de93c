package builtin

import (
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func mapAttrsTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "mapAttrs", Params: []string{"f", "attrset"}, Fn: mapAttrs,
			Doc: "Return the set of f name value for each attribute, evaluated when needed."},
		{Name: "zipAttrsWith", Params: []string{"f", "list"}, Fn: zipAttrsWith,
			Doc: "Return the set of f name values for each name in a list of sets, values being what the sets have under it."},
		{Name: "functionArgs", Params: []string{"f"}, Fn: functionArgs,
			Doc: "Return the names of a function's set pattern, each with whether it has a default; { } if it takes no set."},
	}
}

func mapAttrs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	set, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.mapAttrs")
	if err != nil {
		return nil, err
	}
	return th.MapAttrs(args[0], set), nil
}

func zipAttrsWith(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	f, err := th.Function(args[0], pos, "while evaluating the first argument passed to builtins.zipAttrsWith")
	if err != nil {
		return nil, err
	}
	list, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.zipAttrsWith")
	if err != nil {
		return nil, err
	}
	groups := map[symbol.Symbol][]value.Value{}
	for _, e := range list.Elems {
		set, err := th.Attrs(e, pos, "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith")
		if err != nil {
			return nil, err
		}
		for at := range set.Each {
			groups[at.Sym] = append(groups[at.Sym], at.Val)
		}
	}
	out, attrs := th.MakeAttrs(source.NoPos, len(groups))
	for i, sym := range sortedSymbols(groups) {
		call := th.LazyApply(pos, f, th.SymbolString(sym), value.NewList(groups[sym]...))
		attrs[i] = value.Attr{Sym: sym, Val: call}
	}
	return out, nil
}

func functionArgs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	switch f := v.(type) {
	case *value.Builtin, *value.PartialApp:
		return value.EmptyAttrs, nil
	case *value.Closure:
		formals := f.Fn.Formals()
		if formals == nil {
			return value.EmptyAttrs, nil
		}
		b := value.NewBuilder(len(formals.List))
		for _, formal := range formals.List {
			b.Add(formal.Sym, formal.Pos, value.Bool(formal.Optional))
		}
		return th.MakeSet(b), nil
	}
	return nil, th.Errorf(pos, value.TypeError, "'functionArgs' requires a function")
}
