package builtin

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// string reads any of the four kinds of strings.
func (p *tomlParser) string() (string, error) {
	switch {
	case p.take(`"""`):
		return p.multiline(`"""`)
	case p.take(`'''`):
		return p.multiline(`'''`)
	case p.peek() == '"':
		return p.basic()
	}
	return p.literal()
}

// basic reads "…".
func (p *tomlParser) basic() (string, error) {
	p.at++
	var b strings.Builder
	for {
		c := p.peek()
		switch {
		case p.at == len(p.text) || c == '\n' || c == '\r':
			return "", fmt.Errorf("string without an end")
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		case isTOMLControl(c):
			return "", fmt.Errorf("control character %#U in a string", rune(c))
		default:
			b.WriteByte(c)
			p.at++
		}
	}
}

// literal reads '…'.
func (p *tomlParser) literal() (string, error) {
	p.at++
	from := p.at
	for p.at < len(p.text) && p.peek() != '\'' {
		if isTOMLControl(p.peek()) {
			return "", fmt.Errorf("control character %#U in a string", rune(p.peek()))
		}
		p.at++
	}
	if p.at == len(p.text) {
		return "", fmt.Errorf("string without an end")
	}
	p.at++
	return p.text[from : p.at-1], nil
}

// multiline reads a string up to three quotes; one or two more belong to it. A
// line end right at the beginning does not.
func (p *tomlParser) multiline(quotes string) (string, error) {
	p.newline()
	var b strings.Builder
	for {
		c := p.peek()
		switch {
		case p.at == len(p.text):
			return "", fmt.Errorf("string without an end")
		case p.take(quotes):
			for range 2 {
				if p.take(quotes[:1]) {
					b.WriteByte(quotes[0])
				}
			}
			return b.String(), nil
		case p.take("\r\n"):
			b.WriteString("\r\n")
		case c == '\\' && quotes[0] == '"':
			if p.continued() {
				continue
			}
			if err := p.escape(&b); err != nil {
				return "", err
			}
		case isTOMLControl(c) && c != '\n':
			return "", fmt.Errorf("control character %#U in a string", rune(c))
		default:
			b.WriteByte(c)
			p.at++
		}
	}
}

// continued skips a backslash at the end of a line and all blanks and line
// ends that follow.
func (p *tomlParser) continued() bool {
	from := p.at
	p.at++
	p.space()
	if !p.newline() {
		p.at = from
		return false
	}
	for p.space(); p.newline(); p.space() {
	}
	return true
}

func (p *tomlParser) escape(b *strings.Builder) error {
	p.at++
	c := p.peek()
	p.at++
	switch c {
	case '"', '\\':
		b.WriteByte(c)
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		return p.codePoint(b, 4)
	case 'U':
		return p.codePoint(b, 8)
	default:
		return fmt.Errorf("unknown escape \\%c", c)
	}
	return nil
}

func (p *tomlParser) codePoint(b *strings.Builder, digits int) error {
	if p.at+digits > len(p.text) {
		return fmt.Errorf("string without an end")
	}
	hex := p.text[p.at : p.at+digits]
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return fmt.Errorf("%q is no code point", hex)
	}
	p.at += digits
	b.WriteRune(rune(n))
	return nil
}
