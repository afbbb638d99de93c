package render

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Options say how much of a value [Show] writes. The zero value of a limit
// means no limit.
type Options struct {
	Force       bool // evaluate what is not evaluated yet
	Derivations bool // with Force: write a derivation as «derivation /nix/store/….drv»
	NoRepeats   bool // write shared sets and lists again instead of «repeated»
	Indent      int  // columns by which nested values are indented; 0 writes one line

	MaxDepth  int // levels of nesting
	MaxAttrs  int // attributes in all
	MaxItems  int // list items in all
	MaxString int // bytes of each string

	// Errors returns errors instead of writing them as «error: …».
	Errors bool
}

// Show returns v as traces, nix eval and the REPL write it (Nix: ValuePrinter).
// Functions tell their name and place. For error messages there is
// [value.Thread.Show], with the limits that they have.
func Show(th *value.Thread, v value.Value, o Options) (string, error) {
	for _, limit := range []*int{&o.MaxDepth, &o.MaxAttrs, &o.MaxItems, &o.MaxString} {
		if *limit == 0 {
			*limit = math.MaxInt
		}
	}
	p := showPrinter{th: th, o: o, seen: map[value.Value]bool{}}
	err := p.print(v, 0)
	return p.out.String(), err
}

type showPrinter struct {
	th           *value.Thread
	o            Options
	out          strings.Builder
	seen         map[value.Value]bool
	attrs, items int
	indent       int
}

func (p *showPrinter) print(v value.Value, depth int) error {
	if err := p.th.Enter(source.NoPos); err != nil {
		return err
	}
	defer p.th.Leave()
	err := p.printValue(v, depth)
	if e, ok := errors.AsType[*value.Error](err); ok && !p.o.Errors && e.Kind != value.DepthExceeded {
		p.out.WriteString("«error: " + e.Msg + "»")
		return nil
	}
	return err
}

func (p *showPrinter) printValue(v value.Value, depth int) error {
	if p.o.Force {
		if _, err := p.th.Force(v, source.NoPos); err != nil {
			return err
		}
	}
	w, state := value.Peek(v)
	switch state {
	case value.Suspended:
		p.out.WriteString("«thunk»")
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
		p.printString(w.S)
	case *value.Attrs:
		return p.printAttrs(w, depth)
	case *value.List:
		return p.printList(v, w, depth)
	case *value.Closure:
		p.out.WriteString("«" + p.lambda(w) + "»")
	case *value.Builtin:
		p.out.WriteString("«primop " + w.Name + "»")
	case *value.PartialApp:
		p.out.WriteString("«partially applied primop " + w.Builtin.Name + "»")
	}
	return nil
}

func (p *showPrinter) lambda(c *value.Closure) string {
	s := "lambda"
	if name := c.Fn.Name(); name != "" {
		s += " " + name
	}
	return s + " @ " + p.th.ShowPos(c.Fn.Pos())
}

func (p *showPrinter) printString(s string) {
	if len(s) <= p.o.MaxString {
		value.AppendQuoted(&p.out, s)
		return
	}
	value.AppendQuoted(&p.out, s[:p.o.MaxString])
	p.out.WriteByte(' ')
	p.elide(len(s)-p.o.MaxString, "byte")
}

// elide says that n things were left out.
func (p *showPrinter) elide(n int, thing string) {
	if n != 1 {
		thing += "s"
	}
	fmt.Fprintf(&p.out, "«%d %s elided»", n, thing)
}

func (p *showPrinter) repeated(v value.Value) bool {
	if p.o.NoRepeats {
		return false
	}
	if p.seen[v] {
		p.out.WriteString("«repeated»")
		return true
	}
	p.seen[v] = true
	return false
}

// space separates items.
func (p *showPrinter) space(pretty bool) {
	if !pretty {
		p.out.WriteByte(' ')
		return
	}
	p.out.WriteByte('\n')
	for range p.indent {
		p.out.WriteByte(' ')
	}
}

// pretty decides whether something of n items, the only one of them being
// first, is spread over several lines.
func (p *showPrinter) pretty(n int, first func() value.Value) (bool, error) {
	if p.o.Indent == 0 || n == 0 {
		return false, nil
	}
	if n > 1 {
		return true, nil
	}
	v, err := p.th.Force(first(), source.NoPos)
	if err != nil {
		return false, err
	}
	switch v.(type) {
	case *value.List, *value.Attrs:
		return true, nil
	}
	return false, nil
}

func (p *showPrinter) printAttrs(a *value.Attrs, depth int) error {
	if p.repeated(a) {
		return nil
	}
	if p.o.Force && p.o.Derivations {
		drv, err := isDerivation(p.th, a)
		if err != nil {
			return err
		}
		if drv {
			return p.derivation(a)
		}
	}
	if depth >= p.o.MaxDepth {
		p.out.WriteString("{ ... }")
		return nil
	}
	attrs := a.Sorted(p.th.Symbols)
	if p.o.MaxAttrs != math.MaxInt {
		p.importantFirst(attrs)
	}
	p.indent += p.o.Indent
	p.out.WriteByte('{')
	pretty, err := p.pretty(len(attrs), func() value.Value { return attrs[0].Val })
	if err != nil {
		return err
	}
	for i, at := range attrs {
		p.space(pretty)
		if p.attrs >= p.o.MaxAttrs {
			p.elide(len(attrs)-i, "attribute")
			break
		}
		value.AppendAttrName(&p.out, p.th.Symbols.Name(at.Sym))
		p.out.WriteString(" = ")
		if err := p.print(at.Val, depth+1); err != nil {
			return err
		}
		p.out.WriteByte(';')
		p.attrs++
	}
	p.indent -= p.o.Indent
	p.space(pretty)
	p.out.WriteByte('}')
	return nil
}

// importantFirst moves type and _type to the front, where a cut-off set still
// shows them.
func (p *showPrinter) importantFirst(attrs []value.Attr) {
	rank := func(at value.Attr) int {
		switch p.th.Symbols.Name(at.Sym) {
		case "type", "_type":
			return 0
		}
		return 1
	}
	slices.SortStableFunc(attrs, func(a, b value.Attr) int { return rank(a) - rank(b) })
}

func (p *showPrinter) printList(v value.Value, l *value.List, depth int) error {
	if len(l.Elems) > 0 && p.repeated(v) {
		return nil
	}
	if depth >= p.o.MaxDepth {
		p.out.WriteString("[ ... ]")
		return nil
	}
	p.indent += p.o.Indent
	p.out.WriteByte('[')
	pretty, err := p.pretty(len(l.Elems), func() value.Value { return l.Elems[0] })
	if err != nil {
		return err
	}
	for i, e := range l.Elems {
		p.space(pretty)
		if p.items >= p.o.MaxItems {
			p.elide(len(l.Elems)-i, "item")
			break
		}
		if err := p.print(e, depth+1); err != nil {
			return err
		}
		p.items++
	}
	p.indent -= p.o.Indent
	p.space(pretty)
	p.out.WriteByte(']')
	return nil
}

func (p *showPrinter) derivation(a *value.Attrs) error {
	p.out.WriteString("«derivation")
	if at, ok := a.Get(symbol.DrvPath); ok {
		s, err := p.th.Coerce(at.Val, at.Pos, value.CoerceOptions{}, "while evaluating the drvPath of a derivation")
		if err != nil {
			return err
		}
		p.out.WriteString(" " + s.S)
	}
	p.out.WriteString("»")
	return nil
}
