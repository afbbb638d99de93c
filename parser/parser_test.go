package parser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	plex "github.com/alecthomas/participle/v2/lexer"

	"gonix/parser/ast"
	"gonix/parser/lexer"
	"gonix/parser/printer"
	"gonix/parser/source"
)

var update = flag.Bool("update", false, "write the .ast files anew")

// parseText parses a text whose file is called x.
func parseText(text string) (ast.Expr, error) {
	f, err := Parse(source.NewSet().Add("x", text), Options{Base: "/base", Home: "/home/me"})
	if err != nil {
		return nil, err
	}
	return f.Body, nil
}

// mustParse parses a text without error.
func mustParse(t *testing.T, text string) ast.Expr {
	t.Helper()
	e, err := parseText(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// TestGolden compares each testdata/x.nix with x.ast, its canonical text. The
// elements of a list stand on lines of their own there.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.nix")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			e := mustParse(t, string(text))
			var got strings.Builder
			body := e
			for {
				l, ok := body.(*ast.Lambda)
				if !ok || l.Formals != nil {
					break
				}
				fmt.Fprintf(&got, "%s:\n", l.Arg)
				body = l.Body
			}
			if l, ok := body.(*ast.List); ok {
				for _, x := range l.Elems {
					got.WriteString(printer.Expr(x) + "\n")
				}
			} else {
				got.WriteString(printer.Expr(body) + "\n")
			}
			golden := strings.TrimSuffix(name, ".nix") + ".ast"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
			for i := range max(len(gotLines), len(wantLines)) {
				g, w := "", ""
				if i < len(gotLines) {
					g = gotLines[i]
				}
				if i < len(wantLines) {
					w = wantLines[i]
				}
				if g != w {
					t.Errorf("line %d\n got %s\nwant %s", i+1, g, w)
				}
			}
		})
	}
}

// TestErrors goes through testdata/errors.txt.
func TestErrors(t *testing.T) {
	table, err := os.ReadFile("testdata/errors.txt")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\n`, "\n", `\0`, "\x00", `\r`, "\r")
	for line := range strings.Lines(string(table)) {
		text, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ### ")
		if !ok || strings.HasPrefix(line, "## ") {
			continue
		}
		text = unescape.Replace(text)
		e, err := parseText(text)
		if err == nil {
			t.Errorf("%q: no error but %s", text, printer.Expr(e))
			continue
		}
		if got := place(text, err.(*Error)) + " " + err.Error(); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

// place is LINE:COLUMN of an error in a text.
func place(text string, e *Error) string {
	p := source.NewSet().Add("x", text).Position(e.Pos)
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

func TestHomeUnknown(t *testing.T) {
	_, err := Parse(source.NewSet().Add("x", "[ ~/a ]"), Options{Base: "/"})
	if err == nil || !strings.Contains(err.Error(), "~/a") {
		t.Errorf("got %v", err)
	}
}

// TestPositions checks what messages will point at.
func TestPositions(t *testing.T) {
	const text = `f: x: f (x + "a${x}") x.y ({ a.b = 1; inherit x; inherit (x) y; } ? a) (-x) (!x) [ 1 x ] ./${x}`
	at := map[string]string{}
	f := source.NewSet().Add("x", text)
	file, err := Parse(f, Options{Base: "/"})
	if err != nil {
		t.Fatal(err)
	}
	note := func(name string, pos source.Pos) {
		if pos == source.NoPos {
			at[name] = "nowhere"
			return
		}
		at[name] = text[f.Offset(pos):]
	}
	call := file.Body.(*ast.Lambda).Body.(*ast.Lambda).Body.(*ast.Apply)
	sum := call.Args[0].(*ast.Binary)
	str := sum.R.(*ast.Str)
	sel := call.Args[1].(*ast.Select)
	has := call.Args[2].(*ast.HasAttr)
	set := has.X.(*ast.Attrs)
	list := call.Args[5].(*ast.List)
	note("call", call.Pos())
	note("sum", sum.Pos())
	note("left", sum.LPos)
	note("right", sum.RPos)
	note("string", str.Pos())
	note("interpolation", str.Parts[1].Pos())
	note("select", sel.Pos())
	note("has", has.Pos())
	note("a.b", set.Static[0].Pos())
	note("b", set.Static[0].Value.(*ast.Attrs).Static[0].Pos())
	note("inherit", set.Static[1].Pos())
	note("inherit from", set.Static[2].Pos())
	note("negate", call.Args[3].Pos())
	note("not", call.Args[4].Pos())
	note("list", list.Pos())
	note("element", list.Elems[1].Pos())
	note("path", call.Args[6].Pos())
	want := map[string]string{
		"call": "f (x", "sum": "+ ", "left": "x + ", "right": `"a$`, "string": "a${x}", "interpolation": "${x}\"",
		"select": "x.y", "has": "{ a.b", "a.b": "a.b", "b": "a.b", "inherit": "x; inherit (", "inherit from": "y; }",
		"negate": "-x", "not": "x) [", "list": "nowhere", "element": "x ]", "path": "./${",
	}
	for name, prefix := range want {
		if !strings.HasPrefix(at[name], prefix) {
			t.Errorf("%s: at %q, want %q", name, at[name], prefix)
		}
	}
}

// deep has texts that nest or chain: n times open, middle, n times close.
var deep = []struct{ open, middle, close string }{
	{"(", "1", ")"}, {"[", "", "]"}, {"{a=", "1", ";}"}, {"rec{a=", "1", ";}"}, {"let a=", "1", "; in 1"},
	{"let{a=", "1", ";}"}, {"x:", "x", ""}, {"{x}:", "x", ""}, {"{x?", "1", "}:x"}, {"!", "a", ""}, {"-", "a", ""},
	{"\"${", "a", "}\""}, {"''${", "a", "}''"}, {"./${", "a", "}"}, {"if a then a else ", "a", ""}, {"if ", "a", " then a else a"},
	{"assert a;", "a", ""}, {"with ", "a", "; a"}, {"a.b or ", "a", ""}, {"a.${", "b", "}"}, {"{inherit(", "a", ")b;}"},
	{"a++", "a", ""}, {"a ->", "a", ""}, {"a<|", "a", ""}, {"", "a", "+a"}, {"", "a", "?b"}, {"", "a", "|>b"}, {"", "a", "&&b"},
	{"", "a", ".b"}, {"", "a", " b"}, {"(", "a", " b)"}, {"f [", "1", " ]"}, {"a * -!", "a", ""},
}

// TestDepth makes sure that nothing overflows the stack or takes too long.
func TestDepth(t *testing.T) {
	for _, d := range deep {
		for _, n := range []int{500, 20_000} {
			text := strings.Repeat(d.open, n) + d.middle + strings.Repeat(d.close, n)
			start := time.Now()
			_, err := parseText(text)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%d times %q %q: took %v", n, d.open, d.close, took)
			}
			if n == 500 && err != nil {
				t.Errorf("%d times %q %q: %v", n, d.open, d.close, err)
			}
		}
	}
	path := "{ " + strings.Repeat("a.", 100_000) + "a = 1; }"
	if _, err := parseText(path); err == nil {
		t.Error("a path of a hundred thousand names: no error")
	}
}

// TestLinear has texts that a careless lexer or parser takes quadratic time for.
func TestLinear(t *testing.T) {
	const n = 100_000
	for _, text := range []string{
		strings.Repeat("a.", n), strings.Repeat("/* ", n), strings.Repeat("<a", n), strings.Repeat("\"${", n),
		strings.Repeat("a_", n) + ":", strings.Repeat("''$", n), "{" + strings.Repeat("a=1;b.c=2;", n) + "}",
		"''" + strings.Repeat("\n  '''", n) + "''", strings.Repeat("1.", n),
		"{" + strings.Repeat("inherit a;", n) + "}", strings.Repeat("a/${", n), strings.Repeat("~/", n),
	} {
		start := time.Now()
		parseText(text)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%.20q…: took %v", text, took)
		}
	}
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, "a%d.b = %d;", i, i)
	}
	b.WriteString("}")
	start := time.Now()
	mustParse(t, b.String())
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%d attributes: took %v", n, took)
	}
}

// TestCorpus parses the Nix files of the embedded package set, and of the tree
// that the environment variable GONIX_CORPUS names, and prints what came out.
func TestCorpus(t *testing.T) {
	roots := []string{"testdata", "../nixpkgs-lite"}
	if root := os.Getenv("GONIX_CORPUS"); root != "" {
		roots = append(roots, root)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Ext(name) != ".nix" {
				return err
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			e, err := parseText(string(text))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return nil
			}
			checkRoundTrip(t, e)
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// TestWindow checks what window relies on: that Range hands out the slice which
// the PeekingLexer reads, and that LoadCheckpoint starts it anew.
func TestWindow(t *testing.T) {
	var c cursor
	w := newWindow()
	for _, text := range []string{"a b c", "d", strings.Repeat("x ", 3*batch), "", "e f"} {
		c.open(text)
		var got []string
		for c.Type() != lexer.EOF {
			w.lexer.LoadCheckpoint(plex.Checkpoint{})
			w.show(&c, 0)
			for range lookahead { // as participle would
				if w.lexer.Peek().EOF() {
					break
				}
				got = append(got, w.lexer.Next().Value)
			}
			w.follow(&c, int(w.lexer.RawCursor()))
		}
		if want := strings.Fields(text); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %q, want %q", got, want)
		}
		c.close()
		w.close()
		for _, tok := range c.buffer {
			if tok.Value != "" {
				t.Fatal("a closed cursor still has tokens")
			}
		}
	}
}

// TestParallel parses in many goroutines at once.
func TestParallel(t *testing.T) {
	const text = `{ a.b = 1; a.c = [ x (y: y + 1) ]; x = "a${x}b"; }`
	want := printer.Expr(mustParse(t, text))
	t.Run("group", func(t *testing.T) {
		for range 8 {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				for range 100 {
					if got := printer.Expr(mustParse(t, text)); got != want {
						t.Errorf("got %s", got)
					}
				}
			})
		}
	})
}
