package value

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// ShowOptions say how much of a value [Thread.ShowAs] writes. The zero value of
// a limit means no limit.
type ShowOptions struct {
	Force       bool // evaluate what is not evaluated yet
	Derivations bool // with Force: write a derivation as «derivation /nix/store/….drv»
	NoRepeats   bool // write shared sets and lists again instead of «repeated»
	Indent      int  // columns by which nested values are indented; 0 writes one line

	MaxDepth  int // levels of nesting
	MaxAttrs  int // attributes in all
	MaxItems  int // list items in all
	MaxString int // bytes of each string

	Color bool // in the colours of Nix, with the codes of a terminal

	// Errors returns errors instead of writing them as «error: …»; TopErrors
	// does for errors of the value itself, not for those of what is in it.
	Errors, TopErrors bool
}

// Colours of values.
const (
	red     = "\x1b[31;1m"
	green   = "\x1b[32;1m"
	blue    = "\x1b[34;1m"
	magenta = "\x1b[35;1m"
	cyan    = "\x1b[36;1m"
	faint   = "\x1b[2m"
	normal  = "\x1b[0m"
)

// write writes text in a colour, if there are any.
func (p *showPrinter) write(colour, text string) {
	if !p.Color {
		p.out.WriteString(text)
		return
	}
	p.out.WriteString(colour + text + normal)
}

// Limits of the values in error messages (Nix: errorPrintOptions).
const (
	showDepth  = 10
	showAttrs  = 10
	showItems  = 10
	showString = 1024
)

// Show writes v as error messages do: on one line, nothing forced, at most
// ten levels, attributes and list elements.
func (th *Thread) Show(v Value) string {
	s, err := th.ShowAs(v, ShowOptions{MaxDepth: showDepth, MaxAttrs: showAttrs, MaxItems: showItems, MaxString: showString})
	if err != nil {
		panic("value: show: " + err.Error()) // nothing was evaluated
	}
	return s
}

// ShowAs returns v as traces, nix eval and the REPL write it (Nix:
// ValuePrinter). Functions tell their name and place.
func (th *Thread) ShowAs(v Value, o ShowOptions) (string, error) {
	for _, limit := range []*int{&o.MaxDepth, &o.MaxAttrs, &o.MaxItems, &o.MaxString} {
		if *limit == 0 {
			*limit = math.MaxInt
		}
	}
	p := showPrinter{th: th, ShowOptions: o, seen: map[Value]bool{}}
	err := p.print(v, 0)
	return p.out.String(), err
}

type showPrinter struct {
	th *Thread
	ShowOptions
	out          strings.Builder
	seen         map[Value]bool
	attrs, items int
	indent       int
}

func (p *showPrinter) print(v Value, depth int) error {
	// Messages, which are not deep, are written at any depth of calls.
	if depth > showDepth || p.Force {
		if err := p.th.Enter(source.NoPos); err != nil {
			return err
		}
		defer p.th.Leave()
	}
	err := p.printValue(v, depth)
	if err == nil || p.Errors || p.TopErrors && depth == 0 || p.th.Interrupted() {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != DepthExceeded {
		p.write(red, "«error: "+e.Msg+"»")
		return nil
	}
	return err
}

func (p *showPrinter) printValue(v Value, depth int) error {
	if p.Force {
		if _, err := p.th.Force(v, source.NoPos); err != nil {
			return err
		}
	}
	w, state := Peek(v)
	if _, lambda := v.(*Closure); lambda && depth > 0 && !p.Force {
		state = Suspended // a function costs no thunk here, but does in Nix
	}
	switch state {
	case Suspended:
		p.write(magenta, "«thunk»")
		return nil
	case Running:
		p.write(red, "«potential infinite recursion»")
		return nil
	}
	switch w := w.(type) {
	case Null:
		p.write(cyan, "null")
	case Bool:
		p.write(cyan, strconv.FormatBool(bool(w)))
	case Int:
		p.write(cyan, strconv.FormatInt(int64(w), 10))
	case Float:
		p.write(cyan, FormatFloat(float64(w)))
	case Path:
		p.write(green, w.Show())
	case *String:
		p.printString(w.S)
	case *Attrs:
		return p.printAttrs(w, depth)
	case *List:
		return p.printList(v, w, depth)
	case *Closure:
		p.write(blue, "«"+p.lambda(w)+"»")
	case *Builtin:
		p.write(blue, "«primop "+w.Name+"»")
	case *PartialApp:
		p.write(blue, "«partially applied primop "+w.Builtin.Name+"»")
	}
	return nil
}

func (p *showPrinter) lambda(c *Closure) string {
	s := "lambda"
	if name := c.Fn.Name(); name != "" {
		s += " " + name
	}
	return s + " @ " + p.th.ShowPos(c.Fn.Pos())
}

func (p *showPrinter) printString(s string) {
	left := len(s) - p.MaxString
	if left > 0 {
		s = s[:p.MaxString]
	}
	var quoted strings.Builder
	AppendQuoted(&quoted, s)
	p.write(magenta, quoted.String())
	if left > 0 {
		p.out.WriteByte(' ')
		p.elide(left, "byte")
	}
}

// elide says that n things were left out.
func (p *showPrinter) elide(n int, thing string) {
	if n != 1 {
		thing += "s"
	}
	p.write(faint, fmt.Sprintf("«%d %s elided»", n, thing))
}

func (p *showPrinter) repeated(v Value) bool {
	if p.NoRepeats {
		return false
	}
	if p.seen[v] {
		p.write(magenta, "«repeated»")
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
func (p *showPrinter) pretty(n int, first func() Value) (bool, error) {
	if p.Indent == 0 || n == 0 {
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
	case *List, *Attrs:
		return true, nil
	}
	return false, nil
}

func (p *showPrinter) printAttrs(a *Attrs, depth int) error {
	if p.repeated(a) {
		return nil
	}
	if p.Force && p.Derivations {
		drv, err := p.th.IsDerivation(a)
		if err != nil {
			return err
		}
		if drv {
			return p.derivation(a)
		}
	}
	if depth >= p.MaxDepth {
		p.out.WriteString("{ ... }")
		return nil
	}
	attrs := a.Sorted(p.th.Symbols)
	if p.MaxAttrs != math.MaxInt {
		p.importantFirst(attrs)
	}
	p.indent += p.Indent
	p.out.WriteByte('{')
	pretty, err := p.pretty(len(attrs), func() Value { return attrs[0].Val })
	if err != nil {
		return err
	}
	for i, at := range attrs {
		p.space(pretty)
		if p.attrs >= p.MaxAttrs {
			p.elide(len(attrs)-i, "attribute")
			break
		}
		AppendAttrName(&p.out, p.th.Symbols.Name(at.Sym))
		p.out.WriteString(" = ")
		if err := p.print(at.Val, depth+1); err != nil {
			return err
		}
		p.out.WriteByte(';')
		p.attrs++
	}
	p.indent -= p.Indent
	p.space(pretty)
	p.out.WriteByte('}')
	return nil
}

// importantFirst moves type and _type to the front, where a cut-off set still
// shows them.
func (p *showPrinter) importantFirst(attrs []Attr) {
	rank := func(at Attr) int {
		switch p.th.Symbols.Name(at.Sym) {
		case "type", "_type":
			return 0
		}
		return 1
	}
	slices.SortStableFunc(attrs, func(a, b Attr) int { return rank(a) - rank(b) })
}

func (p *showPrinter) printList(v Value, l *List, depth int) error {
	if len(l.Elems) > 0 && p.repeated(v) {
		return nil
	}
	if depth >= p.MaxDepth {
		p.out.WriteString("[ ... ]")
		return nil
	}
	p.indent += p.Indent
	p.out.WriteByte('[')
	pretty, err := p.pretty(len(l.Elems), func() Value { return l.Elems[0] })
	if err != nil {
		return err
	}
	for i, e := range l.Elems {
		p.space(pretty)
		if p.items >= p.MaxItems {
			p.elide(len(l.Elems)-i, "item")
			break
		}
		if err := p.print(e, depth+1); err != nil {
			return err
		}
		p.items++
	}
	p.indent -= p.Indent
	p.space(pretty)
	p.out.WriteByte(']')
	return nil
}

func (p *showPrinter) derivation(a *Attrs) error {
	text := "«derivation"
	if at, ok := a.Get(symbol.DrvPath); ok {
		s, err := p.th.Coerce(at.Val, at.Pos, CoerceOptions{}, "while evaluating the drvPath of a derivation")
		if err != nil {
			return err
		}
		text += " " + s.S
	}
	p.write(green, text+"»")
	return nil
}
