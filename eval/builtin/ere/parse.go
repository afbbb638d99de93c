package ere

import (
	"errors"
	"fmt"
	"strings"
)

// tree is a parsed pattern: empty | *set | begin | end | group | concat |
// alternatives | repeat.
type tree interface{ nullable() bool }

type (
	empty  struct{}
	begin  struct{}
	end    struct{}
	concat []tree
	group  struct {
		index int
		body  tree
	}
	alternatives struct{ first, second tree }
	// repeat is body between low and high times; high is -1 for no limit.
	repeat struct {
		body      tree
		low, high int
		plus      bool // body+, which shares the body of the first round
	}
)

func (empty) nullable() bool          { return true }
func (*set) nullable() bool           { return false }
func (begin) nullable() bool          { return true }
func (end) nullable() bool            { return true }
func (g group) nullable() bool        { return g.body.nullable() }
func (a alternatives) nullable() bool { return a.first.nullable() || a.second.nullable() }
func (r repeat) nullable() bool       { return r.low == 0 || r.body.nullable() }
func (c concat) nullable() bool {
	for _, t := range c {
		if !t.nullable() {
			return false
		}
	}
	return true
}

// special are the characters that a backslash makes ordinary; any other after
// a backslash is an error. ] and } are ordinary anyway.
const special = `.[\()*+?{|^$`

// maxNesting bounds parentheses.
const maxNesting = 10000

type parser struct {
	pattern string
	at      int
	groups  int
	nesting int
}

// next is the next byte; ok is false at the end.
func (p *parser) next() (c byte, ok bool) {
	if p.at < len(p.pattern) {
		return p.pattern[p.at], true
	}
	return 0, false
}

func (p *parser) parse() (tree, error) {
	t, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if c, ok := p.next(); ok {
		return nil, fmt.Errorf("unexpected %q", c)
	}
	return t, nil
}

// disjunction reads a|b|….
func (p *parser) disjunction() (tree, error) {
	t, err := p.alternative()
	if err != nil {
		return nil, err
	}
	for {
		if c, _ := p.next(); c != '|' {
			return t, nil
		}
		p.at++
		u, err := p.alternative()
		if err != nil {
			return nil, err
		}
		t = alternatives{t, u}
	}
}

// alternative reads terms, maybe none.
func (p *parser) alternative() (tree, error) {
	var out concat
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if t == nil {
			break
		}
		out = append(out, t)
	}
	switch len(out) {
	case 0:
		return empty{}, nil
	case 1:
		return out[0], nil
	}
	return out, nil
}

// term reads an anchor, or an atom and its repetitions; nil if none is next.
// Anchors cannot be repeated.
func (p *parser) term() (tree, error) {
	c, ok := p.next()
	if !ok {
		return nil, nil
	}
	switch c {
	case '^':
		p.at++
		return begin{}, nil
	case '$':
		p.at++
		return end{}, nil
	}
	t, err := p.atom(c)
	if err != nil || t == nil {
		return nil, err
	}
	for {
		c, _ := p.next()
		switch c {
		case '*':
			t = repeat{body: t, high: -1}
		case '+':
			t = repeat{body: t, low: 1, high: -1, plus: true}
		case '?':
			t = repeat{body: t, high: 1}
		case '{':
			low, high, err := p.interval()
			if err != nil {
				return nil, err
			}
			t = repeat{body: t, low: low, high: high}
			continue
		default:
			return t, nil
		}
		p.at++
	}
}

func (p *parser) atom(c byte) (tree, error) {
	switch c {
	case '*', '+', '?', '{', '|', ')':
		return nil, nil // the caller finds it out of place, or not
	case '.':
		p.at++
		any := &set{}
		any.invert()
		return any, nil
	case '\\':
		if p.at++; p.at == len(p.pattern) {
			return nil, errors.New("backslash at the end")
		}
		c = p.pattern[p.at]
		if strings.IndexByte(special, c) < 0 {
			return nil, fmt.Errorf(`unknown escape \%c`, c)
		}
	case '(':
		return p.group()
	case '[':
		p.at++
		return p.bracket()
	}
	p.at++
	one := &set{}
	one.add(c)
	return one, nil
}

func (p *parser) group() (tree, error) {
	p.at++
	if p.nesting++; p.nesting > maxNesting {
		return nil, ErrTooLarge
	}
	index := p.groups
	p.groups++
	body, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if c, _ := p.next(); c != ')' {
		return nil, errors.New("missing )")
	}
	p.at++
	p.nesting--
	return group{index, body}, nil
}

// interval reads {n}, {n,} or {n,m}.
func (p *parser) interval() (low, high int, err error) {
	p.at++
	if low, err = p.count(); err != nil {
		return 0, 0, err
	}
	high = low
	if c, _ := p.next(); c == ',' {
		p.at++
		high = -1
		if c, _ := p.next(); isDigit(c) {
			if high, err = p.count(); err != nil {
				return 0, 0, err
			}
			if high < low {
				return 0, 0, errors.New("repetition with its limits swapped")
			}
		}
	}
	if c, _ := p.next(); c != '}' {
		return 0, 0, errors.New("missing }")
	}
	p.at++
	return low, high, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (p *parser) count() (int, error) {
	from, n := p.at, 0
	for c, _ := p.next(); isDigit(c); c, _ = p.next() {
		n = min(n*10+int(c-'0'), MaxStates+1)
		p.at++
	}
	if p.at == from {
		return 0, errors.New("missing number in { }")
	}
	return n, nil
}
