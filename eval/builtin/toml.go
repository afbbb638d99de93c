package builtin

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonix/eval/value"
)

// tomlParser reads TOML 1.0.
type tomlParser struct {
	text  string
	at    int
	root  *tomlTable
	depth int // of arrays and inline tables

	timestamps bool // accept dates and times
}

// maxTOMLDepth bounds arrays in arrays, which are read recursively.
const maxTOMLDepth = 1000

func (p *tomlParser) document() error {
	err := p.lines()
	if err == nil || errors.Is(err, errTOMLDate) {
		return err
	}
	if large, ok := errors.AsType[*tomlRangeError](err); ok {
		return large
	}
	if null, ok := errors.AsType[nullByteError](err); ok {
		return fmt.Errorf("error: %w", null)
	}
	line := 1 + strings.Count(p.text[:min(p.at, len(p.text))], "\n")
	return fmt.Errorf("line %d: %w", line, err)
}

func (p *tomlParser) lines() error {
	if !utf8.ValidString(p.text) {
		return errors.New("the text is not UTF-8")
	}
	p.text = strings.TrimPrefix(p.text, "\uFEFF")
	table := p.root
	for {
		if err := p.blank(); err != nil {
			return err
		}
		var err error
		switch {
		case p.at == len(p.text):
			return nil
		case p.take("[["):
			table, err = p.header("]]", p.root.grow)
		case p.take("["):
			table, err = p.header("]", p.root.open)
		default:
			err = p.assignment(table)
			if p.space(); err == nil && p.peek() == '[' {
				continue // Nix lets a header follow in the same line
			}
		}
		if err == nil {
			err = p.endOfLine()
		}
		if err != nil {
			return err
		}
	}
}

// take skips s if it comes next.
func (p *tomlParser) take(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

// peek is the next byte, 0 at the end.
func (p *tomlParser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// space skips blanks within a line.
func (p *tomlParser) space() {
	for c := p.peek(); c == ' ' || c == '\t'; c = p.peek() {
		p.at++
	}
}

// blank skips blanks, line ends and comments.
func (p *tomlParser) blank() error {
	for {
		p.space()
		if err := p.comment(); err != nil {
			return err
		}
		if !p.newline() {
			return nil
		}
	}
}

func (p *tomlParser) newline() bool { return p.take("\n") || p.take("\r\n") }

func (p *tomlParser) comment() error {
	if p.peek() != '#' {
		return nil
	}
	for p.at < len(p.text) && p.peek() != '\n' && !strings.HasPrefix(p.text[p.at:], "\r\n") {
		if isTOMLControl(p.peek()) {
			return fmt.Errorf("control character %#U in a comment", rune(p.peek()))
		}
		p.at++
	}
	return nil
}

// isTOMLControl reports whether c may stand nowhere but as a line end.
func isTOMLControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

func (p *tomlParser) endOfLine() error {
	p.space()
	if err := p.comment(); err != nil {
		return err
	}
	if p.at < len(p.text) && !p.newline() {
		return p.unexpected("the end of the line")
	}
	return nil
}

func (p *tomlParser) unexpected(want string) error {
	if p.at >= len(p.text) {
		return fmt.Errorf("expected %s but the text ends", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return fmt.Errorf("expected %s but found %q", want, r)
}

func (p *tomlParser) header(end string, open func([]string) (*tomlTable, error)) (*tomlTable, error) {
	path, err := p.key()
	if err != nil {
		return nil, err
	}
	if !p.take(end) {
		return nil, p.unexpected(end)
	}
	return open(path)
}

func (p *tomlParser) assignment(t *tomlTable) error {
	path, err := p.key()
	if err != nil {
		return err
	}
	if !p.take("=") {
		return p.unexpected("=")
	}
	p.space()
	item, err := p.item()
	if err != nil {
		return err
	}
	return t.set(path, item)
}

// key reads a dotted key and the blanks around it.
func (p *tomlParser) key() ([]string, error) {
	var path []string
	for {
		p.space()
		var name string
		var err error
		switch p.peek() {
		case '"':
			name, err = p.basic()
		case '\'':
			name, err = p.literal()
		default:
			from := p.at
			for c := p.peek(); isLetter(c) || isDigit(c) || c == '_' || c == '-'; c = p.peek() {
				p.at++
			}
			if name = p.text[from:p.at]; name == "" {
				err = p.unexpected("a key")
			}
		}
		if err == nil {
			err = noNull(name)
		}
		if err != nil {
			return nil, err
		}
		path = append(path, name)
		p.space()
		if !p.take(".") {
			return path, nil
		}
	}
}

func (p *tomlParser) item() (tomlItem, error) {
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		s, err := p.string()
		if err == nil {
			err = noNull(s)
		}
		return tomlScalar{value.NewString(s)}, err
	case c == '[':
		return p.nested(p.list)
	case c == '{':
		return p.nested(p.inlineTable)
	}
	from := p.at
	for c := p.peek(); c != 0 && strings.IndexByte(" \t\r\n,[]}#=", c) < 0; c = p.peek() {
		p.at++
	}
	word := p.text[from:p.at]
	if isTOMLDate(word) {
		return p.timestamp(from)
	}
	v, err := tomlWord(word)
	if errors.Is(err, errTOMLRange) {
		return nil, p.tooLarge()
	}
	if err != nil {
		p.at = from
		if word == "" {
			err = p.unexpected("a value")
		}
	}
	return tomlScalar{v}, err
}

func (p *tomlParser) nested(read func() (tomlItem, error)) (tomlItem, error) {
	if p.depth++; p.depth > maxTOMLDepth {
		return nil, fmt.Errorf("more than %d arrays and tables in each other", maxTOMLDepth)
	}
	item, err := read()
	p.depth--
	return item, err
}

func (p *tomlParser) list() (tomlItem, error) {
	p.at++
	out := tomlList{}
	for {
		if err := p.blank(); err != nil {
			return nil, err
		}
		if p.take("]") {
			return out, nil
		}
		item, err := p.item()
		if err != nil {
			return nil, err
		}
		out = append(out, item)
		if err := p.blank(); err != nil {
			return nil, err
		}
		if !p.take(",") && p.peek() != ']' {
			return nil, p.unexpected(", or ]")
		}
	}
}

// inlineTable reads { … }, which stays on its line and has no comma at the end.
func (p *tomlParser) inlineTable() (tomlItem, error) {
	p.at++
	t := &tomlTable{origin: inline}
	p.space()
	if p.take("}") {
		return t, nil
	}
	for {
		if err := p.assignment(t); err != nil {
			return nil, err
		}
		p.space()
		if p.take("}") {
			t.close()
			return t, nil
		}
		if !p.take(",") {
			return nil, p.unexpected(", or }")
		}
	}
}

// close makes the tables of dotted keys within an inline table complete too.
func (t *tomlTable) close() {
	t.origin = inline
	for _, item := range t.items {
		if sub, ok := item.(*tomlTable); ok {
			sub.close()
		}
	}
}

// errTOMLRange says that a decimal integer has no value in the language.
var errTOMLRange = errors.New("integer out of range")

// tomlRangeError is errTOMLRange with its place: the line, its number and the
// column behind the integer.
type tomlRangeError struct {
	line         string
	number, past int
}

// Error is what Nix's TOML library says.
func (e *tomlRangeError) Error() string {
	margin := strings.Repeat(" ", len(strconv.Itoa(e.number)))
	return fmt.Sprintf("[error] toml::parse_dec_integer: too large integer: current max digits = 2^63\n%s--> fromTOML\n%s  |\n %d | %s\n%s  | %s^-- must be < 2^63",
		margin, margin, e.number, e.line, margin, strings.Repeat(" ", e.past))
}

// tooLarge is the error that the integer before p.at is too large.
func (p *tomlParser) tooLarge() error {
	begin := strings.LastIndexByte(p.text[:p.at], '\n') + 1
	line, _, _ := strings.Cut(p.text[begin:], "\n")
	return &tomlRangeError{line, 1 + strings.Count(p.text[:begin], "\n"), utf8.RuneCountInString(p.text[begin:p.at])}
}

// tomlWord is the value of what is not written with quotes or brackets.
func tomlWord(s string) (value.Value, error) {
	switch s {
	case "true":
		return value.Bool(true), nil
	case "false":
		return value.Bool(false), nil
	case "inf", "+inf":
		return value.Float(math.Inf(1)), nil
	case "-inf":
		return value.Float(math.Inf(-1)), nil
	case "nan", "+nan":
		return value.Float(math.NaN()), nil
	case "-nan":
		return value.Float(math.Copysign(math.NaN(), -1)), nil
	}
	plain, ok := withoutUnderscores(s)
	if !ok {
		return nil, fmt.Errorf("%q is no value", s)
	}
	for prefix, base := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if digits, ok := strings.CutPrefix(plain, prefix); ok {
			i, err := strconv.ParseInt(digits, base, 64)
			if err != nil || digits[0] == '-' || digits[0] == '+' {
				return nil, fmt.Errorf("%q is no integer", s)
			}
			return value.Int(i), nil
		}
	}
	digits := strings.TrimLeft(plain, "+-")
	if len(plain)-len(digits) > 1 || len(digits) > 1 && digits[0] == '0' && isDigit(digits[1]) {
		return nil, fmt.Errorf("%q is no number", s)
	}
	if strings.Trim(digits, "0123456789") == "" && digits != "" {
		i, err := strconv.ParseInt(plain, 10, 64)
		if err != nil {
			return nil, errTOMLRange
		}
		return value.Int(i), nil
	}
	if !isTOMLFloat(digits) {
		return nil, fmt.Errorf("%q is no value", s)
	}
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return nil, fmt.Errorf("float %s is out of range", s)
	}
	return value.Float(f), nil
}

// isTOMLFloat reports whether s is digits, then a fraction, an exponent or
// both.
func isTOMLFloat(s string) bool {
	digits := func() bool {
		n := len(s)
		s = strings.TrimLeft(s, "0123456789")
		return len(s) < n
	}
	if !digits() {
		return false
	}
	if strings.HasPrefix(s, ".") {
		s = s[1:]
		if !digits() {
			return false
		}
	}
	if strings.HasPrefix(s, "e") || strings.HasPrefix(s, "E") {
		s = s[1:]
		if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "-") {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// withoutUnderscores drops underscores, which must be between digits.
func withoutUnderscores(s string) (string, bool) {
	for i := range len(s) {
		if s[i] == '_' && (i == 0 || i == len(s)-1 || !isHex(s[i-1]) || !isHex(s[i+1])) {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
