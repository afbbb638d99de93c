package builtin

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

func kindTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "typeOf", Params: []string{"e"}, Fn: typeOf,
			Doc: "Return the type of e: int, bool, string, path, null, set, list, lambda or float."},
		{Name: "isNull", Params: []string{"e"}, Fn: is[value.Null],
			Doc: "Return whether e is null."},
		{Name: "isBool", Params: []string{"e"}, Fn: is[value.Bool],
			Doc: "Return whether e is a Boolean."},
		{Name: "isInt", Params: []string{"e"}, Fn: is[value.Int],
			Doc: "Return whether e is an integer."},
		{Name: "isFloat", Params: []string{"e"}, Fn: is[value.Float],
			Doc: "Return whether e is a float."},
		{Name: "isString", Params: []string{"e"}, Fn: is[*value.String],
			Doc: "Return whether e is a string."},
		{Name: "isPath", Params: []string{"e"}, Fn: is[value.Path],
			Doc: "Return whether e is a path."},
		{Name: "isList", Params: []string{"e"}, Fn: is[*value.List],
			Doc: "Return whether e is a list."},
		{Name: "isAttrs", Params: []string{"e"}, Fn: is[*value.Attrs],
			Doc: "Return whether e is a set."},
		{Name: "isFunction", Params: []string{"e"}, Fn: isFunction,
			Doc: "Return whether e is a function; a set with __functor is none."},
	}
}

func typeOf(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	return value.NewString(value.TypeOf(v)), nil
}

func is[T value.Value](th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	_, ok := v.(T)
	return value.Bool(ok), nil
}

func isFunction(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case *value.Closure, *value.Builtin, *value.PartialApp:
		return value.Bool(true), nil
	}
	return value.Bool(false), nil
}
