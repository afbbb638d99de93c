package export

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

func open(t testing.TB) *store.Local {
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

// fill returns the closure of a text that refers to two others.
func fill(t testing.TB, st *store.Local) []storepath.Path {
	t.Helper()
	var list []storepath.Path
	for _, name := range []string{"low", "middle", "top"} {
		p, err := st.AddText(t.Context(), name, "text of "+name, list)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	from, to := open(t), open(t)
	list := fill(t, from)
	var b bytes.Buffer
	if err := Write(t.Context(), &b, from, list); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time all is there
		var got []storepath.Path
		// A byte at a time, and another stream behind it.
		in := io.MultiReader(oneByte{bytes.NewReader(b.Bytes())}, strings.NewReader("rest"))
		if err := Read(t.Context(), in, to, func(p storepath.Path) { got = append(got, p) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, list) {
			t.Errorf("imported %v", got)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "rest" {
			t.Errorf("left %q", rest)
		}
	}
	for _, p := range list {
		a, err := from.Info(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := to.Info(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if !a.NarHash.Equal(b.NarHash) || a.NarSize != b.NarSize || !slices.Equal(a.References, b.References) {
			t.Errorf("%+v became %+v", a, b)
		}
	}
	names, err := os.ReadDir(to.Dir())
	if err != nil || len(names) != len(list)+1 {
		t.Errorf("left in the store: %v, %v", names, err)
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 1)]) }

func TestRefuses(t *testing.T) {
	from := open(t)
	list := fill(t, from)
	var whole, alone bytes.Buffer
	if err := Write(t.Context(), &whole, from, list); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), &alone, from, list[2:]); err != nil {
		t.Fatal(err)
	}
	ignore := func(storepath.Path) {}
	for n := range whole.Len() {
		if n%97 != 0 {
			continue
		}
		if err := Read(t.Context(), bytes.NewReader(whole.Bytes()[:n]), open(t), ignore); err == nil {
			t.Fatalf("a stream cut at %d was accepted", n)
		}
	}
	if err := Read(t.Context(), strings.NewReader("no such stream, but some text"), open(t), ignore); !errors.Is(err, ErrFormat) {
		t.Errorf("error %v", err)
	}
	to := open(t)
	if err := Read(t.Context(), &alone, to, ignore); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("not a closure: error %v", err)
	}
	if all, err := to.All(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("registered %v, %v", all, err)
	}
	if names, err := os.ReadDir(to.Dir()); err != nil || len(names) != 1 {
		t.Errorf("left in the store: %v, %v", names, err)
	}
	// What has changed on disk is not spread.
	if err := os.Chmod(from.RealPath(list[0]), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(from.RealPath(list[0]), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), io.Discard, from, list); err == nil || !strings.Contains(err.Error(), "has changed from 'sha256:") {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	from := open(f)
	var b bytes.Buffer
	if err := Write(f.Context(), &b, from, fill(f, from)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		st := open(t)
		var got []storepath.Path
		err := Read(t.Context(), bytes.NewReader(data), st, func(p storepath.Path) { got = append(got, p) })
		all, err2 := st.All(t.Context())
		if err2 != nil {
			t.Fatal(err2)
		}
		if err == nil && len(all) > len(got) {
			t.Errorf("%d paths told, %d valid", len(got), len(all))
		}
	})
}
