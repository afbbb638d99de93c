package parser

import (
	plex "github.com/alecthomas/participle/v2/lexer"

	"gonix/parser/lexer"
)

// cursor is a place among the tokens of a text, which every hook gets and moves
// on. It holds a few tokens at a time; no more than lookahead of them behind the
// next one can be seen.
type cursor struct {
	scanner lexer.Scanner
	tokens  []lexer.Token // a batch; behind EOF there are more of it
	head    int           // index of the next token
	refill  int           // head must stay below, or the batch is used up
	buffer  [batch]lexer.Token
}

const (
	batch     = 64
	lookahead = 2
)

// open starts with the tokens of a text.
func (c *cursor) open(text string) {
	c.scanner = lexer.NewScanner(text)
	c.tokens, c.head = c.buffer[:0], 0
	c.fill()
}

// close forgets the text.
func (c *cursor) close() {
	c.scanner = lexer.Scanner{}
	clear(c.buffer[:])
}

// Peek returns the next token.
func (c *cursor) Peek() lexer.Token { return c.tokens[c.head] }

// Type returns the type of the next token.
func (c *cursor) Type() lexer.Type { return c.tokens[c.head].Type }

// ahead returns the token n behind the next one, n at most lookahead.
func (c *cursor) ahead(n int) lexer.Token { return c.tokens[c.head+n] }

// Next returns the next token and moves on behind it, unless it is EOF.
func (c *cursor) Next() lexer.Token {
	t := c.tokens[c.head]
	c.Skip()
	return t
}

// Skip moves on behind the next token, unless it is EOF.
func (c *cursor) Skip() {
	if c.head++; c.head >= c.refill {
		c.fill()
	}
}

// fill gets the next batch of tokens, the first of which are those that could
// be seen already.
func (c *cursor) fill() {
	n := copy(c.buffer[:], c.tokens[min(c.head, len(c.tokens)):])
	c.tokens, c.head = c.scanner.Fill(c.buffer[:n:batch-lookahead-1]), 0
	c.refill = len(c.tokens) - lookahead
	last := c.tokens[len(c.tokens)-1]
	if last.Type != lexer.EOF {
		return
	}
	// The end: each EOF is followed by as many as can be seen.
	for len(c.tokens) < lookahead+1 || c.tokens[len(c.tokens)-1-lookahead].Type != lexer.EOF {
		c.tokens = append(c.tokens, last)
	}
	c.refill = len(c.tokens) - lookahead
}

// window shows participle the tokens at a cursor.
//
// Participle reads from a PeekingLexer, whose only constructor wants all tokens
// of a text, each of 64 bytes. But a production reads no more than a few tokens
// itself: between them the hooks do, from the cursor. So there is one
// PeekingLexer of a handful of tokens for all, over which the next tokens of the
// cursor are written whenever participle is about to read. That Range gives out
// the slice which is read from is not documented; TestWindow checks it.
type window struct {
	lexer *plex.PeekingLexer
	slots []plex.Token // what lexer reads from
	shown int          // index in slots of the cursor's next token
}

// windowSize is more than the tokens of any production together with those that
// participle looks at before it decides.
const windowSize = 12

// blanks is a lexer of so many tokens that mean nothing.
type blanks int

// Next implements participle's Lexer.
func (n *blanks) Next() (plex.Token, error) {
	*n--
	if *n <= 0 {
		return plex.Token{Type: plex.EOF}, nil
	}
	return plex.Token{}, nil
}

func newWindow() window {
	n := blanks(windowSize)
	l, err := plex.Upgrade(&n)
	if err != nil {
		panic("parser: " + err.Error())
	}
	return window{lexer: l, slots: l.Range(0, windowSize)}
}

// show makes the token at index i of the window, and those behind it, the next
// ones of the cursor.
func (w *window) show(c *cursor, i int) {
	for n := range lookahead + 1 {
		w.slots[i+n] = c.tokens[c.head+n].Participle()
	}
	w.shown = i
}

// follow moves the cursor on as participle has moved on in its window, to i.
func (w *window) follow(c *cursor, i int) {
	for ; w.shown < i; w.shown++ {
		c.Skip()
	}
}

// close forgets the text.
func (w *window) close() { clear(w.slots) }
