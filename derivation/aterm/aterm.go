// Package aterm reads and writes the part of the ATerm text format that
// derivations use: quoted strings, lists and tuples, without any white space.
//
// A string may hold every byte. Only quote, backslash, line feed, carriage
// return and tab are escaped; a backslash before any other byte stands for
// that byte (Nix: parseString and printString in derivations.cc).
package aterm

import (
	"fmt"
	"strings"
)

// Scanner takes a text apart from left to right. Its methods leave it where it
// was when they return an error.
type Scanner struct {
	text string
	pos  int
}

// NewScanner returns a scanner at the start of text.
func NewScanner(text string) *Scanner { return &Scanner{text: text} }

// Expect skips lit.
func (s *Scanner) Expect(lit string) error {
	if !strings.HasPrefix(s.text[s.pos:], lit) {
		return fmt.Errorf("expected '%s' at byte %d, got '%s'", lit, s.pos, s.ahead(len(lit)))
	}
	s.pos += len(lit)
	return nil
}

// End reports an error unless the whole text has been read.
func (s *Scanner) End() error {
	if s.pos != len(s.text) {
		return fmt.Errorf("unexpected '%s' at byte %d after the end", s.ahead(8), s.pos)
	}
	return nil
}

func (s *Scanner) ahead(n int) string { return s.text[s.pos:min(s.pos+n, len(s.text))] }

// String reads a quoted string.
func (s *Scanner) String() (string, error) {
	start := s.pos
	if start >= len(s.text) || s.text[start] != '"' {
		return "", s.Expect(`"`)
	}
	rest := s.text[start+1:]
	i := special(rest)
	if i >= 0 && rest[i] == '"' {
		s.pos += i + 2
		return rest[:i], nil
	}
	var b strings.Builder
	for i >= 0 {
		b.WriteString(rest[:i])
		if rest[i] == '"' {
			s.pos = len(s.text) - len(rest) + i + 1
			return b.String(), nil
		}
		if i+1 == len(rest) {
			break
		}
		b.WriteByte(unescape(rest[i+1]))
		rest = rest[i+2:]
		i = special(rest)
	}
	return "", fmt.Errorf("unterminated string at byte %d", start)
}

// special returns where the first quote or backslash is, -1 if there is none.
func special(s string) int {
	quote := strings.IndexByte(s, '"')
	if quote >= 0 {
		s = s[:quote]
	}
	if i := strings.IndexByte(s, '\\'); i >= 0 {
		return i
	}
	return quote
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// List reads a list; item is called at the start of each element and reads it.
func (s *Scanner) List(item func() error) error {
	if err := s.Expect("["); err != nil {
		return err
	}
	if s.ahead(1) == "]" {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.ahead(1) == "]" {
			s.pos++
			return nil
		}
		if err := s.Expect(","); err != nil {
			return err
		}
	}
}

// Tuple reads as many strings in parentheses as there are fields.
func (s *Scanner) Tuple(fields ...*string) error {
	sep := "("
	for _, f := range fields {
		if err := s.Expect(sep); err != nil {
			return err
		}
		v, err := s.String()
		if err != nil {
			return err
		}
		*f, sep = v, ","
	}
	return s.Expect(")")
}

// Strings reads a list of strings.
func (s *Scanner) Strings() ([]string, error) {
	var out []string
	err := s.List(func() error {
		v, err := s.String()
		out = append(out, v)
		return err
	})
	return out, err
}

// escapes has what stands behind the backslash for each byte that needs one.
var escapes = [256]byte{'"': '"', '\\': '\\', '\n': 'n', '\r': 'r', '\t': 't'}

// AppendString appends v quoted.
func AppendString(b []byte, v string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(v) {
		if c := escapes[v[i]]; c != 0 {
			b = append(b, v[start:i]...)
			b = append(b, '\\', c)
			start = i + 1
		}
	}
	b = append(b, v[start:]...)
	return append(b, '"')
}

// AppendStrings appends a list of strings.
func AppendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, v)
	}
	return append(b, ']')
}

// AppendTuple appends the fields as strings in parentheses.
func AppendTuple(b []byte, fields ...string) []byte {
	b = append(b, '(')
	for i, v := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, v)
	}
	return append(b, ')')
}
