package code

import (
	"path"
	"strings"

	"gonix/eval/value"
	"gonix/parser/source"
)

// Part is one operand of an Interp or Path.
type Part struct {
	X  Node
	At source.Pos
}

const whyPart = "while evaluating a path segment"

// Interp is a string with interpolations. Paths in it are copied to the store.
type Interp struct {
	Parts []Part
	At    source.Pos
}

// Eval coerces and joins the parts.
func (s *Interp) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	var buf [8]string
	texts := buf[:0]
	var ctx *value.Context
	size := 0
	for i := range s.Parts {
		p := &s.Parts[i]
		v, err := p.X.Eval(th, f)
		if err != nil {
			return nil, err
		}
		str, ok := v.(*value.String)
		if !ok {
			str, err = th.Coerce(v, p.At, value.CoerceOptions{CopyToStore: true}, whyPart)
			if err != nil {
				return nil, err
			}
		}
		if len(s.Parts) == 1 {
			return str, nil
		}
		texts = append(texts, str.S)
		size += len(str.S)
		ctx = ctx.Union(str.Ctx)
	}
	if err := th.FitText(s.At, size); err != nil {
		return nil, err
	}
	return &value.String{S: strings.Join(texts, ""), Ctx: ctx}, nil
}

// Delay returns a thunk.
func (s *Interp) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeInterp, s, f)
}

// Pos returns where the string starts.
func (s *Interp) Pos() source.Pos { return s.At }

// Path is a path literal with interpolations: Prefix, then the parts. Nothing
// is copied, and no part may refer to the store.
type Path struct {
	Prefix string
	Parts  []Part
	At     source.Pos
}

// Eval coerces and joins the parts.
func (p *Path) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	var b strings.Builder
	var ctx *value.Context
	b.WriteString(p.Prefix)
	for i := range p.Parts {
		v, err := p.Parts[i].X.Eval(th, f)
		if err != nil {
			return nil, err
		}
		s, err := th.Coerce(v, p.Parts[i].At, value.CoerceOptions{}, whyPart)
		if err != nil {
			return nil, err
		}
		if err := th.FitText(p.At, b.Len()+len(s.S)); err != nil {
			return nil, err
		}
		b.WriteString(s.S)
		ctx = ctx.Union(s.Ctx)
	}
	return pathOf(th, b.String(), ctx, p.At)
}

func pathOf(th *value.Thread, text string, ctx *value.Context, pos source.Pos) (value.Value, error) {
	if ctx != nil {
		return nil, th.Errorf(pos, value.EvalError, "a string that refers to a store path cannot be appended to a path")
	}
	if strings.IndexByte(text, 0) >= 0 {
		return nil, th.Errorf(pos, value.EvalError, "path '%s' contains a null byte", text)
	}
	return value.Path(path.Clean("/" + text)), nil
}

// Delay returns a thunk.
func (p *Path) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typePath, p, f) }

// Pos returns where the path starts.
func (p *Path) Pos() source.Pos { return p.At }

// Add is L + R: the left side decides whether numbers are added, a path is
// extended or strings are joined.
type Add struct {
	L, R  Node
	Start source.Pos // of the left operand
	At    source.Pos // of the operator
}

// Eval computes the sum.
func (a *Add) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	l, err := a.L.Eval(th, f)
	if err != nil {
		return nil, err
	}
	switch x := l.(type) {
	case value.Int, value.Float:
		r, err := a.R.Eval(th, f)
		if err != nil {
			return nil, err
		}
		return a.numbers(th, l, r)
	case *value.String:
		r, err := a.R.Eval(th, f)
		if err != nil {
			return nil, err
		}
		y, ok := r.(*value.String)
		if !ok {
			if y, err = th.Coerce(r, a.right(th), value.CoerceOptions{CopyToStore: true}, whyPart); err != nil {
				return nil, err
			}
		}
		if err := th.FitText(a.At, len(x.S)+len(y.S)); err != nil {
			return nil, err
		}
		return &value.String{S: x.S + y.S, Ctx: x.Ctx.Union(y.Ctx)}, nil
	}
	x, err := th.Coerce(l, a.Start, value.CoerceOptions{}, whyPart)
	if err != nil {
		return nil, err
	}
	r, err := a.R.Eval(th, f)
	if err != nil {
		return nil, err
	}
	y, err := th.Coerce(r, a.right(th), value.CoerceOptions{}, whyPart)
	if err != nil {
		return nil, err
	}
	if err := th.FitText(a.At, len(x.S)+len(y.S)); err != nil {
		return nil, err
	}
	ctx := x.Ctx.Union(y.Ctx)
	if _, isPath := l.(value.Path); isPath {
		return pathOf(th, x.S+y.S, ctx, a.At)
	}
	return &value.String{S: x.S + y.S, Ctx: ctx}, nil
}

// right is where the right operand begins, parentheses included: what comes
// after the operator, white space and comments.
func (a *Add) right(th *value.Thread) source.Pos {
	file := th.Sources.File(a.At)
	if file == nil {
		return a.At
	}
	text := file.Text
	i := file.Offset(a.At) + 1
	for i < len(text) {
		rest := text[i:]
		switch {
		case strings.IndexByte(" \t\r\n", text[i]) >= 0:
			i++
		case text[i] == '#':
			i += lengthTo(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			i += 2 + lengthTo(rest[2:], "*/")
		default:
			return file.Pos(i)
		}
	}
	return a.At
}

// lengthTo is the length of text up to and including the first end.
func lengthTo(text, end string) int {
	if i := strings.Index(text, end); i >= 0 {
		return i + len(end)
	}
	return len(text)
}

func (a *Add) numbers(th *value.Thread, l, r value.Value) (value.Value, error) {
	switch x := l.(type) {
	case value.Int:
		switch y := r.(type) {
		case value.Int:
			sum := x + y
			if (sum > x) != (y > 0) && y != 0 {
				return nil, th.Errorf(a.right(th), value.EvalError, "integer overflow in adding %d + %d", x, y)
			}
			return sum, nil
		case value.Float:
			return value.Float(x) + y, nil
		}
		return nil, th.Errorf(a.right(th), value.EvalError, "cannot add %s to an integer", value.TypeName(r))
	case value.Float:
		switch y := r.(type) {
		case value.Int:
			return x + value.Float(y), nil
		case value.Float:
			return x + y, nil
		}
	}
	return nil, th.Errorf(a.right(th), value.EvalError, "cannot add %s to a float", value.TypeName(r))
}

// Delay returns a thunk.
func (a *Add) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeAdd, a, f) }

// Pos returns the place of the operator.
func (a *Add) Pos() source.Pos { return a.At }
