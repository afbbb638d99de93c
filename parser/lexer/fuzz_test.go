package lexer

import (
	"slices"
	"testing"
)

// FuzzScan checks that every text ends, once, that tokens lie in it, and that
// they are the same in small batches.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		"", "a.b/c ./${x}/y ~/z <n/x> a:b 1.5e3 # c\n/* d */", `"a\n${b "c"}$${" ''x''\t${''y''}'''z''`, "\x00", "{ a = [ 1 ]; }.a or b -> !c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		whole := Scan(text)
		for i, tok := range whole {
			if int(tok.Offset) > len(text) {
				t.Fatalf("token %d is at byte %d of %d", i, tok.Offset, len(text))
			}
			if (tok.Type == EOF) != (i == len(whole)-1) {
				t.Fatalf("token %d of %d has type %d", i, len(whole), tok.Type)
			}
		}
		var batches []Token
		var buf [perStep + 1]Token
		for s := NewScanner(text); len(batches) == 0 || batches[len(batches)-1].Type != EOF; {
			batches = append(batches, s.Fill(buf[:0])...)
		}
		if !slices.Equal(whole, batches) {
			t.Fatalf("in batches there are %d tokens instead of %d", len(batches), len(whole))
		}
	})
}
