package render

import (
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// XML returns v as the document of builtins.toXML and --xml, and the context
// of all its strings. With strict, it evaluates what it meets; else something
// not evaluated is <unevaluated />. With locations, attributes and functions
// say where they were written.
func XML(th *value.Thread, v value.Value, pos source.Pos, strict, locations bool) (string, *value.Context, error) {
	p := xmlPrinter{th: th, strict: strict, locations: locations, drvs: map[string]bool{}}
	p.out.WriteString("<?xml version='1.0' encoding='utf-8'?>\n")
	p.open("expr", nil)
	err := p.print(v, pos)
	p.close("expr")
	return p.out.String(), p.ctx, err
}

type xmlPrinter struct {
	th                *value.Thread
	strict, locations bool
	out               strings.Builder
	growth            value.Growth
	depth             int
	ctx               *value.Context
	drvs              map[string]bool // drvPath of derivations already written
}

// xmlAttr is one XML attribute; they are written in the order of their names.
type xmlAttr struct{ name, value string }

func (p *xmlPrinter) tag(name string, attrs []xmlAttr, end string) {
	for range p.depth {
		p.out.WriteString("  ")
	}
	p.out.WriteByte('<')
	p.out.WriteString(name)
	for _, a := range attrs {
		p.out.WriteByte(' ')
		p.out.WriteString(a.name)
		p.out.WriteString(`="`)
		xmlEscaper.WriteString(&p.out, a.value)
		p.out.WriteByte('"')
	}
	p.out.WriteString(end)
}

var xmlEscaper = strings.NewReplacer(`"`, "&quot;", "<", "&lt;", ">", "&gt;", "&", "&amp;", "\n", "&#xA;")

func (p *xmlPrinter) empty(name string, attrs ...xmlAttr) { p.tag(name, attrs, " />\n") }

func (p *xmlPrinter) open(name string, attrs []xmlAttr) {
	p.tag(name, attrs, ">\n")
	p.depth++
}

func (p *xmlPrinter) close(name string) {
	p.depth--
	p.tag("/"+name, nil, ">\n")
}

func (p *xmlPrinter) print(v value.Value, pos source.Pos) error {
	if err := p.th.Enter(pos); err != nil {
		return err
	}
	defer p.th.Leave()
	if err := p.growth.Fit(p.th, pos, p.out.Len()); err != nil {
		return err
	}
	if p.strict {
		var err error
		if v, err = p.th.Force(v, pos); err != nil {
			return err
		}
	}
	w, state := value.Peek(v)
	if state != value.Evaluated {
		p.empty("unevaluated")
		return nil
	}
	switch w := w.(type) {
	case value.Null:
		p.empty("null")
	case value.Bool:
		p.empty("bool", xmlAttr{"value", strconv.FormatBool(bool(w))})
	case value.Int:
		p.empty("int", xmlAttr{"value", strconv.FormatInt(int64(w), 10)})
	case value.Float:
		p.empty("float", xmlAttr{"value", value.FormatFloat(float64(w))})
	case *value.String:
		p.ctx = p.ctx.Union(w.Ctx)
		if err := p.growth.Fit(p.th, pos, p.out.Len()+len(w.S)); err != nil {
			return err
		}
		p.empty("string", xmlAttr{"value", w.S})
	case value.Path:
		p.empty("path", xmlAttr{"value", w.Show()})
	case *value.List:
		p.open("list", nil)
		for _, e := range w.Elems {
			if err := p.print(e, pos); err != nil {
				return err
			}
		}
		p.close("list")
	case *value.Attrs:
		return p.set(w)
	case *value.Closure:
		if !p.strict && v == value.Value(w) && p.depth > 1 {
			p.empty("unevaluated") // as in [LazyText]
			return nil
		}
		p.function(w)
	default:
		p.empty("unevaluated")
	}
	return nil
}

func (p *xmlPrinter) set(a *value.Attrs) error {
	drv, err := isDerivation(p.th, a)
	if err != nil {
		return err
	}
	if !drv {
		p.open("attrs", nil)
		err := p.attrs(a)
		p.close("attrs")
		return err
	}
	var xa []xmlAttr
	var drvPath string
	for _, sym := range []symbol.Symbol{symbol.DrvPath, symbol.OutPath} {
		s, err := p.text(a, sym)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		if sym == symbol.DrvPath {
			drvPath = s.S
		}
		xa = append(xa, xmlAttr{p.th.Symbols.Name(sym), s.S})
	}
	p.open("derivation", xa)
	if drvPath != "" && !p.drvs[drvPath] {
		p.drvs[drvPath] = true
		err = p.attrs(a)
	} else {
		p.empty("repeated")
	}
	p.close("derivation")
	return err
}

// text is the string attribute sym of a, or nil if it is none.
func (p *xmlPrinter) text(a *value.Attrs, sym symbol.Symbol) (*value.String, error) {
	at, ok := a.Get(sym)
	if !ok {
		return nil, nil
	}
	if p.strict {
		if _, err := p.th.Force(at.Val, at.Pos); err != nil {
			return nil, err
		}
	}
	v, _ := value.Peek(at.Val)
	s, _ := v.(*value.String)
	return s, nil
}

func (p *xmlPrinter) attrs(a *value.Attrs) error {
	for _, at := range a.Sorted(p.th.Symbols) {
		xa := []xmlAttr{{"name", p.th.Symbols.Name(at.Sym)}}
		if p.locations {
			xa = p.location(at.Pos, xa)
		}
		p.open("attr", xa)
		if err := p.print(at.Val, at.Pos); err != nil {
			return err
		}
		p.close("attr")
	}
	return nil
}

// location adds the place of something to its XML attributes, which stay
// sorted: column, line, name, path.
func (p *xmlPrinter) location(pos source.Pos, xa []xmlAttr) []xmlAttr {
	at, ok := p.th.Sources.Position(pos)
	if !ok {
		return xa
	}
	out := []xmlAttr{{"column", strconv.Itoa(at.Column)}, {"line", strconv.Itoa(at.Line)}}
	out = append(out, xa...)
	if path := at.File.Path(); path != "" {
		out = append(out, xmlAttr{"path", path})
	}
	return out
}

func (p *xmlPrinter) function(c *value.Closure) {
	var xa []xmlAttr
	if p.locations {
		xa = p.location(c.Fn.Pos(), nil)
	}
	p.open("function", xa)
	f := c.Fn.Formals()
	if f == nil {
		p.empty("varpat", xmlAttr{"name", p.argument(c)})
		p.close("function")
		return
	}
	var pat []xmlAttr
	if f.Ellipsis {
		pat = append(pat, xmlAttr{"ellipsis", "1"})
	}
	if name := p.argument(c); name != "" {
		pat = append(pat, xmlAttr{"name", name})
	}
	p.open("attrspat", pat)
	b := value.NewBuilder(len(f.List))
	for _, formal := range f.List {
		b.Add(formal.Sym, formal.Pos, value.Null{})
	}
	for _, at := range b.Finish().Sorted(p.th.Symbols) {
		p.empty("attr", xmlAttr{"name", p.th.Symbols.Name(at.Sym)})
	}
	p.close("attrspat")
	p.close("function")
}

// argument is the name of c's whole argument: x of x: …, or args of
// { … }@args: ….
func (p *xmlPrinter) argument(c *value.Closure) string {
	if f, ok := c.Fn.(Argument); ok {
		return f.Argument()
	}
	return ""
}

// Argument is what a value.Function implements to tell the name of its whole
// argument, which only XML shows; "" if a pattern binds none.
type Argument interface{ Argument() string }
