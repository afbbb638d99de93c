package eval_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/eval"
	"gonix/parser/source"
)

// TestAhead evaluates with all kinds of guesses about what will be imported.
func TestAhead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var files []string
	for i := range 50 {
		files = append(files, write(fmt.Sprintf("f%d.nix", i), fmt.Sprintf("x: x + %d", i)))
	}
	bad := write("bad.nix", "{ a = ; }")
	main := write("main.nix", `builtins.foldl' (n: i: import (./. + "/f${toString i}.nix") n) 0 (builtins.genList (i: i) 50)`)
	for name, ahead := range map[string][]string{
		"none":    nil,
		"all":     files,
		"reverse": slices.Concat(files[25:], files[:25]),
		"others":  {bad, dir + "/missing.nix", dir, "relative.nix", main, files[3], files[3]},
	} {
		t.Run(name, func(t *testing.T) {
			s := eval.New(eval.Options{Ahead: ahead})
			defer s.Close()
			v, err := s.EvalFile(main)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Thread().Show(v); got != "1225" {
				t.Errorf("got %s", got)
			}
			if got := s.Imported(); !slices.Equal(got, files) {
				t.Errorf("imported %v", got)
			}
			if _, err := s.EvalFile(bad); err == nil {
				t.Error("no error in a file that has one")
			}
		})
	}
}

// TestAheadChanged changes a file after it was parsed ahead.
func TestAheadChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.nix")
	for i := range 20 {
		if err := os.WriteFile(file, []byte("1"), 0o644); err != nil {
			t.Fatal(err)
		}
		s := eval.New(eval.Options{Ahead: []string{file}})
		if i%2 == 0 { // let the other goroutine come first
			if _, err := s.EvalString("builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 10000)", "/", "x"); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(file, []byte("22"), 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := s.EvalString("import "+file, "/", "x")
		if err == nil {
			v, err = s.Thread().Force(v, source.NoPos)
		}
		if err != nil || s.Thread().Show(v) != "22" {
			t.Errorf("got %v, %v", v, err)
		}
		s.Close()
	}
}

// TestAheadWarning warns of a file when the evaluation comes to it, once, though
// another goroutine has parsed it before.
func TestAheadWarning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.nix")
	if err := os.WriteFile(file, []byte("let or = 1; in [ 2 or 3 ]"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		var out strings.Builder
		s := eval.New(eval.Options{Ahead: []string{file}, Trace: &out})
		if _, err := s.EvalString("builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 10000)", "/", "x"); err != nil {
			t.Fatal(err)
		}
		early := out.String()
		for range 2 {
			if _, err := s.EvalString("import "+file, "/", "x"); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		if n := strings.Count(out.String(), "warning: at "+file+":1:18: "); early != "" || n != 1 {
			t.Errorf("%d warnings; before the import %q", n, early)
		}
	}
}
