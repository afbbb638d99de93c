package builtin

import (
	"errors"

	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/source"
)

func dataTable(h Host) []*value.Builtin {
	return []*value.Builtin{
		{Name: "toJSON", Params: []string{"e"}, Fn: toJSON,
			Doc: "Return e as JSON. A derivation is its output path, a path that of its copy in the store; functions have no JSON."},
		{Name: "fromJSON", Params: []string{"e"}, Fn: fromJSON,
			Doc: "Return the value of a JSON text."},
		{Name: "fromTOML", Params: []string{"e"}, Fn: fromTOML(h),
			Doc: "Return the value of a TOML text, in which dates and times are refused unless parse-toml-timestamps is on."},
		{Name: "toXML", Params: []string{"e"}, Fn: toXML,
			Doc: "Return e as XML."},
	}
}

func toJSON(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, ctx, err := render.JSON(th, args[0], pos, true, true)
	if err != nil {
		return nil, err
	}
	return &value.String{S: s, Ctx: ctx}, nil
}

func toXML(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, ctx, err := render.XML(th, args[0], pos, true, false)
	if err != nil {
		return nil, err
	}
	return &value.String{S: s, Ctx: ctx}, nil
}

func fromJSON(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.StringNoCtx(args[0], pos, "while evaluating the first argument passed to builtins.fromJSON")
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(th, s)
	if _, ok := errors.AsType[jsonError](err); ok {
		return nil, value.WithFrame(hostError(pos, err), pos, "while decoding a JSON string")
	}
	if err != nil {
		return nil, hostError(pos, err)
	}
	return v, nil
}

func fromTOML(h Host) builtinFunc {
	return func(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
		s, err := th.StringNoCtx(args[0], pos, "while evaluating the argument passed to builtins.fromTOML")
		if err != nil {
			return nil, err
		}
		v, err := parseTOML(th, s, h.TOMLTimestamps())
		if err != nil {
			return nil, th.Errorf(pos, value.EvalError, "while parsing TOML: %v", err)
		}
		return v, nil
	}
}
