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
func (Definition) Symbols() map[string]plex.TokenType {
	m := make(map[string]plex.TokenType, len(tokens)+1)
	for t, row := range tokens {
		m[row.symbol] = plex.TokenType(t)
	}
	m["EOF"] = plex.EOF
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
	return &replay{Scan(text)}, nil
}

// replay hands out tokens that were scanned before, then EOF for ever.
type replay struct{ tokens []Token }

// Next implements participle's Lexer.
func (r *replay) Next() (plex.Token, error) {
	if len(r.tokens) == 0 {
		return plex.Token{Type: plex.EOF}, nil
	}
	t := r.tokens[0]
	r.tokens = r.tokens[1:]
	return t.Participle(), nil
}
