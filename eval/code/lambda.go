package code

import (
	"slices"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Function is a node that makes closures.
type Function interface {
	Node
	value.Function
}

// calling adds the trace frame of a function.
func calling(err error, name string, pos source.Pos) error {
	if name == "" {
		return value.WithCallFrame(err, pos, "while calling anonymous lambda")
	}
	return value.WithCallFrame(err, pos, "while calling '"+name+"'")
}

// Lambda is arg: Body.
type Lambda struct {
	Label string // what messages call it; "" if it has no name
	Arg   string
	Body  Node
	At    source.Pos
}

// Eval makes the closure.
func (l *Lambda) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	return th.NewClosure(l, f), nil
}

// Delay makes the closure, which costs no more than a thunk.
func (l *Lambda) Delay(th *value.Thread, f *value.Frame) value.Value {
	th.Stats.ThunksAvoided++
	return th.NewClosure(l, f)
}

// Call evaluates the body.
func (l *Lambda) Call(th *value.Thread, frame *value.Frame, arg value.Value) (value.Value, error) {
	th.Stats.Calls++
	v, err := l.Body.Eval(th, th.NewFrame1(frame, arg))
	if err != nil {
		return nil, calling(err, l.Label, l.At)
	}
	return v, nil
}

// Formals returns nil.
func (l *Lambda) Formals() *value.Formals { return nil }

// Argument returns the name of the argument.
func (l *Lambda) Argument() string { return l.Arg }

// Name returns the label.
func (l *Lambda) Name() string { return l.Label }

// Pos returns where the function starts.
func (l *Lambda) Pos() source.Pos { return l.At }

// Curried is a: b: … Body: functions of one argument each whose arguments share
// one frame, so that a call with all of them makes nothing in between.
type Curried struct {
	label string
	body  Node
	stage []*stage // of partial application: stage i holds i arguments
	arity int
}

// Param is one argument of a Curried.
type Param struct {
	Name string
	At   source.Pos // of the function that takes it
}

// NewCurried returns the function with the given arguments.
func NewCurried(label string, params []Param, body Node) *Curried {
	c := &Curried{label: label, body: body, arity: len(params)}
	for i, p := range params {
		c.stage = append(c.stage, &stage{fn: c, have: i, Param: p})
	}
	return c
}

// Eval makes the closure.
func (c *Curried) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	return th.NewClosure(c, f), nil
}

// Delay makes the closure.
func (c *Curried) Delay(th *value.Thread, f *value.Frame) value.Value {
	th.Stats.ThunksAvoided++
	return th.NewClosure(c, f)
}

// run evaluates the body in a frame that holds all arguments.
func (c *Curried) run(th *value.Thread, frame *value.Frame) (value.Value, error) {
	th.Stats.Calls += uint64(c.arity)
	v, err := c.body.Eval(th, frame)
	if err != nil {
		return nil, calling(err, c.label, c.stage[c.arity-1].At)
	}
	return v, nil
}

// Call returns the function of the remaining arguments.
func (c *Curried) Call(th *value.Thread, frame *value.Frame, arg value.Value) (value.Value, error) {
	next := th.NewFrame(frame, c.arity)
	next.SetSlot(0, arg)
	return th.NewClosure(c.stage[1], next), nil
}

// Open implements [value.MultiFunction].
func (c *Curried) Open(th *value.Thread, frame *value.Frame) (f *value.Frame, have, room int) {
	return th.NewFrame(frame, c.arity), 0, c.arity
}

// Enter implements [value.MultiFunction].
func (c *Curried) Enter(th *value.Thread, f *value.Frame, have int) (value.Value, error) {
	if have < c.arity {
		return th.NewClosure(c.stage[have], f), nil
	}
	return c.run(th, f)
}

// Formals returns nil.
func (c *Curried) Formals() *value.Formals { return nil }

// Argument returns the name of the first argument.
func (c *Curried) Argument() string { return c.stage[0].Argument() }

// Name returns the label.
func (c *Curried) Name() string { return c.label }

// Pos returns where the function starts.
func (c *Curried) Pos() source.Pos { return c.stage[0].At }

// stage is a curried function that has some of its arguments: its closure's
// frame holds them and is copied, for it may be called more than once.
type stage struct {
	fn   *Curried
	have int
	Param
}

func (s *stage) Call(th *value.Thread, frame *value.Frame, arg value.Value) (value.Value, error) {
	f, have, _ := s.Open(th, frame)
	f.SetSlot(have, arg)
	return s.fn.Enter(th, f, have+1)
}

func (s *stage) Open(th *value.Thread, frame *value.Frame) (f *value.Frame, have, room int) {
	f = th.NewFrame(frame.Up(), s.fn.arity)
	for i := range s.have {
		f.SetSlot(i, frame.Slot(i))
	}
	return f, s.have, s.fn.arity - s.have
}

func (s *stage) Enter(th *value.Thread, f *value.Frame, have int) (value.Value, error) {
	return s.fn.Enter(th, f, have)
}

func (s *stage) Formals() *value.Formals { return nil }
func (s *stage) Argument() string        { return s.Param.Name }
func (s *stage) Name() string            { return s.fn.label }
func (s *stage) Pos() source.Pos         { return s.At }

// Pattern is { a, b ? d, ... }: Body, perhaps with a name for the whole
// argument, which then has slot 0.
type Pattern struct {
	Label    string
	Whole    string // the name of the whole argument, "" if it has none
	List     *value.Formals
	Defaults []Node // nil for required ones; evaluated in the function's frame
	Body     Node
	At       source.Pos
}

// Eval makes the closure.
func (p *Pattern) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	return th.NewClosure(p, f), nil
}

// Delay makes the closure.
func (p *Pattern) Delay(th *value.Thread, f *value.Frame) value.Value {
	th.Stats.ThunksAvoided++
	return th.NewClosure(p, f)
}

// Call matches the argument and evaluates the body.
func (p *Pattern) Call(th *value.Thread, up *value.Frame, arg value.Value) (value.Value, error) {
	set, ok := arg.(*value.Attrs)
	if !ok {
		var err error
		set, err = th.Attrs(arg, p.At, "while evaluating the value passed for the lambda argument")
		if err != nil {
			e := value.AsError(err)
			e.OfCall = true
			return nil, e
		}
	}
	formals := p.List.List
	n := len(formals)
	base := 0
	if p.Whole != "" {
		base = 1
	}
	frame := th.NewFrame(up, n+base)
	if p.Whole != "" {
		frame.SetSlot(0, arg)
	}
	used := 0
	for i := range formals {
		if a := set.Find(formals[i].Sym); a != nil {
			used++
			frame.SetSlot(base+i, a.Val)
			continue
		}
		d := p.Defaults[i]
		if d == nil {
			err := th.Errorf(p.At, value.TypeError, "function '%s' called without required argument '%s'",
				p.title(), th.Symbols.Name(formals[i].Sym))
			err.OfCall = true
			return nil, err
		}
		frame.SetSlot(base+i, d.Delay(th, frame))
	}
	if used != set.Len() && !p.List.Ellipsis {
		return nil, p.unexpected(th, set)
	}
	th.Stats.Calls++
	v, err := p.Body.Eval(th, frame)
	if err != nil {
		return nil, calling(err, p.Label, p.At)
	}
	return v, nil
}

func (p *Pattern) title() string {
	if p.Label == "" {
		return "anonymous lambda"
	}
	return p.Label
}

// unexpected is the error of the first attribute that no formal takes.
func (p *Pattern) unexpected(th *value.Thread, set *value.Attrs) error {
	has := func(s symbol.Symbol) bool {
		return slices.ContainsFunc(p.List.List, func(f value.Formal) bool { return f.Sym == s })
	}
	for a := range set.Each {
		if has(a.Sym) {
			continue
		}
		var names []string
		for _, f := range p.List.List {
			names = append(names, th.Symbols.Name(f.Sym))
		}
		name := th.Symbols.Name(a.Sym)
		err := th.Errorf(p.At, value.TypeError, "function '%s' called with unexpected argument '%s'", p.title(), th.AttrName(a.Sym))
		err.OfCall = true
		return err.WithNote(value.Suggest(names, name))
	}
	panic("code: no argument is unexpected")
}

// Formals returns the pattern.
func (p *Pattern) Formals() *value.Formals { return p.List }

// Argument returns the name of the whole argument, "" if it has none.
func (p *Pattern) Argument() string { return p.Whole }

// Name returns the label.
func (p *Pattern) Name() string { return p.Label }

// Pos returns where the function starts.
func (p *Pattern) Pos() source.Pos { return p.At }

var (
	_ Function            = (*Lambda)(nil)
	_ Function            = (*Curried)(nil)
	_ Function            = (*Pattern)(nil)
	_ value.MultiFunction = (*Curried)(nil)
	_ value.MultiFunction = (*stage)(nil)
)
