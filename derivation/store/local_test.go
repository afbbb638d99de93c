package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gonix/derivation/storepath"
)

// openTest opens a new store that lives as long as the test.
func openTest(t testing.TB, opts Options) *Local {
	t.Helper()
	root := t.TempDir()
	t.Cleanup(func() { RemoveTree(root) })
	s, err := Open(root, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wantSound fails the test if the store is damaged.
func wantSound(t testing.TB, s *Local) {
	t.Helper()
	problems, err := s.Verify(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

func mustText(t testing.TB, s Adder, name, content string, refs ...storepath.Path) storepath.Path {
	t.Helper()
	p, err := s.AddText(context.Background(), name, content, refs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAddText(t *testing.T) {
	s := openTest(t, Options{})
	ctx := t.Context()
	a := mustText(t, s, "a", "hello\n")
	b := mustText(t, s, "b", "see "+a.String()+"\n", a)
	if again := mustText(t, s, "a", "hello\n"); again != a {
		t.Errorf("second time: %s, want %s", again, a)
	}
	text, err := os.ReadFile(s.RealPath(b))
	if err != nil || string(text) != "see "+a.String()+"\n" {
		t.Errorf("content %q, %v", text, err)
	}
	info, err := s.Info(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.References) != 1 || info.References[0] != a {
		t.Errorf("references %v", info.References)
	}
	st, err := os.Lstat(s.RealPath(b))
	if err != nil {
		t.Fatal(err)
	}
	if st.Mode() != 0o444 || st.ModTime().Unix() != 1 {
		t.Errorf("metadata %v %v", st.Mode(), st.ModTime())
	}
	missing := storepath.MustParse("/nix/store/" + "00000000000000000000000000000000" + "-missing")
	if _, err := s.AddText(ctx, "c", "x", []storepath.Path{missing}); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing reference: %v", err)
	}
	names, err := filepath.Glob(s.Dir() + "/[^.]*")
	if err != nil || len(names) != 2 {
		t.Errorf("left in the store: %v, %v", names, err)
	}
	wantSound(t, s)
}
