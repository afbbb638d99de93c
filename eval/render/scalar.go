package render

import (
	"math"
	"strconv"
	"strings"
)

// Float formats f as C's %g does, which is how Nix prints floats: six
// significant digits, no trailing zeros (1.0 is 1).
func Float(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		if math.Signbit(f) {
			return "-nan"
		}
		return "nan"
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// Quote returns s as a Nix string literal.
func Quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	quote(&b, s, math.MaxInt)
	return b.String()
}

// quote writes s as a Nix string literal, cut off after limit bytes.
func quote(b *strings.Builder, s string, limit int) {
	b.WriteByte('"')
	for i := range len(s) {
		if i >= limit {
			b.WriteString(`" `)
			elide(b, len(s)-i, "byte")
			return
		}
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '$':
			if i+1 < len(s) && s[i+1] == '{' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}

// elide says that n things were left out.
func elide(b *strings.Builder, n int, thing string) {
	b.WriteString("«")
	b.WriteString(strconv.Itoa(n))
	b.WriteByte(' ')
	b.WriteString(thing)
	if n != 1 {
		b.WriteByte('s')
	}
	b.WriteString(" elided»")
}

// isKeyword reports whether s cannot be an identifier. As in Nix, "or" can.
func isKeyword(s string) bool {
	switch s {
	case "if", "then", "else", "assert", "with", "let", "in", "rec", "inherit":
		return true
	}
	return false
}

// IsIdentifier reports whether s may be written as an attribute name without
// quotes.
func IsIdentifier(s string) bool {
	if s == "" || isKeyword(s) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '\''):
		default:
			return false
		}
	}
	return true
}

// AttrName returns s as it is written on the left of an = in a set.
func AttrName(s string) string {
	if IsIdentifier(s) {
		return s
	}
	return Quote(s)
}
