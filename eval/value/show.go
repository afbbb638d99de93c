package value

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonix/eval/symbol"
)

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
	s := shower{th: th, names: th.Symbols.Names()}
	s.value(v, 0)
	return s.String()
}

type shower struct {
	strings.Builder
	th    *Thread
	names []string
	seen  map[Value]bool
	attrs int
	items int
}

func (s *shower) value(v Value, depth int) {
	switch v := v.(type) {
	case Null:
		s.WriteString("null")
	case Bool:
		s.WriteString(strconv.FormatBool(bool(v)))
	case Int:
		s.WriteString(strconv.FormatInt(int64(v), 10))
	case Float:
		s.WriteString(FormatFloat(float64(v)))
	case Path:
		s.WriteString(string(v))
	case *String:
		s.text(v.S)
	case *List:
		s.list(v, depth)
	case *Attrs:
		s.set(v, depth)
	case *Closure:
		s.WriteString("«lambda")
		if n := v.Fn.Name(); n != "" {
			s.WriteString(" " + n)
		}
		s.WriteString(" @ " + s.th.ShowPos(v.Fn.Pos()) + "»")
	case *Builtin:
		s.WriteString("«primop " + v.Name + "»")
	case *PartialApp:
		s.WriteString("«partially applied primop " + v.Builtin.Name + "»")
	case *Thunk:
		if v.code == nil {
			s.value(v.val, depth)
			return
		}
		if _, forcing := v.code.(blackhole); forcing {
			s.WriteString("«potential infinite recursion»")
			return
		}
		s.WriteString("«thunk»")
	}
}

func (s *shower) text(t string) {
	if len(t) <= showString {
		AppendQuoted(&s.Builder, t)
		return
	}
	AppendQuoted(&s.Builder, t[:showString])
	s.WriteByte(' ')
	s.elided(len(t)-showString, "byte")
}

func (s *shower) elided(n int, what string) {
	if n != 1 {
		what += "s"
	}
	fmt.Fprintf(s, "«%d %s elided»", n, what)
}

// repeated reports whether v was shown before.
func (s *shower) repeated(v Value) bool {
	if s.seen[v] {
		s.WriteString("«repeated»")
		return true
	}
	if s.seen == nil {
		s.seen = map[Value]bool{}
	}
	s.seen[v] = true
	return false
}

func (s *shower) list(l *List, depth int) {
	if len(l.Elems) > 0 && s.repeated(l) {
		return
	}
	if depth >= showDepth {
		s.WriteString("[ ... ]")
		return
	}
	s.WriteByte('[')
	for i, e := range l.Elems {
		s.WriteByte(' ')
		if s.items >= showItems {
			s.elided(len(l.Elems)-i, "item")
			break
		}
		s.value(e, depth+1)
		s.items++
	}
	s.WriteString(" ]")
}

func (s *shower) set(a *Attrs, depth int) {
	if a.Len() > 0 && s.repeated(a) {
		return
	}
	if depth >= showDepth {
		s.WriteString("{ ... }")
		return
	}
	s.WriteByte('{')
	attrs := a.Sorted(s.th.Symbols)
	slices.SortStableFunc(attrs, func(x, y Attr) int { return s.rank(x) - s.rank(y) })
	for i, x := range attrs {
		s.WriteByte(' ')
		if s.attrs >= showAttrs {
			n := len(attrs) - i
			s.elided(n, "attribute")
			break
		}
		AppendAttrName(&s.Builder, s.names[x.Sym])
		s.WriteString(" = ")
		s.value(x.Val, depth+1)
		s.WriteByte(';')
		s.attrs++
	}
	s.WriteString(" }")
}

// rank puts type and _type before the other attributes.
func (s *shower) rank(a Attr) int {
	if a.Sym == symbol.Type || s.names[a.Sym] == "_type" {
		return 0
	}
	return 1
}

// AppendQuoted writes t as a string literal of the language.
func AppendQuoted(b *strings.Builder, t string) {
	b.WriteByte('"')
	for i := range len(t) {
		switch c := t[i]; {
		case c == '"' || c == '\\' || c == '$' && i+1 < len(t) && t[i+1] == '{':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}

// AppendAttrName writes the name of an attribute, in quotes if it is not an
// identifier.
func AppendAttrName(b *strings.Builder, name string) {
	if IsIdentifier(name) {
		b.WriteString(name)
		return
	}
	AppendQuoted(b, name)
}

// IsIdentifier reports whether name can be written as an attribute name
// without quotes.
func IsIdentifier(name string) bool {
	switch name {
	case "", "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit":
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '\''):
		default:
			return false
		}
	}
	return true
}
