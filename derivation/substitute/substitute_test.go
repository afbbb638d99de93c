package substitute

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gonix/derivation/binarycache"
	"gonix/derivation/build"
	"gonix/derivation/nar"
	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// world is a cache with a chain of three objects behind a web server that can be
// made to misbehave.
type world struct {
	dir            string // of the cache
	url            string
	key            signature.SecretKey
	leaf, mid, top storepath.Path
	handler        func(w http.ResponseWriter, r *http.Request) bool // true: answered
	requests       atomic.Int32
}

func openStore(t *testing.T) *store.Local {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// addInput registers an object whose path does not follow from its content.
func addInput(t *testing.T, s *store.Local, path, content string, refs ...storepath.Path) storepath.Path {
	t.Helper()
	p := storepath.MustParse(path)
	var b bytes.Buffer
	if err := nar.DumpString(&b, content); err != nil {
		t.Fatal(err)
	}
	if err := s.AddNAR(t.Context(), store.Info{Path: p, References: refs}, &b); err != nil {
		t.Fatal(err)
	}
	return p
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	s := openStore(t)
	w.leaf = addInput(t, s, "/nix/store/00000000000000000000000000000001-leaf", "leaf")
	w.mid = addInput(t, s, "/nix/store/00000000000000000000000000000002-mid", "mid "+w.leaf.String(), w.leaf)
	w.top = addInput(t, s, "/nix/store/00000000000000000000000000000003-top", "top"+strings.Repeat(w.mid.String(), 1000), w.mid, storepath.MustParse("/nix/store/00000000000000000000000000000003-top"))
	var err error
	if w.key, err = signature.Generate("test-1", rand.Reader); err != nil {
		t.Fatal(err)
	}
	c := w.cache(t, "file://"+w.dir+"?compression=none", w.key)
	from := binarycache.Objects{Local: s}
	closure, err := binarycache.Closure(t.Context(), from, []storepath.Path{w.top}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var infos []*narinfo.Info
	for _, i := range closure {
		infos = append(infos, i)
	}
	if err := c.Upload(t.Context(), from, infos, 2, binarycache.UploadEvents{}); err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(w.dir))
	h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if w.handler == nil || !w.handler(rw, r) {
			files.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(h.Close)
	w.url = h.URL
	return w
}

func (w *world) cache(t *testing.T, url string, keys ...signature.SecretKey) *binarycache.Cache {
	t.Helper()
	config, err := binarycache.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := binarycache.Open(config, binarycache.Options{
		Client:   &http.Client{Transport: &http.Transport{}},
		Patience: binarycache.Patience{Attempts: 2, Stall: 2 * time.Second, Backoff: time.Millisecond},
		Keys:     keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) keys() signature.Keys { return signature.Keys{"test-1": w.key.Public()} }

// edit replaces text in the file about an object and signs it again, if sign is
// set.
func (w *world) edit(t *testing.T, p storepath.Path, sign bool, edit func(*narinfo.Info)) {
	t.Helper()
	file := filepath.Join(w.dir, narinfo.File(p))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := narinfo.Parse(string(text), file)
	if err != nil {
		t.Fatal(err)
	}
	edit(info)
	if sign {
		info.Sigs = nil
		if err := binarycache.Sign(&info.Info, []signature.SecretKey{w.key}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, info.AppendTo(nil), 0o644); err != nil {
		t.Fatal(err)
	}
}

// archive gives the object another archive; the size and hash that the file about
// it announces become right.
func (w *world) archive(t *testing.T, p storepath.Path, data []byte) {
	w.edit(t, p, true, func(i *narinfo.Info) {
		i.URL = "nar/other.nar"
		i.FileHash, i.FileSize = nixhash.Hash{}, 0
		i.NarHash, i.NarSize = nixhash.Sum(nixhash.SHA256, data), int64(len(data))
	})
	if err := os.WriteFile(filepath.Join(w.dir, "nar/other.nar"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// wantSound lets our own check and that of C++ Nix, where it is there, look at the
// store: nothing that is registered may be wrong.
func wantSound(t *testing.T, s *store.Local) {
	t.Helper()
	problems, err := s.Verify(context.Background(), true)
	if err != nil || len(problems) > 0 {
		t.Errorf("verify: %v, %v", problems, err)
	}
	witness(t, s.Root())
}

func witness(t *testing.T, root string) {
	t.Helper()
	full := os.Getenv("GONIX_TEST_FULL") == "1"
	program, err := exec.LookPath("nix-store")
	if err != nil || !full {
		if full {
			t.Fatal(err)
		}
		return // our own check has to do
	}
	cmd := exec.Command(program, "--store", root, "--verify", "--check-contents")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") }),
		"HOME="+t.TempDir(), "NIX_CONFIG=build-users-group =\nsubstitute = false")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "error") {
		t.Errorf("nix-store --verify: %v\n%s", err, out)
	}
}

// TestFetch takes over a signed closure.
func TestFetch(t *testing.T) {
	w := newWorld(t)
	s := openStore(t)
	sub := New(s, Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
	found, err := sub.Find(t.Context(), []storepath.Path{w.top})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 || found[w.top].NarSize == 0 || found[w.top].DownloadSize == 0 {
		t.Errorf("found %v", found)
	}
	if failed := sub.Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
		t.Fatal(failed)
	}
	info, err := s.Info(t.Context(), w.top)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Sigs) != 1 || info.Ultimate || len(info.References) != 2 {
		t.Errorf("registered as %+v", info)
	}
	wantSound(t, s)
	before := w.requests.Load()
	again := New(s, Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
	if failed := again.Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
		t.Error(failed)
	}
	if n := w.requests.Load() - before; n > 1 {
		t.Errorf("%d requests about what is valid", n)
	}
}

// TestAddressed: what its path follows from needs no signature, and its content
// is checked.
func TestAddressed(t *testing.T) {
	s := openStore(t)
	text, err := s.AddText(t.Context(), "text", "some text", nil)
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, []byte("a source"), 0o644); err != nil {
		t.Fatal(err)
	}
	var paths []storepath.Path
	paths = append(paths, text)
	for _, as := range []store.Ingestion{{}, {Flat: true}, {Algo: nixhash.SHA1}, {Flat: true, Algo: nixhash.MD5}, {Algo: nixhash.SHA512}} {
		p, err := s.AddPath(t.Context(), "src", src, as)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	for i, p := range paths {
		for _, change := range []bool{false, true} {
			info, err := s.Info(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := nar.Dump(&b, s.RealPath(p)); err != nil {
				t.Fatal(err)
			}
			data := b.Bytes()
			if change {
				data = bytes.Replace(bytes.Replace(data, []byte("a source"), []byte("A source"), 1), []byte("some text"), []byte("Some text"), 1)
				info.NarHash = nixhash.Sum(nixhash.SHA256, data)
			}
			into := openStore(t)
			sub := New(into, Options{Sources: []binarycache.Source{&fake{info: narinfo.Info{Info: *info, URL: "x", Compression: "none"}, data: data}}})
			failed := sub.Fetch(t.Context(), []storepath.Path{p})
			if change != (failed[p] != nil) {
				t.Errorf("object %d (%s), changed %v: %v", i, info.CA, change, failed)
			}
			wantSound(t, into)
		}
	}
}

// fake is a Source with one object.
type fake struct {
	info narinfo.Info
	data []byte
}

func (f *fake) String() string { return "fake" }

func (f *fake) Info(_ context.Context, p storepath.Path) (*narinfo.Info, error) {
	if p != f.info.Path {
		return nil, store.ErrNotFound
	}
	return &f.info, nil
}

func (f *fake) Open(context.Context, *narinfo.Info, func(int64, int64)) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.data)), nil
}

// TestReferenceGone: what refers to something that cannot be had says why, once.
func TestReferenceGone(t *testing.T) {
	w := newWorld(t)
	w.archive(t, w.leaf, []byte("hello"))
	sub := New(openStore(t), Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
	failed := sub.Fetch(t.Context(), []storepath.Path{w.top})
	for _, p := range []storepath.Path{w.mid, w.top} {
		var follows *ReferenceError
		if !errors.As(failed[p], &follows) || follows.Err.Error() != failed[w.leaf].Error() || strings.Count(failed[p].Error(), "some references") != 1 {
			t.Errorf("%s: %v", p, failed[p])
		}
	}
}

// TestGone: an archive that is not there is no failure.
func TestGone(t *testing.T) {
	w := newWorld(t)
	os.RemoveAll(w.dir + "/nar")
	sub := New(openStore(t), Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
	failed := sub.Fetch(t.Context(), []storepath.Path{w.top})
	if !errors.Is(failed[w.top], build.ErrSubstituteGone) {
		t.Errorf("error %v", failed[w.top])
	}
	if found, err := sub.Find(t.Context(), []storepath.Path{w.top}); err != nil || len(found) > 0 {
		t.Errorf("found again: %v, %v", found, err)
	}
}

// TestConcurrent: many who want the same at once fetch it once.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	root := t.TempDir()
	var nars atomic.Int32
	w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/nar/") {
			nars.Add(1)
			time.Sleep(20 * time.Millisecond)
		}
		return false
	}
	done := make(chan error)
	for range 4 {
		go func() {
			done <- func() error {
				s, err := store.Open(root, store.Options{})
				if err != nil {
					return err
				}
				defer s.Close()
				sub := New(s, Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
				if failed := sub.Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
					return fmt.Errorf("%v", failed)
				}
				return nil
			}()
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := nars.Load(); n != 3 {
		t.Errorf("%d archives were fetched", n)
	}
}
