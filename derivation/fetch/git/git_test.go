package git

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"gonix/derivation/nar"
)

// made is a repository that a test makes.
type made struct {
	t    *testing.T
	dir  string
	repo *gogit.Repository
}

func make1(t *testing.T) *made {
	t.Helper()
	dir := t.TempDir()
	r, err := gogit.PlainInitWithOptions(dir, &gogit.PlainInitOptions{InitOptions: gogit.InitOptions{DefaultBranch: "refs/heads/main"}})
	if err != nil {
		t.Fatal(err)
	}
	return &made{t, dir, r}
}

func (m *made) write(name, text string) {
	m.t.Helper()
	file := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *made) add(names ...string) {
	m.t.Helper()
	w, err := m.repo.Worktree()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, n := range names {
		if _, err := w.Add(n); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *made) commit() string {
	m.t.Helper()
	w, err := m.repo.Worktree()
	if err != nil {
		m.t.Fatal(err)
	}
	who := &object.Signature{Name: "n", Email: "e", When: time.Unix(1600000000, 0)}
	h, err := w.Commit("c", &gogit.CommitOptions{Author: who, Committer: who})
	if err != nil {
		m.t.Fatal(err)
	}
	return h.String()
}

// names lists what is in a tree, folders with a slash.
func names(t *testing.T, tree nar.Tree) string {
	t.Helper()
	var b bytes.Buffer
	if err := tree.Dump(&b); err != nil {
		t.Fatal(err)
	}
	var out []string
	r := nar.NewReader(&b)
	for {
		h, err := r.Next()
		if err != nil {
			break
		}
		name := h.Path
		if name == "" {
			continue
		}
		if h.Type == nar.Directory {
			name += "/"
		}
		if h.Executable {
			name += "*"
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func sample(t *testing.T) (*made, string) {
	m := make1(t)
	m.write("one", "1")
	m.write("a/b/x", "x")
	m.write("docs/d.txt", "d")
	m.write("docs/d.md", "d")
	m.write(".gitattributes", "docs/*.txt export-ignore\n/a/b export-ignore\n")
	if err := os.Chmod(filepath.Join(m.dir, "one"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", filepath.Join(m.dir, "link")); err != nil {
		t.Fatal(err)
	}
	m.add("one", "a/b/x", "docs/d.txt", "docs/d.md", ".gitattributes", "link")
	return m, m.commit()
}

func TestCommit(t *testing.T) {
	m, rev := sample(t)
	r, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Resolve("main"); got != rev || err != nil {
		t.Errorf("main is %s, %v", got, err)
	}
	if _, err := r.Resolve("nope"); err == nil || !strings.Contains(err.Error(), "resolving Git reference 'nope': revspec 'nope' not found") {
		t.Errorf("nope: %v", err)
	}
	if n, err := r.LastModified(rev); n != 1600000000 || err != nil {
		t.Errorf("made at %d, %v", n, err)
	}
	if n, err := r.RevCount(rev); n != 1 || err != nil {
		t.Errorf("%d commits, %v", n, err)
	}
	whole, err := r.Tree(rev, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, nar.Tree{FS: whole}); got != ".gitattributes a/ a/b/ a/b/x docs/ docs/d.md docs/d.txt link one*" {
		t.Errorf("tree: %s", got)
	}
	exported, err := r.Tree(rev, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, nar.Tree{FS: exported}); got != ".gitattributes a/ docs/ docs/d.md link one*" {
		t.Errorf("exported: %s", got)
	}
	if _, err := r.Tree(strings.Repeat("a", 40), false); err == nil || !strings.Contains(err.Error(), "no match for id") {
		t.Errorf("missing commit: %v", err)
	}
}

func TestWorkTree(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *made)
		dirty  bool
		want   string
	}{
		{"clean", func(*made) {}, false, "docs/d.txt link one*"},
		{"untracked", func(m *made) { m.write("new", "n") }, false, "docs/d.txt link one*"},
		{"touched", func(m *made) { os.Chtimes(filepath.Join(m.dir, "one"), time.Unix(1, 0), time.Unix(1, 0)) }, false, "one*"},
		{"changed", func(m *made) { m.write("docs/d.md", "D") }, true, "docs/d.md"},
		{"mode", func(m *made) { os.Chmod(filepath.Join(m.dir, "one"), 0o644) }, true, " one"},
		{"added", func(m *made) { m.write("new", "n"); m.add("new") }, true, "link new one*"},
		{"removed", func(m *made) { os.Remove(filepath.Join(m.dir, "link")) }, true, "docs/d.txt one*"},
	} {
		m, rev := sample(t)
		c.change(m)
		r, err := Open(m.dir)
		if err != nil {
			t.Fatal(err)
		}
		w, err := r.WorkTree()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := names(t, w.Tree(false))
		if w.Dirty != c.dirty || w.Head != rev || !strings.Contains(got, c.want) || strings.Contains(got, "new") && !c.dirty {
			t.Errorf("%s: dirty %v, %s", c.name, w.Dirty, got)
		}
	}
}

func TestEmptyRepository(t *testing.T) {
	m := make1(t)
	m.write("x", "x")
	r, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.WorkTree()
	if err != nil || w.Head != "" || w.Dirty {
		t.Fatalf("%+v, %v", w, err)
	}
	if ref, err := r.HeadRef(); ref != "refs/heads/main" || err != nil {
		t.Errorf("HEAD is %s, %v", ref, err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
}

func TestTag(t *testing.T) {
	m, rev := sample(t)
	who := &object.Signature{Name: "n", Email: "e", When: time.Unix(1600000001, 0)}
	if _, err := m.repo.CreateTag("v1", plumbing.NewHash(rev), &gogit.CreateTagOptions{Tagger: who, Message: "m"}); err != nil {
		t.Fatal(err)
	}
	r, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Resolve("v1"); got != rev || err != nil {
		t.Errorf("v1 is %s, %v", got, err)
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		isDir, want   bool
	}{
		{"*.txt", "a/b.txt", false, true},
		{"/*.txt", "a/b.txt", false, false},
		{"a/*.txt", "a/b.txt", false, true},
		{"a/**", "a/b/c", false, true},
		{"**/c", "a/b/c", false, true},
		{"a/**/c", "a/c", false, true},
		{"d/", "d", true, true},
		{"d/", "d", false, false},
		{"[!a]", "b", false, true},
		{"[", "[", false, true},
		{"a", "b/a", false, true},
		{"a/b", "x/a/b", false, false},
	} {
		if got := newPattern(c.pattern).match(c.name, c.isDir); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.name, got)
		}
	}
}

func TestSubmoduleURL(t *testing.T) {
	r := &Repository{dir: "/r", repo: nil}
	for _, c := range [][3]string{
		{"../sub", "https://h/o/top", "https://h/o/sub"},
		{"./sub", "https://h/o/top", "https://h/o/top/sub"},
		{"../../x/y", "git@h:o/top", "git@h/x/y"},
		{"https://e/f", "https://h/o/top", "https://e/f"},
	} {
		if got := r.SubmoduleURL(c[0], c[1]); got != c[2] {
			t.Errorf("%s in %s: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}
