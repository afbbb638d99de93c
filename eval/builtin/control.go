package builtin

import (
	"errors"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func controlTable() []*value.Builtin {
	return []*value.Builtin{
		{Name: "abort", Params: []string{"s"}, Fn: abort,
			Doc: "End the evaluation with the message s; tryEval does not catch it."},
		{Name: "throw", Params: []string{"s"}, Fn: throw,
			Doc: "Fail with the message s; tryEval catches it."},
		{Name: "tryEval", Params: []string{"e"}, Fn: tryEval,
			Doc: "Return { success = true; value = e; }, or { success = false; value = false; } if evaluating e ends in throw or a failed assertion."},
		{Name: "addErrorContext", Params: []string{"context", "value"}, Fn: addErrorContext, NoFrame: true,
			Doc: "Return value; if it fails, its trace says context."},
		{Name: "seq", Params: []string{"e1", "e2"}, Fn: seq,
			Doc: "Evaluate e1, then return e2."},
		{Name: "deepSeq", Params: []string{"e1", "e2"}, Fn: deepSeq,
			Doc: "Evaluate e1 and all that it holds, then return e2."},
		{Name: "break", Params: []string{"v"}, NoFrame: true, Fn: breakpoint,
			Doc: "Return v; a debugger would stop here."},
	}
}

func abort(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the error message passed to builtins.abort")
	if err != nil {
		return nil, err
	}
	return nil, th.Errorf(pos, value.Abort, "evaluation aborted with the following error message: '%s'", s.S)
}

func throw(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.Coerce(args[0], pos, stored, "while evaluating the error message passed to builtin.throw")
	if err != nil {
		return nil, err
	}
	return nil, th.Errorf(pos, value.Throw, "%s", s.S)
}

func tryEval(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if e, ok := errors.AsType[*value.Error](err); ok && e.Kind.Catchable() {
		v = nil
	} else if err != nil {
		return nil, err
	}
	b := value.NewBuilder(2)
	b.Add(symbol.Success, source.NoPos, value.Bool(v != nil))
	if v == nil {
		v = value.Bool(false)
	}
	b.Add(symbol.Value, source.NoPos, v)
	return th.MakeSet(b), nil
}

func addErrorContext(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[1], pos)
	if err == nil {
		return v, nil
	}
	s, err2 := th.Coerce(args[0], pos, asIs, "while evaluating the error message passed to builtins.addErrorContext")
	if err2 != nil {
		return nil, err2
	}
	return nil, value.WithLastingFrame(err, s.S)
}

func seq(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	if _, err := th.Force(args[0], pos); err != nil {
		return nil, err
	}
	return th.Force(args[1], pos)
}

func deepSeq(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	if err := th.DeepForce(args[0], pos); err != nil {
		return nil, err
	}
	return th.Force(args[1], pos)
}

func breakpoint(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	return th.Force(args[0], pos)
}
