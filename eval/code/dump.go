package code

import (
	"fmt"
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
)

// Dump writes a program as nested lists: (node operand …). Variables read
// depth.slot.
func Dump(n Node, t *symbol.Table) string {
	d := &dumper{names: t.Names()}
	n.dump(d)
	return d.String()
}

type dumper struct {
	strings.Builder
	names  []string
	indent int
}

// open starts a list; its nodes are indented on lines of their own.
func (d *dumper) open(format string, args ...any) {
	d.WriteByte('(')
	fmt.Fprintf(d, format, args...)
	d.indent++
}

func (d *dumper) close() {
	d.indent--
	d.WriteByte(')')
}

func (d *dumper) line(label string) {
	d.WriteByte('\n')
	d.WriteString(strings.Repeat("  ", d.indent))
	d.WriteString(label)
}

func (d *dumper) node(n Node) { d.named("", n) }

func (d *dumper) named(label string, n Node) {
	if label != "" {
		label += " = "
	}
	d.line(label)
	n.dump(d)
}

func (d *dumper) list(head string, nodes ...Node) {
	d.open("%s", head)
	for _, n := range nodes {
		d.node(n)
	}
	d.close()
}

func (d *dumper) sym(s symbol.Symbol) string {
	var b strings.Builder
	value.AppendAttrName(&b, d.names[s])
	return b.String()
}

func (d *dumper) value(v value.Value) {
	switch v := v.(type) {
	case value.Null:
		d.WriteString("null")
	case value.Bool:
		d.WriteString(strconv.FormatBool(bool(v)))
	case value.Int:
		d.WriteString(strconv.FormatInt(int64(v), 10))
	case value.Float:
		d.WriteString(strconv.FormatFloat(float64(v), 'g', -1, 64))
	case *value.String:
		value.AppendQuoted(&d.Builder, v.S)
	case value.Path:
		d.WriteString(string(v))
	case *value.Builtin:
		d.WriteString("builtin:" + v.Name)
	case *value.List:
		d.WriteByte('[')
		for _, e := range v.Elems {
			d.WriteByte(' ')
			d.value(e)
		}
		d.WriteString(" ]")
	case *value.Attrs:
		d.WriteByte('{')
		for _, a := range v.All() {
			d.WriteString(" " + d.sym(a.Sym) + " = ")
			d.value(a.Val)
			d.WriteByte(';')
		}
		d.WriteString(" }")
	default:
		fmt.Fprintf(d, "%T", v)
	}
}

func (d *dumper) path(path []Name) {
	for i := range path {
		if path[i].Expr != nil {
			d.named("name", path[i].Expr)
			continue
		}
		d.line("." + d.sym(path[i].Sym))
	}
}

func (d *dumper) dynamic(attrs []DynamicAttr) {
	for i := range attrs {
		d.named("name", attrs[i].Name)
		d.named("value", attrs[i].X)
	}
}

func (c *Const) dump(d *dumper) { d.value(c.V) }
func (l *LiteralAttrs) dump(d *dumper) {
	d.WriteString("(literal ")
	d.value(value.NewAttrs(l.At, l.Attrs))
	d.WriteByte(')')
}
func (l *LiteralList) dump(d *dumper) {
	d.WriteString("(literal ")
	d.value(value.NewList(l.Elems...))
	d.WriteByte(')')
}
func (g *Global) dump(d *dumper) { d.WriteString("global:" + g.Name) }
func (k *Known) dump(d *dumper)  { d.WriteString("builtins." + k.Name) }
func (p *Deep) dump(d *dumper)   { d.list(fmt.Sprintf("deep %d", p.Levels), p.X) }
func (v *Local) dump(d *dumper)  { fmt.Fprintf(d, "0.%d", v.Slot) }
func (v *Up) dump(d *dumper)     { fmt.Fprintf(d, "1.%d", v.Slot) }
func (v *Far) dump(d *dumper)    { fmt.Fprintf(d, "%d.%d", v.Depth, v.Slot) }
func (h *Here) dump(d *dumper)   { d.WriteString("here") }

func (v *FromWith) dump(d *dumper) {
	fmt.Fprintf(d, "(with-variable %s", d.sym(v.Name))
	for _, w := range v.Withs {
		fmt.Fprintf(d, " %d", w.Depth)
	}
	d.WriteByte(')')
}

func (s *SelectOne) dump(d *dumper) { d.list("select-one ."+d.sym(s.Sym), s.X) }

func (s *Select) dump(d *dumper) {
	d.open("select")
	d.node(s.X)
	d.path(s.Path)
	if s.Default != nil {
		d.named("or", s.Default)
	}
	d.close()
}

func (h *Has) dump(d *dumper) {
	d.open("has")
	d.node(h.X)
	d.path(h.Path)
	d.close()
}

func (c *CallOne) dump(d *dumper)     { d.list("call-one", c.Fn, c.Arg) }
func (c *Call) dump(d *dumper)        { d.list("call", append([]Node{c.Fn}, c.Args...)...) }
func (c *CallBuiltin) dump(d *dumper) { d.list("call-builtin "+c.Builtin.Name, c.Args...) }
func (l *Lambda) dump(d *dumper)      { d.list(strings.TrimSpace("lambda "+l.Label), l.Body) }
func (c *Curried) dump(d *dumper) {
	d.list(strings.TrimSpace(fmt.Sprintf("curried %d %s", c.arity, c.label)), c.body)
}

func (p *Pattern) dump(d *dumper) {
	d.open("%s", strings.TrimSpace("pattern "+p.Label))
	if p.Whole != "" {
		d.line("@ " + p.Whole)
	}
	for i, f := range p.List.List {
		if p.Defaults[i] == nil {
			d.line(d.sym(f.Sym))
			continue
		}
		d.line(d.sym(f.Sym) + " ? ")
		p.Defaults[i].dump(d)
	}
	if p.List.Ellipsis {
		d.line("...")
	}
	d.node(p.Body)
	d.close()
}

func (d *dumper) binds(binds []Bind) {
	for i, b := range binds {
		label := strconv.Itoa(i)
		if b.Outer {
			label += " outer"
		}
		d.named(label, b.X)
	}
}

func (l *Let) dump(d *dumper) {
	d.open("let")
	d.binds(l.Binds)
	d.node(l.Body)
	d.close()
}

func (s *Attrs) dump(d *dumper) {
	d.open("attrs")
	for i := range s.Attrs {
		d.named(d.sym(s.Attrs[i].Sym), s.Attrs[i].X)
	}
	d.close()
}

func (s *Sources) dump(d *dumper) {
	d.open("sources")
	for _, x := range s.From {
		d.named("from", x)
	}
	d.node(s.Body)
	d.close()
}

func (r *Rec) dump(d *dumper) {
	d.open("rec")
	base := len(r.Binds) - len(r.Attrs)
	for i, b := range r.Binds {
		label := "from"
		if i >= base {
			label = d.sym(r.Attrs[i-base].Sym)
		}
		if b.Outer {
			label += " outer"
		}
		d.named(fmt.Sprintf("%d %s", i, label), b.X)
	}
	if r.Overrides >= 0 {
		d.line("overrides")
	}
	d.dynamic(r.Dynamic)
	d.close()
}

func (s *Dynamic) dump(d *dumper) {
	d.open("dynamic")
	for i := range s.Static.Attrs {
		d.named(d.sym(s.Static.Attrs[i].Sym), s.Static.Attrs[i].X)
	}
	d.dynamic(s.Attrs)
	d.close()
}

func (l *List) dump(d *dumper)   { d.list("list", l.Elems...) }
func (i *If) dump(d *dumper)     { d.list("if", i.Cond, i.Then, i.Else) }
func (w *With) dump(d *dumper)   { d.list("with", w.Scope, w.Body) }
func (a *Assert) dump(d *dumper) { d.list("assert "+strconv.Quote(a.Text()), a.Cond, a.Body) }
func (n *Not) dump(d *dumper)    { d.list("not", n.X) }
func (l *Logic) dump(d *dumper)  { d.list(logicOps[l.Op].name, l.L, l.R) }

func (e *Equal) dump(d *dumper) {
	op := "=="
	if e.Not {
		op = "!="
	}
	d.list(op, e.L, e.R)
}

func (a *Arith) dump(d *dumper)  { d.list(a.Builtin.Name, a.L, a.R) }
func (u *Update) dump(d *dumper) { d.list("//", u.Sets...) }
func (c *Concat) dump(d *dumper) { d.list("++", c.L, c.R) }
func (a *Add) dump(d *dumper)    { d.list("+", a.L, a.R) }

func (d *dumper) parts(parts []Part) {
	for i := range parts {
		d.node(parts[i].X)
	}
}

func (s *Interp) dump(d *dumper) {
	d.open("string")
	d.parts(s.Parts)
	d.close()
}

func (p *Path) dump(d *dumper) {
	d.open("path %s", p.Prefix)
	d.parts(p.Parts)
	d.close()
}
