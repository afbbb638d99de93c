package builtin

import (
	"encoding/json"
	"reflect"
	"testing"

	"gonix/eval/render"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

func newThread() *value.Thread {
	return &value.Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), MaxDepth: value.DefaultMaxDepth}
}

// FuzzJSON checks that what parses is what package json says it is, and that
// it survives being written and read again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		"", "null", `{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00"]}`, "[[[]]]", `"\ud800"`, "1e999", "-0", "\xef\xbb\xbf1",
		"18446744073709551615", "\"\x80\"", "\"\xe0\xa0", "[1,]", "tru", "01", "1.", "\"\n\"", "{\"a\":1,\"a\":2}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		th := newThread()
		v, err := parseJSON(th, s)
		if err != nil {
			return
		}
		if !json.Valid([]byte(s)) && s[0] != 0xef {
			t.Fatalf("%q is not JSON", s)
		}
		out, _, err := render.JSON(th, v, source.NoPos, true, false)
		if err != nil {
			return // a set with outPath or __toString, or too deep
		}
		w, err := parseJSON(th, out)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		again, _, err := render.JSON(th, w, source.NoPos, true, false)
		if err != nil || again != out {
			t.Fatalf("%q became %q", out, again)
		}
	})
}

// FuzzTOML checks that no text makes the parser fail other than by an error,
// and that parsing is a function.
func FuzzTOML(f *testing.F) {
	for _, s := range []string{
		"", "a=1", "[a]\nb='x'", "[[a]]\nb=[1,{c=2}]", "a.b.\"c d\"=\"\"\"\nx\\\n  y\"\"\"", "a=0x_1", "a=1979-05-27", "a = inf # c", "\xef\xbb\xbfa=1e-5",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		th := newThread()
		v, err := parseTOML(th, s, true)
		if err != nil {
			return
		}
		w, err := parseTOML(th, s, true)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := render.Text(th, v)
		b, err2 := render.Text(th, w)
		if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q: %s and %s", s, a, b)
		}
	})
}

// TestJSONDepth reads and writes deep nesting without recursion, or ends with
// an error.
func TestJSONDepth(t *testing.T) {
	const depth = 100_000
	text := make([]byte, 2*depth)
	for i := range depth {
		text[i], text[2*depth-1-i] = '[', ']'
	}
	th := newThread()
	v, err := parseJSON(th, string(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = render.JSON(th, v, source.NoPos, true, false); err == nil {
		t.Error("a value of so many levels was written")
	}
}
