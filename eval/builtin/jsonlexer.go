package builtin

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonToken is a kind of JSON token; its text is what messages call it.
type jsonToken string

const (
	jsonTrue     jsonToken = "true literal"
	jsonFalse    jsonToken = "false literal"
	jsonNull     jsonToken = "null literal"
	jsonString   jsonToken = "string literal"
	jsonNumber   jsonToken = "number literal"
	beginArray   jsonToken = "'['"
	beginObject  jsonToken = "'{'"
	endArray     jsonToken = "']'"
	endObject    jsonToken = "'}'"
	nameSep      jsonToken = "':'"
	valueSep     jsonToken = "','"
	jsonEnd      jsonToken = "end of input"
	jsonBad      jsonToken = "<parse error>"
	jsonAnything jsonToken = "'[', '{', or a literal"
)

// jsonLexer cuts a JSON text (RFC 8259) into tokens. It says what is wrong with
// a text in the words of the library that Nix uses.
type jsonLexer struct {
	text  string
	start int // of the latest string or number
	next  int // how far the text is read; len(text)+1 after its end was read

	str string // of a string: its value
	err string // of jsonBad: what is wrong
}

func (l *jsonLexer) bad(format string, args ...any) jsonToken {
	l.err = fmt.Sprintf(format, args...)
	return jsonBad
}

// peek is the next byte; ok is false at the end.
func (l *jsonLexer) peek() (c byte, ok bool) {
	if l.next < len(l.text) {
		return l.text[l.next], true
	}
	return 0, false
}

// scan reads the next token.
func (l *jsonLexer) scan() jsonToken {
	if l.next == 0 && strings.HasPrefix(l.text, "\xef") {
		if !strings.HasPrefix(l.text, "\xef\xbb\xbf") {
			l.next = min(2, len(l.text))
			if strings.HasPrefix(l.text, "\xef\xbb") {
				l.next = min(3, len(l.text)+1)
			}
			return l.bad("invalid BOM; must be 0xEF 0xBB 0xBF if given")
		}
		l.next = 3
	}
	for l.next < len(l.text) && strings.IndexByte(" \t\n\r", l.text[l.next]) >= 0 {
		l.next++
	}
	c, ok := l.peek()
	l.next++
	if !ok {
		return jsonEnd
	}
	switch c {
	case '[':
		return beginArray
	case ']':
		return endArray
	case '{':
		return beginObject
	case '}':
		return endObject
	case ':':
		return nameSep
	case ',':
		return valueSep
	case 't':
		return l.literal("true", jsonTrue)
	case 'f':
		return l.literal("false", jsonFalse)
	case 'n':
		return l.literal("null", jsonNull)
	case '"':
		l.start = l.next - 1
		return l.string()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		l.start = l.next - 1
		return l.number(c)
	}
	return l.bad("invalid literal")
}

func (l *jsonLexer) literal(word string, t jsonToken) jsonToken {
	for i := 1; i < len(word); i++ {
		c, ok := l.peek()
		l.next++
		if !ok || c != word[i] {
			return l.bad("invalid literal")
		}
	}
	return t
}

// number reads the rest of a number that begins with c.
func (l *jsonLexer) number(c byte) jsonToken {
	if c == '-' {
		d, ok := l.peek()
		l.next++
		if !ok || !isDigit(d) {
			return l.bad("invalid number; expected digit after '-'")
		}
		c = d
	}
	if c != '0' {
		l.digits()
	}
	if c, _ := l.peek(); c == '.' {
		l.next++
		if !l.digits() {
			l.next++
			return l.bad("invalid number; expected digit after '.'")
		}
	}
	if c, _ := l.peek(); c == 'e' || c == 'E' {
		l.next++
		c, _ := l.peek()
		if c == '+' || c == '-' {
			l.next++
			if !l.digits() {
				l.next++
				return l.bad("invalid number; expected digit after exponent sign")
			}
			return jsonNumber
		}
		if !l.digits() {
			l.next++
			return l.bad("invalid number; expected '+', '-', or digit after exponent")
		}
	}
	return jsonNumber
}

// digits skips digits and tells whether there were any.
func (l *jsonLexer) digits() bool {
	from := l.next
	for l.next < len(l.text) && isDigit(l.text[l.next]) {
		l.next++
	}
	return l.next > from
}

// string reads the rest of a string.
func (l *jsonLexer) string() jsonToken {
	rest := l.text[l.next:]
	// Most strings are plain: no copy is needed.
	i := 0
	for i < len(rest) && rest[i] >= ' ' && rest[i] < utf8.RuneSelf && rest[i] != '"' && rest[i] != '\\' {
		i++
	}
	if i < len(rest) && rest[i] == '"' {
		l.str = rest[:i]
		l.next += i + 1
		return jsonString
	}
	var b strings.Builder
	for {
		c, ok := l.peek()
		switch {
		case !ok:
			l.next++
			return l.bad("invalid string: missing closing quote")
		case c == '"':
			l.next++
			l.str = b.String()
			return jsonString
		case c == '\\':
			l.next++
			if t := l.escape(&b); t != jsonString {
				return t
			}
		case c < ' ':
			l.next++
			return l.bad("%s", controlMessage(c))
		case c < utf8.RuneSelf:
			l.next++
			b.WriteByte(c)
		default:
			r, n := utf8.DecodeRuneInString(l.text[l.next:])
			if r == utf8.RuneError && n == 1 {
				l.next += illFormedLen(l.text[l.next:])
				return l.bad("invalid string: ill-formed UTF-8 byte")
			}
			b.WriteString(l.text[l.next : l.next+n])
			l.next += n
		}
	}
}

// illFormedLen is how many bytes of s, which begins with a malformed UTF-8
// sequence, are read until the fault shows.
func illFormedLen(s string) int {
	for n := 1; n <= 4; n++ {
		if n > len(s) || !prefixOfRune(s[:n]) {
			return n
		}
	}
	return 4
}

// prefixOfRune reports whether s begins a UTF-8 sequence.
func prefixOfRune(s string) bool {
	// A sequence of one to three bytes is such a beginning if some last bytes
	// make it whole.
	for _, end := range []string{"", "\x80", "\xbf", "\x80\x80", "\xbf\xbf", "\xa0\x80", "\x9f\x80", "\x90\x80\x80", "\x8f\x80\x80", "\xbf\xbf\xbf", "\x80\x80\x80"} {
		if r, n := utf8.DecodeRuneInString(s + end); r != utf8.RuneError && n == len(s)+len(end) {
			return true
		}
	}
	return false
}

// escape reads what follows a backslash.
func (l *jsonLexer) escape(b *strings.Builder) jsonToken {
	c, ok := l.peek()
	l.next++
	if !ok {
		return l.bad("invalid string: forbidden character after backslash")
	}
	switch c {
	case '"', '\\', '/':
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
		return l.codePoint(b)
	default:
		return l.bad("invalid string: forbidden character after backslash")
	}
	return jsonString
}

// codePoint reads what follows \u, and a second \u if the first is the first
// half of a pair.
func (l *jsonLexer) codePoint(b *strings.Builder) jsonToken {
	const (
		unpairedFirst  = "invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF"
		unpairedSecond = "invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF"
		notHex         = "invalid string: '\\u' must be followed by 4 hex digits"
	)
	r, ok := l.hex4()
	if !ok {
		return l.bad(notHex)
	}
	switch {
	case 0xd800 <= r && r <= 0xdbff:
		for _, want := range []byte{'\\', 'u'} {
			c, ok := l.peek()
			l.next++
			if !ok || c != want {
				return l.bad(unpairedFirst)
			}
		}
		second, ok := l.hex4()
		if !ok {
			return l.bad(notHex)
		}
		if second < 0xdc00 || second > 0xdfff {
			return l.bad(unpairedFirst)
		}
		r = utf16.DecodeRune(r, second)
	case 0xdc00 <= r && r <= 0xdfff:
		return l.bad(unpairedSecond)
	}
	b.WriteRune(r)
	return jsonString
}

func (l *jsonLexer) hex4() (rune, bool) {
	var r rune
	for range 4 {
		c, ok := l.peek()
		l.next++
		d, err := strconv.ParseUint(string(c), 16, 8)
		if !ok || err != nil {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// controlNames are the names of the control characters as the message gives
// them.
var controlNames = [...]string{
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
	"DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
}

func controlMessage(c byte) string {
	msg := fmt.Sprintf(`invalid string: control character U+%04X (%s) must be escaped to \u%04X`, c, controlNames[c], c)
	if i := strings.IndexByte("\b\t\n\f\r", c); i >= 0 {
		msg += ` or \` + "btnfr"[i:i+1]
	}
	return msg
}

// place is the end of what was read: lines from one, and the number of bytes
// read of that line, the end of the text counting as one.
func (l *jsonLexer) place() string {
	read := l.text[:min(l.next, len(l.text))]
	line := 1 + strings.Count(read, "\n")
	column := l.next - (strings.LastIndexByte(read, '\n') + 1)
	return fmt.Sprintf("line %d, column %d", line, column)
}

// read is the text that was read since the latest string or number began, with
// control characters named. The library forgets what it read only there.
func (l *jsonLexer) read() string {
	var b strings.Builder
	for _, c := range []byte(l.text[min(l.start, len(l.text)):min(l.next, len(l.text))]) {
		if c < ' ' {
			fmt.Fprintf(&b, "<U+%04X>", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unexpected is the error that token t is not what context wants.
func (l *jsonLexer) unexpected(t jsonToken, context string, want jsonToken) error {
	msg := fmt.Sprintf("[json.exception.parse_error.101] parse error at %s: syntax error while parsing %s - ", l.place(), context)
	if t == jsonBad {
		msg += l.err + "; last read: '" + l.read() + "'"
	} else {
		msg += "unexpected " + string(t)
	}
	if want != "" {
		msg += "; expected " + string(want)
	}
	return jsonError(msg)
}

// jsonNumberValue is what a number is: an integer if it is written as one and
// fits, else a float. An integer that would fit if it had no sign is refused,
// as in Nix.
func jsonNumberValue(text string) (i int64, f float64, isInt bool, err error) {
	if !strings.ContainsAny(text, ".eE") {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i, 0, true, nil
		}
		if u, err := strconv.ParseUint(text, 10, 64); err == nil {
			return 0, 0, false, fmt.Errorf("unsigned json number %d outside of Nix integer range", u)
		}
	}
	f, _ = strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		return 0, 0, false, jsonErrorf("[json.exception.out_of_range.406] number overflow parsing '%s'", text)
	}
	return 0, f, false, nil
}
