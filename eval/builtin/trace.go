package builtin

import (
	"gonix/eval/value"
	"gonix/parser/source"
)

func traceTable(h Host) []*value.Builtin {
	t := tracer{h}
	return []*value.Builtin{
		{Name: "trace", Params: []string{"e1", "e2"}, Fn: t.trace,
			Doc: "Print e1 on standard error, then return e2."},
		{Name: "traceVerbose", Params: []string{"e1", "e2"}, Fn: t.traceVerbose,
			Doc: "Return e2; with --trace-verbose, print e1 before."},
		{Name: "warn", Params: []string{"e1", "e2"}, Fn: t.warn,
			Doc: "Print the string e1 as a warning, then return e2."},
	}
}

type tracer struct{ host Host }

func (t tracer) trace(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	v, err := th.Force(args[0], pos)
	if err != nil {
		return nil, err
	}
	msg := ""
	if s, ok := v.(*value.String); ok {
		msg = s.S
	} else if msg, err = th.ShowAs(v, value.ShowOptions{}); err != nil {
		return nil, err
	}
	t.host.Trace(msg)
	return th.Force(args[1], pos)
}

func (t tracer) traceVerbose(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	if t.host.TraceVerbose() {
		return t.trace(th, pos, args)
	}
	return th.Force(args[1], pos)
}

func (t tracer) warn(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	s, err := th.String(args[0], pos, "while evaluating the first argument; the message passed to builtins.warn")
	if err != nil {
		return nil, err
	}
	if err := t.host.Warn(s.S); err != nil {
		return nil, hostError(pos, err)
	}
	return th.Force(args[1], pos)
}
