package parser

import (
	"strings"

	"gonix/parser/ast"
)

// piece is a part of an indented string before its indentation is gone.
type piece struct {
	ast.Part
	raw bool // neither an interpolation nor an escape
}

// indentedString makes a string of pieces: the spaces that all its lines start
// with go, and so does the last line if there is nothing but spaces in it. Lines
// of spaces alone do not count. An escape or interpolation ends the spaces
// before it; only spaces are indentation, tabs are not.
func indentedString(at ast.At, pieces []piece) *ast.Str {
	strip := stripper{indent: indentation(pieces), lineStart: true}
	parts := make([]ast.Part, 0, len(pieces))
	for i, pc := range pieces {
		if pc.Expr != nil {
			strip.lineStart = false
			strip.dropped = 0
			parts = append(parts, pc.Part)
			continue
		}
		text := strip.text(pc.Text)
		if i == len(pieces)-1 {
			text = trimLastLine(text)
		}
		if text != "" {
			parts = append(parts, ast.Part{At: pc.At, Text: text})
		}
	}
	s := &ast.Str{Parts: parts}
	if !isLiteral(s) {
		s.At = at
	}
	return s
}

// indentation returns how many spaces all lines start with.
func indentation(pieces []piece) int {
	const none = 1_000_000 // as in Nix
	least, spaces, lineStart := none, 0, true
	for _, pc := range pieces {
		if !pc.raw {
			if lineStart {
				lineStart = false
				least = min(least, spaces)
			}
			continue
		}
		text := pc.Text
		for i := 0; i < len(text); i++ {
			if !lineStart {
				j := strings.IndexByte(text[i:], '\n')
				if j < 0 {
					break
				}
				i += j
				lineStart, spaces = true, 0
				continue
			}
			switch text[i] {
			case ' ':
				spaces++
			case '\n':
				spaces = 0
			default:
				lineStart = false
				least = min(least, spaces)
			}
		}
	}
	return least
}

// stripper takes the indentation off one piece after the other.
type stripper struct {
	indent    int
	lineStart bool // only spaces so far in this line
	dropped   int  // spaces seen at the start of this line
}

// text returns a piece without the indentation of its lines.
func (s *stripper) text(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		if !s.lineStart {
			j := strings.IndexByte(text[i:], '\n')
			if j < 0 {
				b.WriteString(text[i:])
				break
			}
			b.WriteString(text[i : i+j+1])
			i += j + 1
			s.lineStart = true
			continue
		}
		switch text[i] {
		case ' ':
			if s.dropped >= s.indent {
				b.WriteByte(' ')
			}
			s.dropped++
		case '\n':
			s.dropped = 0
			b.WriteByte('\n')
		default:
			s.lineStart = false
			s.dropped = 0
			b.WriteByte(text[i])
		}
		i++
	}
	return b.String()
}

// trimLastLine takes away a last line of spaces, but not the line end before it.
func trimLastLine(s string) string {
	i := strings.LastIndexByte(s, '\n')
	if i >= 0 && strings.Trim(s[i+1:], " ") == "" {
		return s[:i+1]
	}
	return s
}
