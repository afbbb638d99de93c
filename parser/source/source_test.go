package source

import (
	"strings"
	"testing"
)

func TestPosition(t *testing.T) {
	set := NewSet()
	set.Add("first", "one")
	f := set.Add("second", "a\nbc\r\nd\re\n")
	for _, c := range []struct{ offset, line, column int }{
		{0, 1, 1}, {1, 1, 2}, {2, 2, 1}, {4, 2, 3}, {6, 3, 1}, {8, 4, 1}, {9, 4, 2}, {10, 5, 1},
	} {
		p, ok := set.Position(f.Pos(c.offset))
		if !ok || p.File != f || p.Line != c.line || p.Column != c.column {
			t.Errorf("offset %d: %v:%d:%d", c.offset, p.File.Name, p.Line, p.Column)
		}
	}
	if _, ok := set.Position(NoPos); ok {
		t.Error("NoPos has a position")
	}
	for n, want := range []string{"", "a", "bc", "d", "e", "", ""} {
		if got := f.Line(n); got != want {
			t.Errorf("line %d: %q, want %q", n, got, want)
		}
	}
}

func TestSnippet(t *testing.T) {
	for _, c := range []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, ""},
		{"abc", 1, "     1| abc\n      |  ^"},
		{"abc\n", 0, "     1| abc\n      | ^\n     2|"},
		{"a\n  bcd\n\ne", 5, "     1| a\n     2|   bcd\n      |    ^\n     3|"},
		{strings.Repeat("x\r\n", 20), 33, "    11| x\n    12| x\n      | ^\n    13| x"},
		{"a\n", 2, "     1| a\n     2|\n      | ^"},
	} {
		f := NewSet().Add("f", c.text)
		if got := Snippet(f.Position(f.Pos(c.offset)), "^"); got != c.want {
			t.Errorf("%q at %d\n got\n%s\nwant\n%s", c.text, c.offset, got, c.want)
		}
	}
}
