package lexer

import (
	"io"

	plex "github.com/alecthomas/participle/v2/lexer"
)

// Definition is the lexer as participle wants it.
type Definition struct{}

var (
	_ plex.Definition       = Definition{}
	_ plex.StringDefinition = Definition{}
)

// Symbols implements participle's Definition.
func (Definition) Symbols() map[string]Type {
	m := make(map[string]Type, len(tokens)+1)
	for t, row := range tokens {
		m[row.symbol] = Type(t)
	}
	m["EOF"] = EOF
	return m
}

// Lex implements participle's Definition.
func (d Definition) Lex(filename string, r io.Reader) (plex.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return d.LexString(filename, string(text))
}

// LexString implements participle's StringDefinition.
func (Definition) LexString(_ string, text string) (plex.Lexer, error) {
	return &Replay{Tokens: Scan(text, nil)}, nil
}

// Replay hands out tokens that were scanned before, then EOF for ever.
type Replay struct{ Tokens []Token }

// Next implements participle's Lexer.
func (r *Replay) Next() (Token, error) {
	if len(r.Tokens) == 0 {
		return Token{Type: EOF}, nil
	}
	t := r.Tokens[0]
	r.Tokens = r.Tokens[1:]
	return t, nil
}
