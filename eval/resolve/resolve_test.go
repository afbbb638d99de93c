package resolve_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/eval/code"
	"gonix/eval/resolve"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/source"
)

var update = flag.Bool("update", false, "write what comes out as what is expected")

// testEnv has a handful of globals.
func testEnv() resolve.Env {
	t := symbol.NewTable()
	globals := map[string]value.Value{"true": value.Bool(true), "null": value.Null{}}
	set := value.NewBuilder(8)
	for _, b := range []*value.Builtin{
		{Name: "map", Params: []string{"f", "list"}},
		{Name: "sub", Params: []string{"a", "b"}},
		{Name: "mul", Params: []string{"a", "b"}},
		{Name: "div", Params: []string{"a", "b"}},
		{Name: "lessThan", Params: []string{"a", "b"}},
		{Name: "findFile", Params: []string{"path", "name"}},
		{Name: "head", Params: []string{"list"}},
	} {
		set.Add(t.Intern(b.Name), source.NoPos, b)
		globals["__"+b.Name] = b
	}
	globals["map"] = globals["__map"]
	globals["__nixPath"] = value.NewList()
	globals["lazy"] = new(value.Thunk)
	globals["builtins"] = set.Finish()
	return resolve.Env{Symbols: t, Globals: globals}
}

func program(text string, env resolve.Env) (code.Node, *source.Set, error) {
	set := source.NewSet()
	tree, err := parser.Parse(set.Add("/test.nix", text), parser.Options{Base: "/dir", Home: "/home"})
	if err != nil {
		return nil, set, err
	}
	n, err := resolve.File(tree, env)
	return n, set, err
}

// TestDump compares the programs of testdata, one expression a paragraph.
func TestDump(t *testing.T) {
	files, err := filepath.Glob("testdata/*.nix")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for _, expr := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
				env := testEnv()
				n, _, err := program(expr, env)
				if err != nil {
					t.Fatalf("%s: %v", expr, err)
				}
				out.WriteString(expr + "\n=> " + code.Dump(n, env.Symbols) + "\n\n")
			}
			golden := strings.TrimSuffix(file, ".nix") + ".dump"
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestUndefined(t *testing.T) {
	for _, c := range []struct {
		text, name string
		column     int
	}{
		{"x", "x", 1},
		{"let a = b; in a", "b", 9},
		{"{ a = 1; b = a; }", "a", 14},
		{"{ inherit x; }", "x", 11},
		{"let x = 1; in { inherit (y) x; }", "y", 26},
		{"({ a, b ? c }: a)", "c", 11},
		{"x: with y; z", "y", 9},
		{"\"${q}\"", "q", 4},
		{"rec { ${a} = 1; b = 2; }.b", "a", 9},
		{"{ ${a} = 1; a = 2; }", "a", 5},
		{"let a = 1; in { b = 2; }.${b}", "b", 28},
	} {
		_, set, err := program(c.text, testEnv())
		e, ok := errors.AsType[*value.Error](err)
		if !ok || e.Kind != value.UndefinedVar || e.Msg != "undefined variable '"+c.name+"'" {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if p, _ := set.Position(e.Pos); p.Column != c.column {
			t.Errorf("%s: reported at column %d, want %d", c.text, p.Column, c.column)
		}
	}
}

// TestScope resolves a program in a frame of the caller's.
func TestScope(t *testing.T) {
	env := testEnv()
	env.Scope = []symbol.Symbol{env.Symbols.Intern("a"), env.Symbols.Intern("true")}
	n, _, err := program("[ a true null (x: a) ]", env)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(code.Dump(n, env.Symbols)), " ")
	if want := "(list 0.0 0.1 null (lambda 1.0))"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
