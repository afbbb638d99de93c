package parser

import (
	"sync"

	"github.com/alecthomas/participle/v2"
	plex "github.com/alecthomas/participle/v2/lexer"

	"gonix/parser/lexer"
)

// Participle wants a PeekingLexer, whose only constructor reads a lexer token
// by token into a slice that it grows. That alone took two fifths of the time,
// so a PeekingLexer is made once, from tokens that mean nothing, and each file's
// tokens are written over them: Range gives out the slice it reads from, and
// LoadCheckpoint starts it anew. That Range aliases is not documented, so
// TestTokensAlias checks it.

// tokenBuffer is a PeekingLexer together with the slice it reads from.
type tokenBuffer struct {
	cursor *cursor
	tokens []lexer.Token
	used   int // how many of tokens belong to the text at hand
}

// blanks is a lexer of so many tokens that mean nothing.
type blanks int

// Next implements participle's Lexer.
func (n *blanks) Next() (lexer.Token, error) {
	*n--
	if *n <= 0 {
		return lexer.Token{Type: lexer.EOF}, nil
	}
	return lexer.Token{}, nil
}

// newTokenBuffer returns one that holds n tokens.
func newTokenBuffer(n int) tokenBuffer {
	rest := blanks(n)
	c, err := plex.Upgrade(&rest)
	if err != nil {
		panic("parser: " + err.Error())
	}
	return tokenBuffer{cursor: c, tokens: c.Range(0, plex.RawCursor(n))}
}

// scan fills the buffer with the tokens of text, growing it if it must.
func (b *tokenBuffer) scan(text string) {
	const perToken = 6 // bytes of text, usually more
	if n := len(text) / perToken; n > len(b.tokens) {
		*b = newTokenBuffer(max(n, 2*len(b.tokens)))
	}
	tokens := lexer.Scan(text, b.tokens)
	if len(tokens) > len(b.tokens) {
		*b = newTokenBuffer(max(len(tokens)+len(tokens)/8, 2*len(b.tokens)))
		copy(b.tokens, tokens)
	}
	b.used = len(tokens)
	b.cursor.LoadCheckpoint(plex.Checkpoint{})
}

// maxKeptTokens bounds what a parser keeps for its next file; a token has 64 bytes.
const maxKeptTokens = 1 << 20

// release forgets the text that the tokens refer to.
func (b *tokenBuffer) release() {
	if len(b.tokens) > maxKeptTokens {
		*b = newTokenBuffer(minTokens)
		return
	}
	clear(b.tokens[:b.used])
}

// minTokens is the size of a new buffer, before a text asks for more: making one
// costs a call for each token.
const minTokens = 1 << 6

// parsers keeps instances for the next call of [Parse]: building the grammar
// takes longer than parsing a small file.
var parsers = sync.Pool{New: func() any {
	p := &parse{buffer: newTokenBuffer(minTokens)}
	p.trailing = []participle.ParseOption{participle.AllowTrailing(true)}
	p.grammar = newGrammar(p)
	return p
}}
