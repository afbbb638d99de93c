// Package ere matches POSIX extended regular expressions the way that
// builtins.match and builtins.split show them: as the C++ library's
// std::regex::extended does, in the C locale and byte by byte.
//
// That differs from the standard, and from package regexp, in what is found:
//
//   - Of the alternatives of | all are tried and the longest match wins, the
//     first of equally long ones.
//   - A repetition takes as much as leads to a match at all, even if less of it
//     would lead to a longer match: a?(ab)? finds the a of "ab".
//   - A group keeps what it matched last, also if the last round of a
//     repetition around it left it out. A round that matches nothing is tried
//     twice at a place, then the repetition ends.
//   - . and [^…] match any byte, line breaks too.
//
// Patterns are limited to [MaxStates] as in that library. Matching backtracks
// on a stack of its own, so long texts cannot exhaust the goroutine's, and it
// remembers failures once it has taken many steps, so no pattern needs more
// than time in proportion to its size times the text's.
package ere

import "errors"

// MaxStates bounds the size of a compiled pattern.
const MaxStates = 100000

// ErrTooLarge is the error for a pattern that has too many states.
var ErrTooLarge = errors.New("regular expression is too large")

// Regexp is a compiled pattern. It is immutable.
type Regexp struct {
	prog   []node
	start  int32
	groups int // number of groups, the whole match included
	reps   int // number of counted repetitions
	first  *set
}

// Compile translates a pattern. The error is ErrTooLarge or tells what is
// wrong with the pattern.
func Compile(pattern string) (*Regexp, error) {
	p := parser{pattern: pattern, groups: 1}
	tree, err := p.parse()
	if err != nil {
		return nil, err
	}
	c := compiler{re: &Regexp{groups: p.groups}}
	end := c.add(node{op: opMatch})
	c.re.start = c.compile(tree, end, false)
	if c.tooLarge {
		return nil, ErrTooLarge
	}
	c.re.first = c.re.firstBytes()
	return c.re, nil
}

// Groups is the number of parenthesised groups.
func (re *Regexp) Groups() int { return re.groups - 1 }

// Match matches all of text. The result has the start and end of the whole and
// of each group, -1 for a group that took no part; it is nil if text does not
// match.
func (re *Regexp) Match(text string) []int {
	m := newMachine(re, text)
	m.exact = true
	kept := stacks.Get().(*[]frame)
	m.stack = *kept
	found := m.run(0)
	*kept = m.stack[:0]
	stacks.Put(kept)
	return found
}

// Search looks for matches in one text.
type Search struct {
	re *Regexp
	m  *machine
}

// Search returns a search through text.
func (re *Regexp) Search(text string) *Search { return &Search{re, newMachine(re, text)} }

// Find returns the leftmost match that begins at start or later, as Match
// does. ^ matches at the beginning of the text, but never if notBegin.
func (s *Search) Find(start int, notBegin bool) []int {
	if notBegin != s.m.notBegin {
		s.m.forget()
		s.m.notBegin = notBegin
	}
	text, first := s.m.text, s.re.first
	for ; start <= len(text); start++ {
		if first != nil && (start == len(text) || !first.has(text[start])) {
			continue
		}
		if found := s.m.run(start); found != nil {
			return found
		}
	}
	return nil
}

// set is a set of bytes.
type set [4]uint64

func (s *set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func (s *set) add(c byte)      { s[c>>6] |= 1 << (c & 63) }

func (s *set) union(t *set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *set) invert() {
	for i := range s {
		s[i] = ^s[i]
	}
}
