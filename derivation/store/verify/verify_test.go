package verify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

func open(t *testing.T) *store.Local {
	t.Helper()
	root := t.TempDir()
	st, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		st.Close()
		store.RemoveTree(root)
	})
	return st
}

func text(t *testing.T, st *store.Local, name string, refs ...storepath.Path) storepath.Path {
	t.Helper()
	p, err := st.AddText(t.Context(), name, "text of "+name, refs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// run verifies and returns what was said.
func run(t *testing.T, st *store.Local, opts Options) (wrong bool, said []string) {
	t.Helper()
	opts.Info = func(text string) { said = append(said, text) }
	opts.Error = opts.Info
	wrong, err := Run(t.Context(), st, opts)
	if err != nil {
		t.Fatal(err)
	}
	return wrong, said
}

func overwrite(t *testing.T, file, content string) {
	t.Helper()
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSound(t *testing.T) {
	st := open(t)
	low := text(t, st, "low")
	text(t, st, "top", low)
	if wrong, said := run(t, st, Options{CheckContents: true}); wrong || len(said) != 4 {
		t.Errorf("%v, %v", wrong, said)
	}
}

func TestModified(t *testing.T) {
	st := open(t)
	p := text(t, st, "x")
	overwrite(t, st.RealPath(p), "something else")
	if wrong, _ := run(t, st, Options{}); wrong {
		t.Error("contents were checked")
	}
	wrong, said := run(t, st, Options{CheckContents: true})
	if !wrong || !strings.Contains(strings.Join(said, "\n"), "path '"+p.String()+"' was modified! expected hash 'sha256:") {
		t.Errorf("%v, %v", wrong, said)
	}
	wrong, _ = run(t, st, Options{CheckContents: true, Repair: func(_ context.Context, q storepath.Path) error {
		overwrite(t, st.RealPath(q), "text of x")
		return store.Canonicalise(st.RealPath(q))
	}})
	if wrong {
		t.Error("repaired, but still wrong")
	}
	if wrong, said := run(t, st, Options{CheckContents: true}); wrong {
		t.Error(said)
	}
	wrong, said = run(t, st, Options{CheckContents: true, Repair: func(context.Context, storepath.Path) error { return errors.New("never called") }})
	if wrong || slices.Contains(said, "never called") {
		t.Error("repaired what is sound")
	}
}

// TestDisappeared: what is gone leaves the database, unless something needs it.
func TestDisappeared(t *testing.T) {
	st := open(t)
	low := text(t, st, "low")
	top := text(t, st, "top", low)
	if err := os.Remove(st.RealPath(low)); err != nil {
		t.Fatal(err)
	}
	wrong, said := run(t, st, Options{})
	if !wrong || !strings.Contains(strings.Join(said, "\n"), "disappeared, but it still has valid referrers!") {
		t.Errorf("%v, %v", wrong, said)
	}
	if wrong, _ := run(t, st, Options{Repair: func(context.Context, storepath.Path) error { return errors.New("cannot") }}); !wrong {
		t.Error("a failed repair is no error")
	}
	if err := os.Remove(st.RealPath(top)); err != nil {
		t.Fatal(err)
	}
	if wrong, said := run(t, st, Options{}); wrong {
		t.Error(said)
	}
	all, err := st.All(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestLinks(t *testing.T) {
	st := open(t)
	text(t, st, "x")
	if saved, err := st.Optimise(t.Context(), func(string) {}); err != nil || saved.Files != 0 {
		t.Fatal(saved, err)
	}
	bad := filepath.Join(st.Dir(), ".links", "bad")
	if err := os.WriteFile(bad, []byte("x"), 0o444); err != nil {
		t.Fatal(err)
	}
	if wrong, said := run(t, st, Options{CheckContents: true}); !wrong {
		t.Error(said)
	}
	run(t, st, Options{CheckContents: true, Repair: func(context.Context, storepath.Path) error { return nil }})
	if _, err := os.Lstat(bad); !errors.Is(err, os.ErrNotExist) {
		t.Error("the bad link is still there: ", err)
	}
}
