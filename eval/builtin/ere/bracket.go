package ere

import (
	"errors"
	"fmt"
	"strings"
)

// bracket reads a bracket expression after its [. As in the C++ library:
//
//   - ] is ordinary in the first place, also after ^;
//   - - is ordinary in the first and the last place and as the end of a range;
//     elsewhere it must follow a character;
//   - a backslash is ordinary;
//   - bytes are compared as signed numbers, so that a range may not go from
//     ASCII to a byte above it.
func (p *parser) bracket() (tree, error) {
	b := bracket{p: p}
	c, _ := p.next()
	negated := c == '^'
	if negated {
		p.at++
	}
	if err := b.items(); err != nil {
		return nil, err
	}
	if negated {
		b.set.invert()
	}
	return &b.set, nil
}

type bracket struct {
	p    *parser
	set  set
	last int // the character before, which may begin a range; or one of:
}

const (
	nothing = -1 - iota // no character before, or one that ended a range
	class               // a class, which cannot begin a range
)

// item is one token of a bracket expression.
type item struct {
	kind itemKind
	c    byte   // ordinary
	name string // of the others
}

type itemKind uint8

const (
	ordinary itemKind = iota
	dash
	closing
	charClass   // [:name:]
	equivalence // [=name=]
	collating   // [.name.]
)

// scan reads an item; first is true where ] is ordinary.
func (b *bracket) scan(first bool) (item, error) {
	p := b.p
	c, ok := p.next()
	if !ok {
		return item{}, errors.New("missing ]")
	}
	p.at++
	switch {
	case c == '-':
		return item{kind: dash}, nil
	case c == ']' && !first:
		return item{kind: closing}, nil
	case c != '[':
		return item{c: c}, nil
	}
	open, ok := p.next()
	if !ok {
		return item{}, errors.New("missing ]")
	}
	var kind itemKind
	switch open {
	case ':':
		kind = charClass
	case '=':
		kind = equivalence
	case '.':
		kind = collating
	default:
		return item{c: c}, nil
	}
	p.at++
	rest := p.pattern[p.at:]
	i := strings.IndexByte(rest, open)
	if i < 0 || i+1 >= len(rest) || rest[i+1] != ']' {
		return item{}, fmt.Errorf("missing %c]", open)
	}
	p.at += i + 2
	return item{kind: kind, name: rest[:i]}, nil
}

func (b *bracket) items() error {
	b.last = nothing
	for n := 0; ; n++ {
		it, err := b.scan(n == 0)
		if err != nil {
			return err
		}
		switch it.kind {
		case closing:
			b.flush()
			return nil
		case ordinary:
			b.char(it.c)
		case collating:
			c, err := collatingChar(it.name)
			if err != nil {
				return err
			}
			b.char(c)
		case charClass:
			members, err := classMembers(it.name)
			if err != nil {
				return err
			}
			b.flush()
			b.last = class
			b.set.union(members)
		case equivalence:
			c, err := collatingChar(it.name)
			if err != nil {
				return err
			}
			b.flush()
			b.last = class
			b.set.add(lower(c))
			b.set.add(upper(c))
		case dash:
			if n == 0 {
				b.char('-')
				continue
			}
			closed, err := b.dash()
			if err != nil || closed {
				return err
			}
		}
	}
}

// flush adds the character before, if there is one.
func (b *bracket) flush() {
	if b.last >= 0 {
		b.set.add(byte(b.last))
	}
	b.last = nothing
}

func (b *bracket) char(c byte) {
	b.flush()
	b.last = int(c)
}

// dash reads what follows a dash that is not in the first place; closed tells
// that it was the end.
func (b *bracket) dash() (closed bool, err error) {
	it, err := b.scan(false)
	if err != nil {
		return false, err
	}
	if it.kind == closing {
		b.flush()
		b.set.add('-')
		return true, nil
	}
	if b.last < 0 {
		return false, errors.New("range without a beginning")
	}
	switch it.kind {
	case dash:
		it.c = '-'
	case ordinary:
	default:
		return false, errors.New("range without an end")
	}
	low, high := int(int8(b.last)), int(int8(it.c))
	if low > high {
		return false, errors.New("range with its ends swapped")
	}
	for c := low; c <= high; c++ {
		b.set.add(byte(c))
	}
	b.last = nothing
	return false, nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// classMembers returns the ASCII characters of a class, whose name may be
// written in capitals too.
func classMembers(name string) (*set, error) {
	name = strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, name)
	in, ok := classes(name)
	if !ok {
		return nil, fmt.Errorf("unknown character class %q", name)
	}
	s := &set{}
	for c := range byte(128) {
		if in(c) {
			s.add(c)
		}
	}
	return s, nil
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isAlpha(c byte) bool { return isUpper(c) || isLower(c) }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }
func isGraph(c byte) bool { return '!' <= c && c <= '~' }
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// classes returns the test for membership in the named class.
func classes(name string) (in func(byte) bool, ok bool) {
	switch name {
	case "alnum":
		return isAlnum, true
	case "alpha":
		return isAlpha, true
	case "blank":
		return func(c byte) bool { return c == ' ' || c == '\t' }, true
	case "cntrl":
		return func(c byte) bool { return c < ' ' || c == 0x7f }, true
	case "d", "digit":
		return isDigit, true
	case "graph":
		return isGraph, true
	case "lower":
		return isLower, true
	case "print":
		return func(c byte) bool { return c == ' ' || isGraph(c) }, true
	case "punct":
		return func(c byte) bool { return isGraph(c) && !isAlnum(c) }, true
	case "s", "space":
		return isSpace, true
	case "upper":
		return isUpper, true
	case "w":
		return func(c byte) bool { return isAlnum(c) || c == '_' }, true
	case "xdigit":
		return func(c byte) bool { return isDigit(c) || 'a' <= lower(c) && lower(c) <= 'f' }, true
	}
	return nil, false
}

// collatingNames are the POSIX names of the ASCII characters; letters are named
// by themselves.
var collatingNames = [128]string{
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "alert",
	"backspace", "tab", "newline", "vertical-tab", "form-feed", "carriage-return", "SO", "SI",
	"DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB",
	"CAN", "EM", "SUB", "ESC", "IS4", "IS3", "IS2", "IS1",
	"space", "exclamation-mark", "quotation-mark", "number-sign", "dollar-sign", "percent-sign", "ampersand", "apostrophe",
	"left-parenthesis", "right-parenthesis", "asterisk", "plus-sign", "comma", "hyphen", "period", "slash",
	"zero", "one", "two", "three", "four", "five", "six", "seven",
	"eight", "nine", "colon", "semicolon", "less-than-sign", "equals-sign", "greater-than-sign", "question-mark",
	"commercial-at", "A", "B", "C", "D", "E", "F", "G",
	"H", "I", "J", "K", "L", "M", "N", "O",
	"P", "Q", "R", "S", "T", "U", "V", "W",
	"X", "Y", "Z", "left-square-bracket", "backslash", "right-square-bracket", "circumflex", "underscore",
	"grave-accent", "a", "b", "c", "d", "e", "f", "g",
	"h", "i", "j", "k", "l", "m", "n", "o",
	"p", "q", "r", "s", "t", "u", "v", "w",
	"x", "y", "z", "left-curly-bracket", "vertical-line", "right-curly-bracket", "tilde", "DEL",
}

func collatingChar(name string) (byte, error) {
	for c, n := range collatingNames {
		if n == name {
			return byte(c), nil
		}
	}
	return 0, fmt.Errorf("unknown collating element %q", name)
}
