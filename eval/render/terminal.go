package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tabWidth is how many columns tabulators are apart.
const tabWidth = 8

// Terminal writes a message as it is shown to people: tabulators become spaces,
// carriage returns and bells are left out, and so are escape sequences, except
// that those of colours stay if color (Nix: filterANSIEscapes).
func Terminal(text string, color bool) string {
	if strings.IndexFunc(text, func(c rune) bool { return c < ' ' && c != '\n' }) < 0 {
		return text
	}
	var b strings.Builder
	column := 0 // as Nix, from the beginning of the message, not of the line
	for len(text) > 0 {
		n := 1
		switch c := text[0]; c {
		case 0x1b:
			n = escapeLen(text)
			if color && n > 2 && text[n-1] == 'm' && text[1] == '[' {
				b.WriteString(text[:n])
			}
		case '\t':
			for {
				b.WriteByte(' ')
				column++
				if column%tabWidth == 0 {
					break
				}
			}
		case '\r', '\a':
		default:
			var r rune
			r, n = utf8.DecodeRuneInString(text)
			column += columns(r)
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// columns is how wide a character is.
func columns(r rune) int {
	if r < ' ' || r == 0x7f {
		return 0
	}
	if unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) ||
		r >= 0xff01 && r <= 0xff60 || r >= 0x1f300 && r <= 0x1faff {
		return 2
	}
	return 1
}

// escapeLen returns the length of the escape sequence at the start of text.
func escapeLen(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	i := 2
	run := func(low, high byte) {
		for i < len(text) && text[i] >= low && text[i] <= high {
			i++
		}
	}
	switch {
	case text[1] == '[': // parameters, intermediate bytes, the final one
		run('0', '?')
		run(' ', '/')
		if i < len(text) && text[i] >= '@' && text[i] <= '~' {
			i++
		}
	case text[1] == ']': // until BEL or ESC \
		for i < len(text) && text[i] != 0x1b && text[i] != '\a' {
			i++
		}
		if i < len(text) {
			i++
			if text[i-1] == 0x1b && i < len(text) && text[i] == '\\' {
				i++
			}
		}
	case text[1] < '@' || text[1] > '_':
		i = 1
	}
	return i
}
