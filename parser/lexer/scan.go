package lexer

import (
	"math"
	"strconv"
	"strings"
)

// The classes of bytes, as bits.
const (
	space  uint8 = 1 << iota
	idHead       // starts an identifier
	idTail       // goes on in one
	pathChar
	scheme // goes on in the scheme of a URI
	uriChar
	digit
	letter // starts the scheme of a URI
)

// class has the classes of each byte.
var class = func() (c [256]uint8) {
	for b := range c {
		ch := byte(b)
		isLetter := 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z'
		isDigit := '0' <= ch && ch <= '9'
		if isLetter {
			c[b] |= letter | idHead
		}
		if isDigit {
			c[b] |= digit
		}
		if isLetter || isDigit {
			c[b] |= idTail | pathChar | scheme | uriChar
		}
	}
	add := func(bits uint8, chars string) {
		for i := range len(chars) {
			c[chars[i]] |= bits
		}
	}
	add(space, " \t\r\n")
	add(idHead, "_")
	add(idTail, "_'-")
	add(pathChar, "._-+")
	add(scheme, "+-.")
	add(uriChar, "%/?:@&=+$,-_.!~*'")
	return c
}()

// mode says what the text at hand is part of.
type mode uint8

const (
	inCode mode = iota
	inString
	inIndented
	inPath
)

// Scanner cuts one text into tokens. Its zero value has none left but EOF.
type Scanner struct {
	text   string
	pos    int // where to go on
	last   int // start of the last match that was not white space
	prev   int // start of the one before
	tokens []Token
	modes  []mode // what surrounds the interpolations and braces around pos
	mode   mode
	done   bool

	// The end of the run of path characters that was looked at last, and the
	// place after its last character that no scheme has. Without the memory a
	// long a.b.c.d… would be looked through once for each of its names.
	runEnd, runScheme int

	unclosed bool // no comment that starts from here on has an end
}

// NewScanner returns a scanner of text.
func NewScanner(text string) Scanner { return Scanner{text: text} }

// perStep is how many tokens one step finds at most.
const perStep = 3

// Fill appends tokens to buf within its capacity, of which at least a few are
// free. Nothing is appended behind EOF.
func (s *Scanner) Fill(buf []Token) []Token {
	s.tokens = buf
	for !s.done && cap(s.tokens)-len(s.tokens) >= perStep {
		s.step()
	}
	buf, s.tokens = s.tokens, nil
	return buf
}

// step scans the next token, or a few.
func (s *Scanner) step() {
	more := false
	switch s.mode {
	case inCode:
		more = s.code()
	case inString:
		more = s.stringPiece()
	case inIndented:
		more = s.indentedPiece()
	case inPath:
		more = s.pathPiece()
	}
	s.done = !more
}

// Scan cuts a whole text into tokens; the last is EOF.
func Scan(text string) []Token {
	s := NewScanner(text)
	for !s.done {
		s.step()
	}
	return s.tokens
}

// emit adds a token that is text[start:end] and goes on behind it.
func (s *Scanner) emit(t Type, start, end int) {
	s.tokens = append(s.tokens, Token{Type: t, Value: s.text[start:end], Offset: uint32(start)})
	s.prev, s.last = s.last, start
	s.pos = end
}

// add adds a token whose value is not its text.
func (s *Scanner) add(t Type, start int, value string) {
	s.tokens = append(s.tokens, Token{Type: t, Value: value, Offset: uint32(start)})
	s.prev, s.last = s.last, start
}

// fail ends the scan with an error; it returns false.
func (s *Scanner) fail(offset int, msg string) bool {
	s.add(Error, offset, msg)
	return s.end(offset)
}

// end ends the scan; it returns false.
func (s *Scanner) end(offset int) bool {
	s.add(EOF, offset, "")
	return false
}

// push enters the braces or interpolation that the last token opened.
func (s *Scanner) push() {
	s.modes = append(s.modes, s.mode)
	s.mode = inCode
}

// at returns the byte i bytes behind start, or 0 at the end.
func (s *Scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// code scans the next token of code; false at the end.
func (s *Scanner) code() bool {
	text := s.text
	i := s.pos
	for {
		for i < len(text) && class[text[i]]&space != 0 {
			i++
		}
		if i >= len(text) {
			return s.end(len(text))
		}
		if text[i] == '#' {
			for i < len(text) && text[i] != '\n' && text[i] != '\r' {
				i++
			}
			continue
		}
		if text[i] == '/' && s.at(i+1) == '*' {
			if j := s.commentEnd(i); j > 0 {
				i = j
				continue
			}
		}
		break
	}
	c := text[i]
	switch {
	case class[c]&idHead != 0:
		j := i + 1
		for j < len(text) && class[text[j]]&idTail != 0 {
			j++
		}
		if j < len(text) {
			switch text[j] {
			case '.', '+', '/', ':':
				if done, more := s.pathOrURI(i); done {
					return more
				}
			}
		}
		s.emit(keyword(text[i:j]), i, j)
		return true
	case class[c]&pathChar != 0 || c == '/' || c == '~':
		if done, more := s.pathOrURI(i); done {
			return more
		}
	}
	return s.symbol(i, c)
}

// commentEnd returns the end of the comment that starts at i, or 0 if it has none.
func (s *Scanner) commentEnd(i int) int {
	if s.unclosed {
		return 0
	}
	j := strings.Index(s.text[i+2:], "*/")
	if j < 0 {
		s.unclosed = true
		return 0
	}
	return i + 2 + j + 2
}

// symbol scans what is neither identifier nor path nor URI.
func (s *Scanner) symbol(i int, c byte) bool {
	next := s.at(i + 1)
	two := func(second byte, long, short Type) bool {
		if next == second {
			s.emit(long, i, i+2)
		} else {
			s.emit(short, i, i+1)
		}
		return true
	}
	one := func(t Type) bool {
		s.emit(t, i, i+1)
		return true
	}
	switch c {
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	case '.':
		if class[next]&digit != 0 {
			return s.number(i)
		}
		if next == '.' && s.at(i+2) == '.' {
			s.emit(Ellipsis, i, i+3)
			return true
		}
		return one(Dot)
	case '{':
		one(BraceOpen)
		s.push()
		return true
	case '}':
		one(BraceClose)
		if n := len(s.modes); n > 0 {
			s.mode = s.modes[n-1]
			s.modes = s.modes[:n-1]
		}
		return true
	case '$':
		if next == '{' {
			s.emit(DollarCurly, i, i+2)
			s.push()
			return true
		}
	case '"':
		return s.stringOpen(i)
	case '\'':
		if next == '\'' {
			return s.indentedOpen(i)
		}
	case '<':
		if j := s.searchPathEnd(i); j > 0 {
			s.add(SearchPath, i, s.text[i+1:j-1])
			s.pos = j
			return true
		}
		if next == '|' {
			s.emit(PipeFrom, i, i+2)
			return true
		}
		return two('=', Leq, Lt)
	case '>':
		return two('=', Geq, Gt)
	case '|':
		if next == '>' {
			s.emit(PipeInto, i, i+2)
			return true
		}
		return two('|', Or, Invalid)
	case '&':
		return two('&', And, Invalid)
	case '=':
		return two('=', Eq, Equals)
	case '!':
		return two('=', Neq, Bang)
	case '-':
		return two('>', Impl, Minus)
	case '+':
		return two('+', Concat, Plus)
	case '/':
		return two('/', Update, Slash)
	case '*':
		return one(Star)
	case '?':
		return one(Question)
	case ':':
		return one(Colon)
	case '@':
		return one(At)
	case ';':
		return one(Semicolon)
	case '(':
		return one(ParenOpen)
	case ')':
		return one(ParenClose)
	case '[':
		return one(ListOpen)
	case ']':
		return one(ListClose)
	case ',':
		return one(Comma)
	case 0:
		// C++ Nix takes it for the end of the file and says nothing about
		// what it leaves out.
		return s.fail(i, "syntax error, unexpected null byte")
	}
	return one(Invalid)
}

// number scans an integer or a floating-point literal.
func (s *Scanner) number(i int) bool {
	text := s.text
	digits := func(j int) int {
		for j < len(text) && class[text[j]]&digit != 0 {
			j++
		}
		return j
	}
	whole := digits(i)
	// Digits before the dot must not start with 0 unless that is all of them,
	// and then there must be digits behind it.
	if s.at(whole) == '.' {
		frac := digits(whole + 1)
		isFloat := frac > whole+1
		switch {
		case whole == i:
		case text[i] != '0':
			isFloat = true
		default:
			isFloat = isFloat && whole == i+1
		}
		if isFloat {
			end := frac
			if c := s.at(frac); c == 'e' || c == 'E' {
				e := frac + 1
				if c := s.at(e); c == '+' || c == '-' {
					e++
				}
				if j := digits(e); j > e {
					end = j
				}
			}
			return s.float(i, end)
		}
	}
	if whole-i > 18 {
		if _, err := strconv.ParseInt(text[i:whole], 10, 64); err != nil {
			return s.fail(i, "invalid integer '"+text[i:whole]+"'")
		}
	}
	s.emit(Int, i, whole)
	return true
}

// float scans a floating-point literal. As in Nix, which asks strtod, one that
// is too large or too small for full precision is an error.
func (s *Scanner) float(i, end int) bool {
	const smallestNormal = 0x1p-1022
	f, err := strconv.ParseFloat(s.text[i:end], 64)
	tiny := f < smallestNormal && (f != 0 || hasNonzeroDigit(s.text[i:end]))
	if err != nil || tiny || math.IsInf(f, 0) {
		return s.fail(i, "invalid float '"+s.text[i:end]+"'")
	}
	s.emit(Float, i, end)
	return true
}

// hasNonzeroDigit reports whether the mantissa of a literal is not 0.
func hasNonzeroDigit(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == 'e' || c == 'E':
			return false
		case '1' <= c && c <= '9':
			return true
		}
	}
	return false
}
