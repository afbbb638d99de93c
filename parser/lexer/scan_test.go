package lexer

import (
	"fmt"
	"strings"
	"testing"

	plex "github.com/alecthomas/participle/v2/lexer"
)

// show is the tokens of a text: symbol, or symbol=value where that says more.
func show(tokens []Token) string {
	var out []string
	for _, t := range tokens {
		switch t.Type {
		case EOF:
			out = append(out, fmt.Sprintf("EOF@%d", t.Offset))
		case ID, Text, Raw, Escaped, Int, Float, Path, PathOpen, HomePath, HomeOpen, SearchPath, URI, Indented, String, Error:
			out = append(out, symbols[t.Type]+"="+t.Value)
		default:
			out = append(out, symbols[t.Type])
		}
	}
	return strings.Join(out, " ")
}

// symbols has the symbols by type.
var symbols = func() map[Type]string {
	m := map[Type]string{}
	for s, t := range (Definition{}).Symbols() {
		m[Type(t)] = s
	}
	return m
}()

func TestScan(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "EOF@0"},
		{" \t\r\n", "EOF@4"},
		{"a/b a / b a/ b a /b", "PATH=a/b ID=a SLASH ID=b ID=a SLASH ID=b ID=a PATH=/b EOF@17"},
		{"a.b/c a.b:c a_b:c a:b c: d", "PATH=a.b/c URI=a.b:c ID=a_b COLON ID=c URI=a:b ID=c COLON ID=d EOF@26"},
		{"a-b a -b -a/b a'b.c", "ID=a-b ID=a MINUS ID=b PATH=-a/b ID=a'b DOT ID=c EOF@19"},
		{"<a> <a/b> <a <=b <|", "SEARCH_PATH=a SEARCH_PATH=a/b LT ID=a LEQ ID=b PIPE_FROM EOF@19"},
		{"1.2 1. .5 0.5 00.5 1.e2 1.5e 1e5 1.2/a", "FLOAT=1.2 FLOAT=1. FLOAT=.5 FLOAT=0.5 INT=00 FLOAT=.5 FLOAT=1.e2 FLOAT=1.5 ID=e INT=1 ID=e5 PATH=1.2/a EOF@33"},
		{"... . .. ../a", "ELLIPSIS DOT DOT DOT PATH=../a EOF@9"},
		{"~/a ~ ~/${x}/b ", "HOME_PATH=~/a INVALID HOME_OPEN=~/ DOLLAR_CURLY ID=x BRACE_CLOSE TEXT=/b PATH_END EOF@15"},
		{"./a${x}b./${y}c;", "PATH_OPEN=./a DOLLAR_CURLY ID=x BRACE_CLOSE TEXT=b./ DOLLAR_CURLY ID=y BRACE_CLOSE TEXT=c PATH_END SEMICOLON EOF@16"},
		{"/a", "PATH=/a EOF@0"},
		{"/a ", "PATH=/a EOF@3"},
		{"/ // /* c */ /**/ # /*\r1", "SLASH UPDATE INT=1 EOF@24"},
		{`"a" "" "\n\${" "$" "$$${x}" "$${"`, "STRING=a STRING= STRING=\n${ STRING=$ QUOTE TEXT=$$ DOLLAR_CURLY ID=x BRACE_CLOSE UNQUOTE STRING=$${ EOF@33"},
		{"\"a\r\nb\rc\\\r\"", "STRING=a\nb\nc\r EOF@10"},
		{`"${"${{}}"}"`, "QUOTE DOLLAR_CURLY QUOTE DOLLAR_CURLY BRACE_OPEN BRACE_CLOSE BRACE_CLOSE UNQUOTE BRACE_CLOSE UNQUOTE EOF@12"},
		{"''a'' ''  \n b'' ''''", "INDENTED=a INDENTED= b INDENTED= EOF@20"},
		{"''''$'' '' ''' ''${x '''y$''", "INDENT_OPEN ESCAPED=$ INDENT_CLOSE INDENT_OPEN RAW=  ESCAPED='' RAW=  ESCAPED=$ RAW={x  ESCAPED='' RAW=y ESCAPED=$ INDENT_CLOSE EOF@28"},
		{`''''\n'x$${${y}''`, `INDENT_OPEN ESCAPED=` + "\n" + ` RAW='x$${ DOLLAR_CURLY ID=y BRACE_CLOSE INDENT_CLOSE EOF@17`},
		{"} if ifx or or-x", "BRACE_CLOSE IF ID=ifx OR_KEYWORD ID=or-x EOF@16"},
		{"& && | || |> ! != = == -> - ++ +", "INVALID AND INVALID OR PIPE_INTO BANG NEQ EQUALS EQ IMPL MINUS CONCAT PLUS EOF@32"},
		{"./a/ x", "PATH_OPEN=./a/ ERROR=path has a trailing slash EOF@4"},
	} {
		if got := show(Scan(c.text)); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestDefinition(t *testing.T) {
	lex, err := Definition{}.Lex("x", strings.NewReader("a + 1"))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := plex.ConsumeAll(lex)
	if err != nil {
		t.Fatal(err)
	}
	var own []Token
	for _, t := range tokens {
		own = append(own, Token{Type: Type(t.Type), Value: t.Value, Offset: uint32(t.Pos.Offset)})
	}
	if got, want := show(own), "ID=a PLUS INT=1 EOF@5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if next, err := lex.Next(); err != nil || next.Type != plex.EOF {
		t.Errorf("behind the end: %v %v", next, err)
	}
	for symbol, typ := range (Definition{}).Symbols() {
		if typ == plex.EOF {
			continue
		}
		if got, ok := BySymbol(strings.ToLower(symbol)); !ok || got != Type(typ) || Describe(Type(typ)) == "" {
			t.Errorf("%s: %v %v %q", symbol, got, ok, Describe(Type(typ)))
		}
	}
}
