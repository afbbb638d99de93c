package ere

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          any // groups, or nil
	}{
		{"abc", "abc", []any{}},
		{"abc", "abcd", nil},
		{"a(b)?c", "ac", []any{nil}},
		{"(a|ab)(c|bcd)(d*)", "abcd", []any{"a", "bcd", ""}},
		{"((a)|b)*", "ab", []any{"b", "a"}},
		{"(a*)*", "aa", []any{""}},
		{"[]a]*", "]a]", []any{}},
		{"[^]]", "]", nil},
		{"[a-]+", "a-", []any{}},
		{"[[:digit:]x]{2,3}", "1x2", []any{}},
		{"a{0}", "", []any{}},
		{"(x+x+)+y", strings.Repeat("x", 40), nil},
		{".", "\xff", []any{}},
	}
	for _, tt := range tests {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("Compile(%q): %v", tt.pattern, err)
			continue
		}
		if got := groupsOf(tt.text, re.Match(tt.text)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q matches %q: %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// badPatterns are not regular expressions.
var badPatterns = []string{
	"(", ")", "a)", "(a", "*", "+a", "?", "{1}", "a{", "a{1", "a{,2}", "a{2,1}", "a{x}", "^*", "a|*", "(*a)",
	"[", "[a", "[^", "[]", "[b-a]", "[a-b-c]", "[[:alpha:]-z]", "[a-[:alpha:]]", "[[:foo:]]", "[[.foo.]]", "[[:alpha]", "[[=a",
	`\`, `\d`, `\1`, `a\n`, "[a-\xe9]",
}

func TestCompileErrors(t *testing.T) {
	for _, pattern := range badPatterns {
		if _, err := Compile(pattern); err == nil || errors.Is(err, ErrTooLarge) {
			t.Errorf("Compile(%q): %v, want a syntax error", pattern, err)
		}
	}
	for _, pattern := range []string{"(a{300}){1000}", "a{100001}", strings.Repeat("(", 20000)} {
		if _, err := Compile(pattern); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Compile(%.20q): %v, want ErrTooLarge", pattern, err)
		}
	}
}

// TestLong matches long texts, which must not take long nor exhaust the stack.
func TestLong(t *testing.T) {
	start := time.Now()
	text := strings.Repeat("ab", 100_000)
	for _, pattern := range []string{".*", "(a|b)*", "([^x]*)(.*)", "(ab)*", "((a?)b)*"} {
		re, err := Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if re.Match(text) == nil {
			t.Errorf("%q does not match", pattern)
		}
	}
	re, err := Compile("(a*)*(a|aa)+c")
	if err != nil {
		t.Fatal(err)
	}
	if re.Match(strings.Repeat("a", 2000)) != nil {
		t.Error("match without the last letter")
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

// FuzzMatch compares with package regexp where the two agree on the language:
// whether a pattern matches the whole of a text.
func FuzzMatch(f *testing.F) {
	f.Add("(a|b)*c", "abac")
	f.Add("a{2,3}[^b]?$", "aaa")
	f.Add("^(a*)+$", "aa")
	f.Add("[[:alpha:]_-]+", "x_-")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := Compile(pattern)
		if err != nil || len(text) > 100 || len(re.prog) > 1000 {
			return
		}
		got := re.Match(text)
		for _, i := range got {
			if i < -1 || i > len(text) {
				t.Fatalf("%q %q: %v", pattern, text, got)
			}
		}
		if strings.ContainsAny(pattern, "[\\{") || !isASCII(pattern) || !isASCII(text) {
			return
		}
		other, err := regexp.Compile(`\A(?s:` + pattern + `)\z`)
		if err != nil {
			return
		}
		if other.MatchString(text) != (got != nil) {
			t.Fatalf("%q matches %q: %v", pattern, text, got)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

func BenchmarkSplit(b *testing.B) {
	re, err := Compile("[\n]+")
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("a line of some text\n", 1000)
	for b.Loop() {
		splitOf(re, text)
	}
}
