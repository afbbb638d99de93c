package parser

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonix/parser/ast"
	"gonix/parser/printer"
	"gonix/parser/source"
)

// readable reports whether the canonical text of a tree can be read back. It
// cannot if there is an assert that needs the parentheses which Nix leaves out,
// a float that is printed like 1e+06, or a path that is printed with a slash at
// its end or in a string.
func readable(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return true
		}
		switch e := v.Interface().(type) {
		case *ast.Assert, *ast.Float:
			return false
		case *ast.Path:
			return len(e.Parts) == 1 && e.Parts[0].Text != "/"
		}
		return readable(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !readable(v.Index(i)) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !readable(v.Field(i)) {
				return false
			}
		}
	}
	return true
}

// checkRoundTrip checks that the canonical text of a tree is that of the tree
// which it is parsed to. The first text loses which sums were strings, so it is
// the second that has to stay.
func checkRoundTrip(t *testing.T, e ast.Expr) {
	t.Helper()
	if !readable(reflect.ValueOf(e)) {
		return
	}
	again := func(text string) string {
		e, err := parseText(text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		return printer.Expr(e)
	}
	first := printer.Expr(e)
	if strings.Contains(first, "\x00") {
		return // it was behind a backslash, which nothing prints, in Nix neither
	}
	second := again(first)
	if third := again(second); third != second {
		t.Fatalf("printed\n%s\nthen\n%s", second, third)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.nix")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	errors, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(errors)) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := source.NewSet().Add("x", text)
		x, err := Parse(file, Options{Base: "/base", Home: "/home/me"})
		if err != nil {
			e := err.(*Error)
			if off := file.Offset(e.Pos); off < 0 || off > len(text) {
				t.Fatalf("error at offset %d of %d", off, len(text))
			}
			source.Snippet(file.Position(e.Pos), "^")
			return
		}
		checkRoundTrip(t, x.Body)
	})
}
