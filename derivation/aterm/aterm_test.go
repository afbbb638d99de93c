package aterm

import (
	"slices"
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	for _, c := range []struct{ text, value, again string }{
		{`""`, "", ""},
		{`"plain"`, "plain", ""},
		{`"a\"b\\c\nd\re\tf"`, "a\"b\\c\nd\re\tf", ""},
		{`"\q\$"`, "q$", `"q$"`},
		{"\"raw\nline\x00\xff\"", "raw\nline\x00\xff", "\"raw\\nline\x00\xff\""},
		{`"\\"`, `\`, ""},
	} {
		s := NewScanner(c.text)
		got, err := s.String()
		if err == nil {
			err = s.End()
		}
		if err != nil || got != c.value {
			t.Errorf("%s: %q, %v; want %q", c.text, got, err, c.value)
		}
		want := c.again
		if want == "" {
			want = c.text
		}
		if out := string(AppendString(nil, got)); out != want {
			t.Errorf("AppendString(%q) = %s, want %s", got, out, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, `expected '"' at byte 0`},
		{`"abc`, "unterminated string at byte 0"},
		{`"abc\`, "unterminated string at byte 0"},
		{`"abc\"`, "unterminated string at byte 0"},
	} {
		_, err := NewScanner(c.text).String()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	for _, text := range []string{"", "[", `["a"`, `["a",`, `["a",]`, `["a"x]`, `[,]`} {
		if got, err := NewScanner(text).Strings(); err == nil {
			t.Errorf("list %q: %q, want an error", text, got)
		}
	}
	var a, b string
	for _, text := range []string{`("a")`, `("a","b","c")`, `("a","b"`, `"a"`} {
		if err := NewScanner(text).Tuple(&a, &b); err == nil {
			t.Errorf("pair %q: want an error", text)
		}
	}
	s := NewScanner(`[]x`)
	if _, err := s.Strings(); err != nil {
		t.Error(err)
	}
	if s.End() == nil {
		t.Error("text after the end is accepted")
	}
}

func FuzzStrings(f *testing.F) {
	f.Add(`["a","b\n\"\\"]`)
	f.Add(`[]`)
	f.Add(`["\x"]`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := NewScanner(text).Strings()
		if err != nil {
			return
		}
		out := string(AppendStrings(nil, list))
		again, err := NewScanner(out).Strings()
		if err != nil || !slices.Equal(list, again) {
			t.Errorf("%q: %q became %q, %v", text, list, again, err)
		}
	})
}
