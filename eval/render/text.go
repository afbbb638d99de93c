package render

import (
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Text returns v, which was forced deeply, as nix-instantiate --eval --strict
// prints it (Nix: printAmbiguous). Nothing is evaluated: what is not evaluated
// yet is <CODE>. A set or list that was printed before is «repeated». The
// result has no final newline.
func Text(th *value.Thread, v value.Value) (string, error) {
	return text(th, v, true)
}

// LazyText is [Text] for a value that was not forced deeply, as without
// --strict. A function within it is <CODE>: it costs no thunk here, but does in
// Nix, and nothing will have called for it.
func LazyText(th *value.Thread, v value.Value) (string, error) {
	return text(th, v, false)
}

func text(th *value.Thread, v value.Value, deep bool) (string, error) {
	w, err := th.Force(v, source.NoPos)
	if err != nil {
		return "", err
	}
	p := textPrinter{th: th, deep: deep, seen: map[value.Value]bool{}}
	if _, ok := w.(*value.Closure); ok {
		return "<LAMBDA>", nil
	}
	err = p.print(v)
	return p.out.String(), err
}

type textPrinter struct {
	th     *value.Thread
	deep   bool // all was forced
	out    strings.Builder
	growth value.Growth
	seen   map[value.Value]bool // sets by themselves; lists by the thunk that made them, if any
}

func (p *textPrinter) print(v value.Value) error {
	if err := p.th.Enter(source.NoPos); err != nil {
		return err
	}
	defer p.th.Leave()
	if err := p.growth.Fit(p.th, source.NoPos, p.out.Len()); err != nil {
		return err
	}
	w, state := value.Peek(v)
	switch state {
	case value.Suspended:
		p.out.WriteString("<CODE>")
		return nil
	case value.Running:
		p.out.WriteString("«potential infinite recursion»")
		return nil
	}
	if s, ok := scalar(w); ok {
		p.out.WriteString(s)
		return nil
	}
	switch w := w.(type) {
	case *value.String:
		if err := p.growth.Fit(p.th, source.NoPos, p.out.Len()+len(w.S)); err != nil {
			return err
		}
		value.AppendQuoted(&p.out, w.S)
	case *value.Attrs:
		return p.attrs(w)
	case *value.List:
		return p.list(v, w)
	case *value.Closure:
		if !p.deep && v == value.Value(w) {
			p.out.WriteString("<CODE>")
		} else {
			p.out.WriteString("<LAMBDA>")
		}
	case *value.Builtin:
		p.out.WriteString("<PRIMOP>")
	case *value.PartialApp:
		p.out.WriteString("<PRIMOP-APP>")
	}
	return nil
}

func (p *textPrinter) attrs(a *value.Attrs) error {
	if a.Len() > 0 && p.repeated(a) {
		return nil
	}
	p.out.WriteString("{ ")
	for _, at := range a.Sorted(p.th.Symbols) {
		value.AppendAttrName(&p.out, p.th.Symbols.Name(at.Sym))
		p.out.WriteString(" = ")
		if err := p.print(at.Val); err != nil {
			return err
		}
		p.out.WriteString("; ")
	}
	p.out.WriteString("}")
	return nil
}

func (p *textPrinter) list(v value.Value, l *value.List) error {
	if len(l.Elems) > 0 && p.repeated(v) {
		return nil
	}
	p.out.WriteString("[ ")
	for _, e := range l.Elems {
		if err := p.print(e); err != nil {
			return err
		}
		p.out.WriteByte(' ')
	}
	p.out.WriteString("]")
	return nil
}

// repeated records v and writes «repeated» if it was there before.
func (p *textPrinter) repeated(v value.Value) bool {
	if p.seen[v] {
		p.out.WriteString("«repeated»")
		return true
	}
	p.seen[v] = true
	return false
}

// scalar is the text of what looks the same everywhere.
func scalar(v value.Value) (string, bool) {
	switch v := v.(type) {
	case value.Int:
		return strconv.FormatInt(int64(v), 10), true
	case value.Bool:
		return strconv.FormatBool(bool(v)), true
	case value.Float:
		return value.FormatFloat(float64(v)), true
	case value.Path:
		return v.Show(), true
	case value.Null:
		return "null", true
	}
	return "", false
}

// isDerivation reports whether a is { type = "derivation"; … }; it evaluates
// the type if need be.
func isDerivation(th *value.Thread, a *value.Attrs) (bool, error) {
	at, ok := a.Get(symbol.Type)
	if !ok {
		return false, nil
	}
	v, err := th.Force(at.Val, at.Pos)
	if err != nil {
		return false, err
	}
	s, ok := v.(*value.String)
	return ok && s.S == "derivation", nil
}
