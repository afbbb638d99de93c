// Package lexer cuts Nix text into tokens.
//
// A [Scanner] is the whole of it: text in, tokens out in small batches, the last one
// being the end of the file. White space and comments leave no token. A string, an
// indented string or a path without interpolation is one token; with
// interpolation it is an opening token, its pieces and a closing one. Which
// text is a path or a URI is decided here alone, by the longest match, as in
// Nix: a/b is a path, a:b a URI, <a> a search path.
//
// [Definition] shows the same to participle.
package lexer

import (
	"strings"

	plex "github.com/alecthomas/participle/v2/lexer"
)

// Token is a token without its copy of file name, line and column that
// participle's carries: there are hundreds of thousands of them in a large text.
type Token struct {
	Value  string
	Offset uint32 // of its first byte
	Type   Type
}

// Type is the type of a token; participle's has the same number.
type Type int8

// EOF ends every token list.
const EOF = Type(plex.EOF)

// Participle is the token as participle sees it. Only the offset of its
// position is set.
func (t Token) Participle() plex.Token {
	return plex.Token{Type: plex.TokenType(t.Type), Value: t.Value, Pos: plex.Position{Offset: int(t.Offset)}}
}

// The token types. Value is the source text unless said otherwise.
const (
	Invalid Type = iota // a byte that starts no token
	Error               // what Value says is wrong here; only EOF follows
	ID
	Text        // a piece of a string or path; in a string without its escapes
	Raw         // a piece of an indented string, its indentation still there
	Escaped     // a piece of an indented string that was written as an escape
	Int         // of Nix's range
	Float       // of Nix's range
	Path        // a path without interpolation
	PathOpen    // the first piece of a path with interpolation
	HomePath    // a path without interpolation that starts with ~/
	HomeOpen    // the first piece of one with interpolation
	SearchPath  // Value is without < and >
	PathEnd     // nothing; the end of what PathOpen or HomeOpen started
	URI         //
	If          //
	Then        //
	Else        //
	Assert      //
	With        //
	Let         //
	In          //
	Rec         //
	Inherit     //
	Eq          //
	Neq         //
	Leq         //
	Geq         //
	Update      //
	Concat      //
	And         //
	Or          // ||
	Impl        //
	OrKeyword   // or
	PipeFrom    //
	PipeInto    //
	DollarCurly //
	Indented    // an indented string of one Raw piece, which Value is
	IndentOpen  //
	IndentClose //
	Ellipsis    //
	Lt          //
	Gt          //
	Plus        //
	Minus       //
	Star        //
	Slash       //
	Question    //
	Colon       //
	At          //
	Semicolon   //
	Bang        //
	Dot         //
	String      // a string without interpolation; Value is what it means
	Quote       // opens a string with interpolation
	Unquote     //
	ParenOpen   //
	ParenClose  //
	BraceOpen   //
	BraceClose  //
	ListOpen    //
	ListClose   //
	Equals      //
	Comma       //
)

// tokens has the name of each type in grammar tags and in messages.
var tokens = [...]struct{ symbol, text string }{
	Invalid:     {"INVALID", "invalid token"},
	Error:       {"ERROR", "error"},
	ID:          {"ID", "identifier"},
	Text:        {"TEXT", "string"},
	Raw:         {"RAW", "indented string"},
	Escaped:     {"ESCAPED", "indented string"},
	Int:         {"INT", "integer"},
	Float:       {"FLOAT", "floating-point literal"},
	Path:        {"PATH", "path"},
	PathOpen:    {"PATH_OPEN", "path"},
	HomePath:    {"HOME_PATH", "'~/…' path"},
	HomeOpen:    {"HOME_OPEN", "'~/…' path"},
	SearchPath:  {"SEARCH_PATH", "'<…>' path"},
	PathEnd:     {"PATH_END", "end of path"},
	URI:         {"URI", "URI"},
	If:          {"IF", "'if'"},
	Then:        {"THEN", "'then'"},
	Else:        {"ELSE", "'else'"},
	Assert:      {"ASSERT", "'assert'"},
	With:        {"WITH", "'with'"},
	Let:         {"LET", "'let'"},
	In:          {"IN", "'in'"},
	Rec:         {"REC", "'rec'"},
	Inherit:     {"INHERIT", "'inherit'"},
	Eq:          {"EQ", "'=='"},
	Neq:         {"NEQ", "'!='"},
	Leq:         {"LEQ", "'<='"},
	Geq:         {"GEQ", "'>='"},
	Update:      {"UPDATE", "'//'"},
	Concat:      {"CONCAT", "'++'"},
	And:         {"AND", "'&&'"},
	Or:          {"OR", "'||'"},
	Impl:        {"IMPL", "'->'"},
	OrKeyword:   {"OR_KEYWORD", "'or'"},
	PipeFrom:    {"PIPE_FROM", "'<|'"},
	PipeInto:    {"PIPE_INTO", "'|>'"},
	DollarCurly: {"DOLLAR_CURLY", "'${'"},
	Indented:    {"INDENTED", "start of an indented string"},
	IndentOpen:  {"INDENT_OPEN", "start of an indented string"},
	IndentClose: {"INDENT_CLOSE", "end of an indented string"},
	Ellipsis:    {"ELLIPSIS", "'...'"},
	Lt:          {"LT", "'<'"},
	Gt:          {"GT", "'>'"},
	Plus:        {"PLUS", "'+'"},
	Minus:       {"MINUS", "'-'"},
	Star:        {"STAR", "'*'"},
	Slash:       {"SLASH", "'/'"},
	Question:    {"QUESTION", "'?'"},
	Colon:       {"COLON", "':'"},
	At:          {"AT", "'@'"},
	Semicolon:   {"SEMICOLON", "';'"},
	Bang:        {"BANG", "'!'"},
	Dot:         {"DOT", "'.'"},
	String:      {"STRING", "'\"'"},
	Quote:       {"QUOTE", "'\"'"},
	Unquote:     {"UNQUOTE", "'\"'"},
	ParenOpen:   {"PAREN_OPEN", "'('"},
	ParenClose:  {"PAREN_CLOSE", "')'"},
	BraceOpen:   {"BRACE_OPEN", "'{'"},
	BraceClose:  {"BRACE_CLOSE", "'}'"},
	ListOpen:    {"LIST_OPEN", "'['"},
	ListClose:   {"LIST_CLOSE", "']'"},
	Equals:      {"EQUALS", "'='"},
	Comma:       {"COMMA", "','"},
}

// Describe returns what messages call a token of type t.
func Describe(t Type) string {
	if t == EOF {
		return "end of file"
	}
	return tokens[t].text
}

// BySymbol returns the type that grammar tags call symbol, in upper or lower case.
func BySymbol(symbol string) (Type, bool) {
	for t, row := range tokens {
		if strings.EqualFold(row.symbol, symbol) {
			return Type(t), true
		}
	}
	return 0, false
}

// keyword returns the type of an identifier.
func keyword(s string) Type {
	switch s {
	case "if":
		return If
	case "then":
		return Then
	case "else":
		return Else
	case "assert":
		return Assert
	case "with":
		return With
	case "let":
		return Let
	case "in":
		return In
	case "rec":
		return Rec
	case "inherit":
		return Inherit
	case "or":
		return OrKeyword
	}
	return ID
}
