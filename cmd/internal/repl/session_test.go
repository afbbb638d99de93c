package repl

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
)

// homeOnly is an environment that has HOME alone.
func homeOnly(dir string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "HOME" {
			return dir, true
		}
		return "", false
	}
}

// newTestSession returns a session in a folder of its own, without a store.
func newTestSession(t *testing.T) *session {
	t.Helper()
	dir := t.TempDir()
	w := &process.World{
		Stdin: strings.NewReader(""), Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer), Cwd: dir,
		LookupEnv: homeOnly(dir),
		Width:     func() int { return 80 },
	}
	f, fs := newFlags("gonix repl")
	if err := f.Parse(fs, []string{"--store", "dummy://", "--quiet"}); err != nil {
		t.Fatal(err)
	}
	set := config.Default()
	r := newSession(t.Context(), w, f, &set)
	shut, err := r.Open(r.ctx, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shut)
	err = r.start()
	t.Cleanup(r.state.Close)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestComplete(t *testing.T) {
	r := newTestSession(t)
	for _, name := range []string{"dir/one.nix", "dir/other.nix", "dir/.hidden", "default.nix"} {
		file := filepath.Join(r.World.Cwd, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := r.do(func() error {
		return r.process(`set = { abc = { deep = 1; }; abd = throw "never"; "a b" = { c = 1; }; f = x: x; }; setting = 1; bad = throw "no"; traced = builtins.trace "noise" { a = 1; }`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		before string
		from   int
		words  []string
	}{
		{"set", 0, []string{"set", "setting"}},
		{"1 + setti", 4, []string{"setting"}},
		{"x=setti", 2, []string{"setting"}},
		{"(setti", 1, []string{"setting"}},
		{"[ 1 setti", 4, []string{"setting"}},
		{"set.", 4, []string{`"a b"`, "abc", "abd", "f"}},
		{"set.ab", 4, []string{"abc", "abd"}},
		{"f set.abc.", 10, []string{"deep"}},
		{`set."a b".`, 10, []string{"c"}},
		{"(set).abc.d", 10, []string{"deep"}},
		{`f (let x = "(" ; in set // { q = 1; }).q`, 39, []string{"q"}},
		{"builtins.concatS", 9, []string{"concatStringsSep"}},
		{"builtins.nothing", 9, nil},
		{"bad.", 4, nil},
		{"nowhere.", 8, nil},
		{"set.f.", 6, nil},
		{"traced.", 7, []string{"a"}},
		{"nothing", 0, nil},
		{":l", 0, []string{":l", ":last-loaded", ":lf", ":ll", ":load", ":load-flake", ":log"}},
		{":l di", 3, []string{"dir/"}},
		{":load dir/o", 6, []string{"dir/one.nix", "dir/other.nix"}},
		{":l dir/.", 3, []string{"dir/.hidden"}},
		{":t set.abc.", 11, []string{"deep"}},
		{"import ./d", 7, []string{"./default.nix", "./dir/"}},
		{"import ./dir/on", 7, []string{"./dir/one.nix"}},
		{"import ~/dir/on", 7, []string{"~/dir/one.nix"}},
		{"./nowhere/", 0, nil},
		{"<nixp", 1, []string{"nixpkgs"}},
		{"import <nix/fe", 8, []string{"nix/fetchurl.nix"}},
		{"1 < set.ab", 8, []string{"abc", "abd"}},
	} {
		from, words := r.complete(c.before)
		if len(words) == 0 && len(c.words) == 0 {
			continue
		}
		if from != c.from || !slices.Equal(words, c.words) {
			t.Errorf("%s: got %d %q, want %d %q", c.before, from, words, c.from, c.words)
		}
	}
}

// TestCompleteQuietly: an evaluation for a completion prints nothing, builds
// nothing, and ends in time.
func TestCompleteQuietly(t *testing.T) {
	r := newTestSession(t)
	stderr := r.World.Stderr.(*bytes.Buffer)
	r.completing = true
	if _, words := r.complete(`(builtins.trace "noise" { a = 1; }).`); !slices.Equal(words, []string{"a"}) {
		t.Errorf("got %q", words)
	}
	build := `(import (derivation { name = "d"; system = "x"; builder = "b"; })).`
	if _, words := r.complete(build); words != nil {
		t.Errorf("got %q", words)
	}
	if stderr.Len() > 0 {
		t.Errorf("printed %q", stderr)
	}
	r.turn.do(func() error {
		defer time.AfterFunc(20*time.Millisecond, func() { r.turn.interrupt() }).Stop()
		_, words := r.complete(`(let f = n: if n == 0 then 0 else f (n - 1); in builtins.deepSeq (map (x: f 9000) (builtins.genList (x: x) 1000000)) { a = 1; }).`)
		if words != nil {
			t.Errorf("got %q", words)
		}
		return nil
	})
}

// TestCompleteAnything: no line is too strange to be completed.
func TestCompleteAnything(t *testing.T) {
	r := newTestSession(t)
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "\"'(){}[].<>/~ab:;$\\ \u00e9"
	for range 3000 {
		var line strings.Builder
		for range random.IntN(12) {
			line.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		before := line.String()
		r.turn.do(func() error {
			from, words := r.complete(before)
			for _, w := range words {
				if from > len(before) || !strings.HasPrefix(w, before[from:]) {
					t.Errorf("%q: got %d %q", before, from, words)
				}
			}
			return nil
		})
	}
}

func TestColumns(t *testing.T) {
	got := columns([]string{"a", "bb", "ccc", "d", "e"}, 12)
	if want := "a    d\nbb   e\nccc\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	many := make([]string, maxListed+3)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if got := columns(many, 80); !strings.HasSuffix(got, "... and 3 more\n") {
		t.Errorf("what is left out is not counted: %q", got[len(got)-20:])
	}
	if got := commonPrefix([]string{"aé", "aè"}); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "history")
	one, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	two, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"first", "", "first", "second"} {
		one.Add(line)
	}
	two.Add("third") // sessions at the same time lose nothing
	later, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", "second", "third"}; !slices.Equal(later.lines, want) {
		t.Errorf("got %q, want %q", later.lines, want)
	}
	if later.Len() != 3 || later.At(0) != "third" || later.At(2) != "first" {
		t.Errorf("the newest line is %q", later.At(0))
	}
	for i := range maxHistory + 10 {
		later.Add(fmt.Sprint(i))
	}
	if last, err := openHistory(file); err != nil || last.Len() != maxHistory || last.At(0) != fmt.Sprint(maxHistory+9) {
		t.Errorf("got %d lines, %v", last.Len(), err)
	}
	if h, err := openHistory(""); err == nil || h.Len() != 0 {
		t.Error("a history without a place was opened")
	}
}
