package parser

import (
	"errors"
	"testing"

	"gonix/parser/ast"
	"gonix/parser/source"
)

func parseBindings(text string) (*ast.Attrs, error) {
	return ParseBindings(source.NewSet().Add("/test.nix", text), Options{Base: "/dir"})
}

func TestParseBindings(t *testing.T) {
	for _, c := range []struct {
		text  string
		names []string
	}{
		{"", nil},
		{"x = 1", []string{"x"}},
		{"x = 1;", []string{"x"}},
		{"x = 1; y = x # the end", []string{"x", "y"}},
		{"a.b = 1; a.c = 2", []string{"a"}},
		{"inherit a b", []string{"a", "b"}},
		{"inherit (x) a; c = ''\n d''", []string{"a", "c"}},
	} {
		set, err := parseBindings(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if len(set.Static) != len(c.names) {
			t.Errorf("%q: %d names, want %d", c.text, len(set.Static), len(c.names))
			continue
		}
		for i, name := range c.names {
			if set.Static[i].Name != name {
				t.Errorf("%q: name %d is %s, want %s", c.text, i, set.Static[i].Name, name)
			}
		}
	}
	// The last semicolon may be missing here only.
	if _, err := parseText("{ x = 1"); err == nil {
		t.Error("a set without its end was taken")
	}
}

func TestAtEnd(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"x", true},
		{"x =", true},
		{"x = {", true},
		{"x = ''a", true},
		{"x = \"a", true},
		{"x = (f", true},
		{"inherit (", true},
		{"x = )", false},
		{"x = { a = 1 }", false},
		{"1", false},
		{"x = 1; x = 2", false},
	} {
		_, err := parseBindings(c.text)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%q: no error", c.text)
			continue
		}
		if got := e.AtEnd(); got != c.want {
			t.Errorf("%q: %s: at the end: %v", c.text, e.Msg, got)
		}
	}
}
