package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// sampleTree has everything that a tree can have.
func sampleTree(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	steps := []error{
		os.MkdirAll(dir+"/sub/empty", 0o700),
		os.WriteFile(dir+"/file", []byte("content"), 0o600),
		os.WriteFile(dir+"/sub/program", []byte("#!/bin/sh\n"), 0o700),
		os.Symlink("/nowhere", dir+"/link"),
		os.Link(dir+"/file", dir+"/sub/same"),
		os.WriteFile(dir+"/skip", []byte("not this"), 0o644),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAddersAgree adds the same things to every Adder. The paths are those that
// nix-store --add and --add-fixed print.
func TestAddersAgree(t *testing.T) {
	ctx := t.Context()
	dir := sampleTree(t)
	local, memory := openTest(t, Options{}), &Memory{}
	calls := 0
	noSkip := func(path, typ string) (bool, error) {
		calls++
		return filepath.Base(path) != "skip", nil
	}
	cases := []struct {
		name string
		tree nar.Tree
		as   Ingestion
		want string
	}{
		{"source", nar.Tree{Root: dir}, Ingestion{}, "/nix/store/6qini9nrh09xpc8ys2wfd910whf3jmc8-x"},
		{"filtered", nar.Tree{Root: dir, Filter: noSkip}, Ingestion{}, "/nix/store/q92vwzqlac6rajjxdm2vzh3q0vii90im-x"},
		{"recursive sha1", nar.Tree{Root: dir}, Ingestion{Algo: nixhash.SHA1}, "/nix/store/6jyl7my76gasmi33lckbz31c5dxijl98-x"},
		{"flat", nar.Tree{Root: dir + "/file"}, Ingestion{Flat: true}, "/nix/store/g9ki9zgrhy314m48vqxz8d8nqjzfpa8z-x"},
		{"flat program", nar.Tree{Root: dir + "/sub/program"}, Ingestion{Flat: true, Algo: nixhash.MD5}, "/nix/store/z9c7a1xzcnac07i38f48lh26l5zzppn5-x"},
		{"single file", nar.Tree{Root: dir + "/sub/program"}, Ingestion{}, "/nix/store/mgak6vjivlzagmcn5vvgd8hzq4i8gg39-x"},
		{"link", nar.Tree{Root: dir + "/link"}, Ingestion{}, "/nix/store/7xffcjr9jr19zpskxa0d4hzljwqn42q3-x"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			calls = 0
			p, err := local.AddTree(ctx, "x", c.tree, c.as)
			if err != nil {
				t.Fatal(err)
			}
			if c.tree.Filter != nil && calls != 7 {
				t.Errorf("the filter was called %d times", calls)
			}
			if p.String() != c.want {
				t.Errorf("path %s, want %s", p, c.want)
			}
			for _, adder := range []Adder{local, memory, Computing{}} {
				if other, err := adder.AddTree(ctx, "x", c.tree, c.as); err != nil || other != p {
					t.Errorf("%T: %s, %v, want %s", adder, other, err, p)
				}
			}
			ours, err := local.Info(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := memory.Info(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			ours.RegTime = theirs.RegTime
			if fmt.Sprint(ours) != fmt.Sprint(theirs) {
				t.Errorf("local %+v\nmemory %+v", ours, theirs)
			}
			archive, err := memory.NAR(p)
			if err != nil {
				t.Fatal(err)
			}
			var onDisk bytes.Buffer
			if err := nar.Dump(&onDisk, local.RealPath(p)); err != nil {
				t.Fatal(err)
			}
			if inMemory, err := io.ReadAll(archive); err != nil || !bytes.Equal(inMemory, onDisk.Bytes()) {
				t.Errorf("the archives differ, %v", err)
			}
		})
	}
	wantSound(t, local)
}

func TestAddTreeErrors(t *testing.T) {
	ctx := t.Context()
	dir := sampleTree(t)
	s := openTest(t, Options{})
	wrong := nixhash.Sum(nixhash.SHA256, nil)
	boom := errors.New("boom")
	fifo := t.TempDir()
	if err := unix.Mkfifo(fifo+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		object string
		tree   nar.Tree
		as     Ingestion
		want   string
	}{
		{"hash", "x", nar.Tree{Root: dir}, Ingestion{Expected: wrong}, "hash mismatch in path '" + dir + "':\n  specified: sha256-47DEQ"},
		{"name", "a b", nar.Tree{Root: dir}, Ingestion{}, "name 'a b'"},
		{"missing", "x", nar.Tree{Root: dir + "/none"}, Ingestion{}, "no such file"},
		{"flat directory", "x", nar.Tree{Root: dir}, Ingestion{Flat: true}, "not a regular file"},
		{"flat link", "x", nar.Tree{Root: dir + "/link"}, Ingestion{Flat: true}, "not a regular file"},
		{"pipe", "x", nar.Tree{Root: fifo}, Ingestion{}, "file '" + fifo + "/pipe' has an unsupported type"},
		{"filter", "x", nar.Tree{Root: dir, Filter: func(string, string) (bool, error) { return true, boom }}, Ingestion{}, "boom"},
		{"changing", "x", nar.Tree{FS: &changing{}, Root: dir}, Ingestion{}, "changed while it was being added"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.AddTree(ctx, c.object, c.tree, c.as)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if names, err := filepath.Glob(s.Dir() + "/[^.]*"); err != nil || len(names) > 0 {
				t.Errorf("left behind: %v, %v", names, err)
			}
		})
	}
}

// changing is a file system whose files change after the first reading.
type changing struct {
	nar.OS
	opened int
}

func (c *changing) Open(path string) (io.ReadCloser, error) {
	c.opened++
	if c.opened > 3 {
		f, err := c.OS.Open(path)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(io.MultiReader(strings.NewReader("!"), f)), nil
	}
	return c.OS.Open(path)
}

func TestExpectedNeedsNoSource(t *testing.T) {
	s := openTest(t, Options{})
	ctx := t.Context()
	as := Ingestion{Flat: true, Expected: nixhash.Sum(nixhash.SHA256, []byte("x"))}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := s.AddPath(ctx, "f", file, as)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.AddPath(ctx, "f", "/does/not/exist", as); err != nil || again != p {
		t.Errorf("%s, %v", again, err)
	}
}

func TestAddNAR(t *testing.T) {
	ctx := t.Context()
	var good bytes.Buffer
	if err := nar.DumpString(&good, "content"); err != nil {
		t.Fatal(err)
	}
	hash := nixhash.Sum(nixhash.SHA256, good.Bytes())
	p := candidates(1)[0]
	cases := []struct {
		name string
		info Info
		data []byte
		want string
	}{
		{"hash", Info{Path: p, NarHash: nixhash.Sum(nixhash.SHA256, nil)}, good.Bytes(), "hash mismatch importing path"},
		{"size", Info{Path: p, NarSize: 7}, good.Bytes(), "size mismatch importing path"},
		{"truncated", Info{Path: p}, good.Bytes()[:100], "unexpected EOF"},
		{"trailing", Info{Path: p}, append(good.Bytes()[:good.Len():good.Len()], 0), "data after the end"},
		{"missing reference", Info{Path: p, References: candidates(2)[1:]}, good.Bytes(), "is not valid"},
	}
	s := openTest(t, Options{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := s.AddNAR(ctx, c.info, bytes.NewReader(c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if names, err := filepath.Glob(s.Dir() + "/[^.]*"); err != nil || len(names) > 0 {
				t.Errorf("left behind: %v, %v", names, err)
			}
		})
	}
	info := Info{Path: p, NarHash: hash, NarSize: int64(good.Len()), References: []storepath.Path{p}}
	if err := s.AddNAR(ctx, info, bytes.NewReader(good.Bytes())); err != nil {
		t.Fatal(err)
	}
	wantSound(t, s)
	got, err := s.Info(ctx, p)
	if err != nil || len(got.References) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLeftoverIsReplaced(t *testing.T) {
	s := openTest(t, Options{})
	p, err := Computing{}.AddText(t.Context(), "x", "right", nil)
	if err != nil {
		t.Fatal(err)
	}
	// An interrupted producer left this, its lock, and no registration.
	left := s.RealPath(p)
	if err := errors.Join(os.MkdirAll(left+"/deep", 0o755), os.Chmod(left, 0o555), os.WriteFile(left+".lock", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	mustText(t, s, "x", "right")
	wantSound(t, s)
	// One more died between deleting and releasing.
	if err := os.WriteFile(left+".lock", []byte("d"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := s.Lock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	_, real, err := s.Scratch(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(real, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, again, err := s.Scratch(p); err != nil || again != real {
		t.Errorf("scratch %s, %v", again, err)
	}
	if _, err := os.Lstat(real); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("scratch is still there: %v", err)
	}
	lock.Unlock()
}

// TestAddTreeWithReferences: a copy of what refers to something refers to it, too,
// and has a path of its own for that.
func TestAddTreeWithReferences(t *testing.T) {
	ctx := t.Context()
	local, memory := openTest(t, Options{}), &Memory{}
	tree := nar.Tree{Root: sampleTree(t)}
	plain, err := local.AddTree(ctx, "x", tree, Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	for _, adder := range []Adder{local, memory, Computing{}} {
		ref, err := adder.AddText(ctx, "ref", "ref", nil)
		if err != nil {
			t.Fatal(err)
		}
		as := Ingestion{References: []storepath.Path{ref}}
		p, err := adder.AddTree(ctx, "x", tree, as)
		if err != nil || p == plain {
			t.Errorf("%T: %s, %v", adder, p, err)
		}
		if st, ok := adder.(Store); ok {
			if info, err := st.Info(ctx, p); err != nil || len(info.References) != 1 || info.References[0] != ref {
				t.Errorf("%T: %+v, %v", adder, info, err)
			}
		}
		as.Flat = true
		if p, err := adder.AddTree(ctx, "x", nar.Tree{Root: tree.Root + "/file"}, as); err == nil {
			t.Errorf("%T: flat with references: %s", adder, p)
		}
	}
}
