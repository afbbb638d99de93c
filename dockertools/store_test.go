package dockertools

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
)

// files describes a tree: a name ending in a slash is a directory, a value of
// "-> x" is a link, one of "#!…" is a program.
type files map[string]string

func (f files) write(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range f {
		full := filepath.Join(dir, name)
		var err error
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(full, 0o755)
		case strings.HasPrefix(content, "-> "):
			err = os.Symlink(content[3:], full)
		case strings.HasPrefix(content, "#!"):
			err = os.WriteFile(full, []byte(content), 0o755)
		default:
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// testStore is a store of made-up objects.
type testStore struct {
	*store.Local
	t   testing.TB
	all []storepath.Path
}

func newTestStore(t testing.TB) *testStore {
	t.Helper()
	s, err := store.Open(scratch(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &testStore{Local: s, t: t}
}

// scratch returns a directory that is removed also where its directories can
// not be written.
func scratch(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		if _, err := store.RemoveTree(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// made is the name that add gives to an object.
func made(name string) storepath.Path {
	const digits = "0123456789abcdfghijklmnpqrsvwxyz"
	hash := make([]byte, 32)
	seed := uint32(2166136261)
	for i := range hash {
		for _, c := range []byte(name) {
			seed = (seed ^ uint32(c)) * 16777619
		}
		hash[i] = digits[seed>>27]
	}
	return storepath.MustParse("/nix/store/" + string(hash) + "-" + name)
}

// add registers an object with the given files. What it refers to is found as
// for a build.
func (s *testStore) add(name string, f files) storepath.Path {
	s.t.Helper()
	f.write(s.t, s.RealPath(made(name)))
	return s.register(made(name))
}

func (s *testStore) register(p storepath.Path) storepath.Path {
	s.t.Helper()
	real := s.RealPath(p)
	if err := store.Canonicalise(real); err != nil {
		s.t.Fatal(err)
	}
	s.all = append(s.all, p)
	scan, err := store.ScanAndHash(s.t.Context(), real, s.all)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.Register(s.t.Context(), []store.Info{{Path: p, NarHash: scan.NarHash, NarSize: scan.NarSize, References: scan.References}})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// attrs are the structured attributes of an image.
type attrs map[string]any

// job makes a job whose inputs are the closures of the objects given.
func (s *testStore) job(a attrs, inputs ...storepath.Path) *build.Job {
	s.t.Helper()
	closure, err := s.Closure(s.t.Context(), inputs...)
	if err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(closure, storepath.Compare)
	data, err := json.Marshal(a)
	if err != nil {
		s.t.Fatal(err)
	}
	dir := scratch(s.t)
	if err := os.MkdirAll(filepath.Join(dir, "work"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	out := made("docker-image-test.tar.gz")
	return &build.Job{
		Drv:     &derivation.Derivation{Name: "docker-image-test.tar.gz", Env: map[string]string{"__json": string(data)}},
		Inputs:  closure,
		Outputs: map[string]storepath.Path{"out": out},
		Dest:    map[string]string{"out": filepath.Join(dir, "out")},
		Store:   s.Local,
		TmpDir:  dir,
		WorkDir: filepath.Join(dir, "work"),
		Log:     io.Discard,
		Cores:   2,
		Report:  func(build.Event) {},
	}
}

// build builds an image, checks it and returns its archive.
func (s *testStore) build(b *Builder, a attrs, inputs ...storepath.Path) string {
	s.t.Helper()
	job := s.job(a, inputs...)
	if err := b.Build(s.t.Context(), job); err != nil {
		s.t.Fatal(err)
	}
	validate(s.t, job.Dest["out"])
	return job.Dest["out"]
}

// fail builds an image that must not succeed, and returns the error's text.
func (s *testStore) fail(b *Builder, a attrs, inputs ...storepath.Path) string {
	s.t.Helper()
	job := s.job(a, inputs...)
	err := b.Build(s.t.Context(), job)
	if err == nil {
		s.t.Fatalf("%v: no error", a)
	}
	if _, e := os.Lstat(job.Dest["out"]); e == nil {
		s.t.Errorf("%v: something was left at the output", a)
	}
	return err.Error()
}

func validate(t testing.TB, name string) {
	t.Helper()
	a, err := archive.Open(t.Context(), name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	images, err := a.Images()
	if err != nil {
		t.Fatal(err)
	}
	for _, img := range images {
		if err := image.Validate(img.Image); err != nil {
			t.Error(err)
		}
	}
}

// goScript is a runner whose script is a Go function on the root directory.
func goScript(f func(c RootCommand) rootfs.Owners) *Builder {
	return &Builder{Run: func(_ context.Context, c RootCommand) (rootfs.Owners, error) { return f(c), nil },
		Now: func() time.Time { return time.Unix(1e9, 0) }}
}
