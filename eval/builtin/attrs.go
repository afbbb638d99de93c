package builtin

import (
	"cmp"
	"slices"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func attrsTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "attrNames", Params: []string{"set"}, Fn: attrNames,
			Doc: "Return the names of a set's attributes, sorted."},
		{Name: "attrValues", Params: []string{"set"}, Fn: attrValues,
			Doc: "Return the values of a set's attributes in the order of their names."},
		{Name: "getAttr", Params: []string{"s", "set"}, Fn: getAttr,
			Doc: "Return the attribute named s; set.${s} as a function."},
		{Name: "hasAttr", Params: []string{"s", "set"}, Fn: hasAttr,
			Doc: "Return whether set has an attribute named s; set ? ${s} as a function."},
		{Name: "removeAttrs", Params: []string{"set", "list"}, Fn: removeAttrs,
			Doc: "Return the set without the attributes that list names."},
		{Name: "listToAttrs", Params: []string{"e"}, Fn: listToAttrs,
			Doc: "Return a set made from a list of { name = …; value = …; }; of equal names the first counts."},
		{Name: "intersectAttrs", Params: []string{"e1", "e2"}, Fn: intersectAttrs,
			Doc: "Return the attributes of e2 whose names e1 has too."},
		{Name: "catAttrs", Params: []string{"attr", "list"}, Fn: catAttrs,
			Doc: "Return the values of the attribute attr in those sets of list that have it."},
		{Name: "unsafeGetAttrPos", Params: []string{"s", "set"}, Fn: unsafeGetAttrPos,
			Doc: "Return the place of the attribute named s as { file; line; column; }, or null."},
	}
}

// attr is a.Get by name for an attribute that must be there.
func attr(th *value.Thread, a *value.Attrs, name, why string) (value.Attr, error) {
	return attrSym(th, a, th.Symbols.Intern(name), why)
}

// attrSym is a.Get for an attribute that must be there.
func attrSym(th *value.Thread, a *value.Attrs, sym symbol.Symbol, why string) (value.Attr, error) {
	if at, ok := a.Get(sym); ok {
		return at, nil
	}
	err := th.Errorf(source.NoPos, value.TypeError, "attribute '%s' missing", th.AttrName(sym))
	return value.Attr{}, value.WithFrame(err, source.NoPos, why)
}

func attrNames(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	set, err := th.Attrs(args[0], pos, "while evaluating the argument passed to builtins.attrNames")
	if err != nil {
		return nil, err
	}
	out := th.NewValues(set.Len())[:0]
	for at := range set.Each {
		out = append(out, th.SymbolString(at.Sym))
	}
	slices.SortFunc(out, func(x, y value.Value) int { return strings.Compare(x.(*value.String).S, y.(*value.String).S) })
	return th.MakeList(out), nil
}

func attrValues(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	set, err := th.Attrs(args[0], pos, "while evaluating the argument passed to builtins.attrValues")
	if err != nil {
		return nil, err
	}
	attrs := set.Sorted(th.Symbols)
	out := th.NewValues(len(attrs))
	for i, at := range attrs {
		out[i] = at.Val
	}
	return th.MakeList(out), nil
}

func getAttr(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.getAttr")
	if err != nil {
		return nil, err
	}
	set, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.getAttr")
	if err != nil {
		return nil, err
	}
	at, err := attr(th, set, name, "in the attribute set under consideration")
	if err != nil {
		return nil, err
	}
	return th.Force(at.Val, pos)
}

func hasAttr(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.hasAttr")
	if err != nil {
		return nil, err
	}
	set, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.hasAttr")
	if err != nil {
		return nil, err
	}
	sym, ok := th.Symbols.Lookup(name)
	if ok {
		_, ok = set.Get(sym)
	}
	return value.Bool(ok), nil
}

func removeAttrs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	set, err := th.Attrs(args[0], pos, "while evaluating the first argument passed to builtins.removeAttrs")
	if err != nil {
		return nil, err
	}
	list, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.removeAttrs")
	if err != nil {
		return nil, err
	}
	var drop []symbol.Symbol
	for _, e := range list.Elems {
		name, err := th.StringNoCtx(e, pos, "while evaluating the values of the second argument passed to builtins.removeAttrs")
		if err != nil {
			return nil, err
		}
		if sym, ok := th.Symbols.Lookup(name); ok {
			if _, ok := set.Get(sym); ok {
				drop = append(drop, sym)
			}
		}
	}
	if len(drop) == 0 {
		return set.Copy(), nil
	}
	slices.Sort(drop)
	drop = slices.Compact(drop)
	out, attrs := th.MakeAttrs(source.NoPos, set.Len()-len(drop))
	i := 0
	for at := range set.Each {
		if _, found := slices.BinarySearch(drop, at.Sym); !found {
			attrs[i] = *at
			i++
		}
	}
	return out, nil
}

func listToAttrs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	const pair = "in a {name=...; value=...;} pair"
	list, err := th.List(args[0], pos, "while evaluating the argument passed to builtins.listToAttrs")
	if err != nil {
		return nil, err
	}
	type entry struct {
		sym symbol.Symbol
		set *value.Attrs
	}
	entries := make([]entry, len(list.Elems))
	for i, e := range list.Elems {
		set, err := th.Attrs(e, pos, "while evaluating an element of the list passed to builtins.listToAttrs")
		if err != nil {
			return nil, err
		}
		at, err := attrSym(th, set, symbol.Name, pair)
		if err != nil {
			return nil, err
		}
		name, err := th.StringNoCtx(at.Val, at.Pos, "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs")
		if err != nil {
			return nil, err
		}
		entries[i] = entry{th.Symbols.Intern(name), set}
	}
	// Only the first element of a name needs a value.
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.sym, b.sym) })
	b := value.NewBuilder(len(entries))
	for i, e := range entries {
		if i > 0 && entries[i-1].sym == e.sym {
			continue
		}
		at, err := attrSym(th, e.set, symbol.Value, pair)
		if err != nil {
			return nil, err
		}
		b.Add(e.sym, at.Pos, at.Val)
	}
	return th.MakeSet(b), nil
}

func intersectAttrs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	left, err := th.Attrs(args[0], pos, "while evaluating the first argument passed to builtins.intersectAttrs")
	if err != nil {
		return nil, err
	}
	right, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.intersectAttrs")
	if err != nil {
		return nil, err
	}
	b := value.NewBuilder(min(left.Len(), right.Len()))
	if left.Len() < right.Len() {
		for l := range left.Each {
			if r, ok := right.Get(l.Sym); ok {
				b.Add(r.Sym, r.Pos, r.Val)
			}
		}
		return th.MakeSet(b), nil
	}
	for r := range right.Each {
		if _, ok := left.Get(r.Sym); ok {
			b.Add(r.Sym, r.Pos, r.Val)
		}
	}
	return th.MakeSet(b), nil
}

func catAttrs(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.catAttrs")
	if err != nil {
		return nil, err
	}
	list, err := th.List(args[1], pos, "while evaluating the second argument passed to builtins.catAttrs")
	if err != nil {
		return nil, err
	}
	sym := th.Symbols.Intern(name)
	var out []value.Value
	for _, e := range list.Elems {
		set, err := th.Attrs(e, pos, "while evaluating an element in the list passed as second argument to builtins.catAttrs")
		if err != nil {
			return nil, err
		}
		if at, ok := set.Get(sym); ok {
			out = append(out, at.Val)
		}
	}
	return th.MakeList(out), nil
}

func unsafeGetAttrPos(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	name, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.unsafeGetAttrPos")
	if err != nil {
		return nil, err
	}
	set, err := th.Attrs(args[1], pos, "while evaluating the second argument passed to builtins.unsafeGetAttrPos")
	if err != nil {
		return nil, err
	}
	sym, ok := th.Symbols.Lookup(name)
	if !ok {
		return value.Null{}, nil
	}
	at, ok := set.Get(sym)
	if !ok {
		return value.Null{}, nil
	}
	return Position(th, at.Pos), nil
}

// Position is a place as unsafeGetAttrPos and __curPos give it: a set with
// file, line and column, or null where there is no file.
func Position(th *value.Thread, pos source.Pos) value.Value {
	at, ok := th.Sources.Position(pos)
	if !ok || at.File.Path() == "" {
		return value.Null{}
	}
	b := value.NewBuilder(3)
	b.Add(symbol.File, source.NoPos, value.NewString(at.File.Path()))
	b.Add(symbol.Line, source.NoPos, value.Int(at.Line))
	b.Add(symbol.Column, source.NoPos, value.Int(at.Column))
	return b.Finish()
}
