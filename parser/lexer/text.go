package lexer

import "strings"

// stringEnd returns where the literal text of a string at i ends: at its
// quote, at ${, or at the end of the file. plain says that it means itself, nul
// that it has a null byte.
func (s *Scanner) stringEnd(i int) (end int, plain, nul bool) {
	plain = true
	text := s.text
	for i < len(text) {
		switch text[i] {
		case '"':
			return i, plain, nul
		case '\\':
			plain = false
			i++
		case '\r':
			plain = false
		case 0:
			nul = true
		case '$':
			switch s.at(i + 1) {
			case '{':
				return i, plain, nul
			case '"', '\\':
			case '\r':
				plain = false
				i++
			case 0:
				nul = nul || i+1 < len(text)
				i++
			default:
				i++ // $${ is no interpolation
			}
		}
		i++
	}
	return len(text), plain, nul
}

// stringOpen scans a string from its quote, whole if it has no interpolation.
func (s *Scanner) stringOpen(i int) bool {
	end, plain, nul := s.stringEnd(i + 1)
	if s.at(end) == '"' && !nul {
		value := s.text[i+1 : end]
		if !plain {
			value = unescape(value)
		}
		s.add(String, i, value)
		s.pos = end + 1
		return true
	}
	s.emit(Quote, i, i+1)
	s.modes = append(s.modes, s.mode)
	s.mode = inString
	return true
}

// stringPiece scans the text of a string up to ${ or its quote, and that.
func (s *Scanner) stringPiece() bool {
	i := s.pos
	end, _, nul := s.stringEnd(i)
	if end > i {
		value := unescape(s.text[i:end])
		if nul {
			return s.nullByte(i, value)
		}
		s.add(Text, i, value)
	}
	if end == len(s.text) {
		return s.end(end)
	}
	if s.text[end] == '"' {
		s.emit(Unquote, end, end+1)
		s.mode = s.modes[len(s.modes)-1]
		s.modes = s.modes[:len(s.modes)-1]
		return true
	}
	s.emit(DollarCurly, end, end+2)
	s.push()
	return true
}

// nullByte ends the scan: no string can have one.
func (s *Scanner) nullByte(offset int, value string) bool {
	shown := strings.ReplaceAll(value, "\x00", "␀")
	return s.fail(offset, "input string '"+shown+"' cannot be represented as Nix string because it contains null bytes")
}

// unescape resolves escapes and makes one LF of each CR and CR LF.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			default:
				c = s[i]
			}
		case c == '\r':
			c = '\n'
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// rawEnd returns the end of the stretch of an indented string at i that holds
// no escape, no interpolation and no end. A $ or ' takes the next byte with it.
func (s *Scanner) rawEnd(i int) (end int, nul bool) {
	text := s.text
	for i < len(text) {
		switch text[i] {
		case '$':
			if i+1 == len(text) || text[i+1] == '{' || text[i+1] == '\'' {
				return i, nul
			}
			i++
			nul = nul || text[i] == 0
		case '\'':
			if i+1 == len(text) || text[i+1] == '\'' || text[i+1] == '$' {
				return i, nul
			}
			i++
			nul = nul || text[i] == 0
		case 0:
			nul = true
		}
		i++
	}
	return i, nul
}

// closes reports whether the ” at i ends its string and is no escape.
func (s *Scanner) closes(i int) bool {
	if s.at(i) != '\'' || s.at(i+1) != '\'' {
		return false
	}
	switch s.at(i + 2) {
	case '\'', '$':
		return false
	case '\\':
		return i+3 >= len(s.text)
	}
	return true
}

// indentedOpen scans an indented string from its quotes, whole if it is one piece.
func (s *Scanner) indentedOpen(i int) bool {
	start := i + 2
	j := start
	for s.at(j) == ' ' {
		j++
	}
	if s.at(j) == '\n' {
		start = j + 1
	}
	end, nul := s.rawEnd(start)
	if !nul && s.closes(end) {
		s.add(Indented, i, s.text[start:end])
		s.pos = end + 2
		return true
	}
	s.emit(IndentOpen, i, start)
	s.modes = append(s.modes, s.mode)
	s.mode = inIndented
	return true
}

// indentedPiece scans one piece of an indented string, or its end.
func (s *Scanner) indentedPiece() bool {
	i := s.pos
	if i >= len(s.text) {
		return s.end(len(s.text))
	}
	end, nul := s.rawEnd(i)
	if end > i {
		if nul {
			return s.nullByte(i, s.text[i:end])
		}
		s.emit(Raw, i, end)
		return true
	}
	escape := func(value string, end int) bool {
		s.add(Escaped, i, value)
		s.pos = end
		return true
	}
	if s.text[i] == '$' {
		if s.at(i+1) == '{' {
			s.emit(DollarCurly, i, i+2)
			s.push()
			return true
		}
		return escape("$", i+1)
	}
	switch {
	case s.at(i+1) != '\'':
		return escape("'", i+1)
	case s.closes(i):
		s.emit(IndentClose, i, i+2)
		s.mode = s.modes[len(s.modes)-1]
		s.modes = s.modes[:len(s.modes)-1]
		return true
	case s.text[i+2] == '$':
		return escape("$", i+3)
	case s.text[i+2] == '\'':
		return escape("''", i+3)
	}
	value := unescape(s.text[i+2 : i+4])
	if s.text[i+3] == 0 {
		return s.nullByte(i, value)
	}
	return escape(value, i+4)
}
