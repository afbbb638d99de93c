package eval_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"gonix/eval"
	"gonix/eval/value"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, file string) {
	t.Helper()
	if err := os.Symlink(target, file); err != nil {
		t.Fatal(err)
	}
}

func TestResolve(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/real/file", "text")
	link(t, "real", dir+"/dir")
	link(t, dir+"/dir/file", dir+"/file")
	link(t, "../dir/../dir", dir+"/real/up")
	link(t, "loop", dir+"/loop")
	link(t, "/mnt-test/a", dir+"/mounted")
	f := eval.Files{Mounts: []eval.Mount{{Path: "/mnt-test", FS: fstest.MapFS{"a/b": {Data: []byte("mounted")}}}}}
	for _, c := range []struct {
		path string
		last bool
		want string
	}{
		{"/dir/file", true, dir + "/real/file"},
		{"/dir", false, dir + "/dir"},
		{"/dir", true, dir + "/real"},
		{"/file", true, dir + "/real/file"},
		{"/file", false, dir + "/file"},
		{"/dir/up/up/file", true, dir + "/real/file"},
		{"/dir/none", false, dir + "/real/none"},
		{"/mounted/b", true, "/mnt-test/a/b"},
	} {
		got, err := f.Resolve(dir+c.path, c.last)
		if err != nil || got != c.want {
			t.Errorf("Resolve(%s, %v) = %s, %v, want %s", c.path, c.last, got, err, c.want)
		}
	}
	if _, err := f.Resolve(dir+"/dir/none", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := f.Resolve(dir+"/loop", true); err == nil {
		t.Error("a loop was resolved")
	}
	text, err := f.ReadFile(dir + "/mounted/b")
	if err != nil || string(text) != "mounted" {
		t.Errorf("ReadFile: %q, %v", text, err)
	}
	if p, err := f.Resolve("/", true); err != nil || p != "/" {
		t.Errorf("Resolve(/) = %s, %v", p, err)
	}
}

// TestCore copies a file of <nix/…> to the store in each way there is: what
// copies sources has to see it too.
func TestCore(t *testing.T) {
	text, err := os.ReadFile("corepkgs/fetchurl.nix")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir+"/fetchurl.nix", string(text))
	for _, expr := range []string{
		`"${%s}"`,
		`builtins.path { path = %s; }`,
		`builtins.path { path = %s; recursive = false; }`,
		`builtins.filterSource (_: _: true) %s`,
		`(derivation { name = "d"; system = "s"; builder = "b"; file = %s; }).drvPath`,
		`builtins.path { name = "all"; path = dirOf %s; }`,
	} {
		s := newState(t)
		got, err := s.EvalString(fmt.Sprintf("%s == "+expr, strings.ReplaceAll(expr, "%s", "<nix/fetchurl.nix>"), dir+"/fetchurl.nix"), "/", "«string»")
		if err != nil {
			t.Errorf("%s: %s", expr, s.RenderError(err, true, false))
			continue
		}
		if got != value.Bool(true) {
			t.Errorf("%s: not the path of the same file elsewhere", expr)
		}
	}
}
