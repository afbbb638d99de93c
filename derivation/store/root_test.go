package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddRoot(t *testing.T) {
	s := openTest(t, Options{})
	ctx := t.Context()
	a, b := mustText(t, s, "a", "1"), mustText(t, s, "b", "2")
	dir := t.TempDir()
	link := dir + "/new/result"
	if err := s.AddRoot(ctx, link, a); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(link); err != nil || string(text) != "1" {
		t.Errorf("the link leads to %q, %v", text, err)
	}
	if err := s.AddRoot(ctx, link, b); err != nil {
		t.Fatal(err)
	}
	roots, err := s.Roots()
	if err != nil || roots[link] != b {
		t.Errorf("roots %v, %v", roots, err)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRoot(ctx, dir+"/other", a); err != nil {
		t.Fatal(err)
	}
	roots, err = s.Roots()
	for root, p := range roots {
		if p == b {
			t.Errorf("%s is still a root", root)
		}
	}
	if err != nil || roots[dir+"/other"] != a {
		t.Errorf("roots %v, %v", roots, err)
	}
}

func TestAddRootRefuses(t *testing.T) {
	s := openTest(t, Options{})
	p := mustText(t, s, "a", "1")
	dir := t.TempDir()
	if err := errors.Join(
		os.WriteFile(dir+"/file", []byte("mine"), 0o644), os.Mkdir(dir+"/directory", 0o755), os.Symlink("elsewhere", dir+"/link"),
		os.Symlink("/other/root/nix/store/"+p.Base(), dir+"/old"),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "directory", "link"} {
		link := filepath.Join(dir, name)
		if err := s.AddRoot(t.Context(), link, p); err == nil || err.Error() != "cannot create symlink '"+link+"'; already exists" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.AddRoot(t.Context(), dir+"/old", p); err != nil {
		t.Errorf("a link to another store: %v", err)
	}
	if err := s.AddRoot(t.Context(), s.Dir()+"/result", p); err == nil || !strings.Contains(err.Error(), "in the Nix store is forbidden") {
		t.Errorf("inside the store: %v", err)
	}
	want := fmt.Sprintf("cannot link '%s/file/result' to %s: not a directory", dir, p)
	if err := s.AddRoot(t.Context(), dir+"/file/result", p); err == nil || err.Error() != want {
		t.Errorf("below a file: %v", err)
	}
}

func TestTempRoots(t *testing.T) {
	s := openTest(t, Options{})
	other, err := Open(s.Root(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := candidates(3)
	for i, st := range []*Local{s, other, s, s} {
		if err := st.TempRoot(list[i%3]); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(s.StateDir() + "/temproots/*")
	if err != nil || len(files) != 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if want := list[0].String() + "\x00" + list[2].String() + "\x00"; err != nil || string(text) != want {
		t.Errorf("roots %q, %v", text, err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err = filepath.Glob(s.StateDir() + "/temproots/*"); err != nil || len(files) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestVerify(t *testing.T) {
	s := openTest(t, Options{})
	a, b, c := mustText(t, s, "a", "1"), mustText(t, s, "b", "2"), mustText(t, s, "c", "3")
	if err := errors.Join(os.Remove(s.RealPath(a)), os.Chmod(s.RealPath(b), 0o644), os.WriteFile(s.RealPath(b), []byte("x"), 0o644),
		os.Chmod(s.RealPath(c), 0o555)); err != nil {
		t.Fatal(err)
	}
	problems, err := s.Verify(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]bool)
	for _, p := range problems {
		texts[strings.SplitAfter(p.Text, "!")[0]] = true
	}
	for _, want := range []string{"path '" + a.String() + "' disappeared", "path '" + b.String() + "' was modified!", "path '" + c.String() + "' was modified!"} {
		if !texts[want] || len(problems) != 3 {
			t.Errorf("%s is missing in %v", want, problems)
		}
	}
	if quick, err := s.Verify(t.Context(), false); err != nil || len(quick) != 1 {
		t.Errorf("without contents: %v, %v", quick, err)
	}
}

func TestFiles(t *testing.T) {
	s := openTest(t, Options{})
	for logical, real := range map[string]string{
		"/nix/store":        s.Dir(),
		"/nix/store/a/b":    s.Dir() + "/a/b",
		"/nix/storehouse":   "/nix/storehouse",
		"/etc/passwd":       "/etc/passwd",
		"/nix/store/.links": s.Dir() + "/.links",
	} {
		if got := s.RealFile(logical); got != real {
			t.Errorf("%s lies at %s, want %s", logical, got, real)
		}
		if got := s.LogicalFile(real); got != logical {
			t.Errorf("%s is %s, want %s", real, got, logical)
		}
	}
}

func TestSchema(t *testing.T) {
	s := openTest(t, Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"11":    "current Nix store schema is version 11, but I only support 10",
		"9\n":   "version 9 is too old",
		"words": "is corrupt",
		"":      "is corrupt",
	} {
		if err := os.WriteFile(s.StateDir()+"/db/schema", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, opts := range []Options{{}, {ReadOnly: true}} {
			if _, err := Open(s.Root(), opts); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("schema %q: %v", text, err)
			}
		}
	}
	if _, err := Open(t.TempDir(), Options{ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no store to read: %v", err)
	}
}
