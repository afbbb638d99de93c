package value

import (
	"strings"

	"gonix/eval/symbol"
)

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

// AttrName returns the name of an attribute as messages show it: in quotes if
// it is not an identifier.
func (th *Thread) AttrName(sym symbol.Symbol) string {
	var b strings.Builder
	AppendAttrName(&b, th.Symbols.Name(sym))
	return b.String()
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
