package binarycache

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"gonix/derivation/nar"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// putServer is a web server that keeps what is PUT.
type putServer struct {
	mu    sync.Mutex
	files map[string][]byte
	fail  func(w http.ResponseWriter, r *http.Request) bool // true: answered
}

func (s *putServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.fail != nil && s.fail(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		data, err := io.ReadAll(r.Body)
		if err != nil || int64(len(data)) != r.ContentLength {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.files[r.URL.Path] = data
		w.WriteHeader(http.StatusCreated)
		return
	}
	data, ok := s.files[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", `"1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func newPutServer(t *testing.T) (*putServer, string) {
	s := &putServer{files: map[string][]byte{}}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL + "/some/cache"
}

// newS3 starts a server that speaks S3 and returns the URL of a bucket.
func newS3(t *testing.T) string {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(h.Close)
	return "s3://bucket/pre/fix?scheme=http&region=eu-west-1&endpoint=" + strings.TrimPrefix(h.URL, "http://")
}

var quick = Patience{Attempts: 4, Stall: 2 * time.Second, Backoff: time.Millisecond}

func open(t *testing.T, text string, opts Options) *Cache {
	t.Helper()
	config, err := ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Unknown) > 0 {
		t.Fatalf("unknown parameters %v", config.Unknown)
	}
	opts.Patience = quick
	opts.Client = &http.Client{Transport: &http.Transport{}}
	opts.Secrets = S3Secrets{AccessKey: "key", SecretKey: "secret"}
	c, err := Open(config, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testStore has a chain of three objects, the last of which is large.
func testStore(t *testing.T) (*store.Local, storepath.Path) {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	leaf, err := s.AddText(t.Context(), "leaf", "leaf", nil)
	if err != nil {
		t.Fatal(err)
	}
	mid, err := s.AddText(t.Context(), "mid", leaf.String(), []storepath.Path{leaf})
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 300<<10)
	mrand.NewChaCha8([32]byte{1}).Read(random)
	top, err := s.AddText(t.Context(), "top", mid.String()+string(random)+strings.Repeat("many times ", 1<<14), []storepath.Path{mid})
	if err != nil {
		t.Fatal(err)
	}
	return s, top
}

func upload(t *testing.T, c *Cache, s *store.Local, p storepath.Path) map[storepath.Path]*narinfo.Info {
	t.Helper()
	from := Objects{s}
	closure, err := Closure(t.Context(), from, []storepath.Path{p}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var infos []*narinfo.Info
	for _, i := range closure {
		infos = append(infos, i)
	}
	if err := c.Upload(t.Context(), from, infos, 2, UploadEvents{}); err != nil {
		t.Fatal(err)
	}
	return closure
}

func archiveOf(t *testing.T, s *store.Local, p storepath.Path) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := nar.Dump(&b, s.RealPath(p)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip writes and reads caches of all kinds with all compressions.
func TestRoundTrip(t *testing.T) {
	s, top := testStore(t)
	key, err := signature.Generate("test-1", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, web := newPutServer(t)
	s3 := newS3(t)
	for _, place := range []string{"file://" + filepath.Join(t.TempDir(), "a+b c"), web, s3} {
		for _, params := range []string{"", "compression=zstd", "compression=zstd&compression-level=19&parallel-compression=false",
			"compression=lzma&compression-level=0", "compression=bzip2", "compression=gzip&compression-level=1", "compression=br&compression-level=4", "compression=none",
			"compression=xz&compression-level=0&parallel-compression=true"} {
			scheme, _, _ := strings.Cut(place, ":")
			t.Run(scheme+" "+params, func(t *testing.T) {
				text := strings.Replace(place, "pre/fix", "p"+strconv.Itoa(len(params)), 1)
				if scheme != "s3" {
					text += "/" + url.PathEscape(params)
				}
				sep := "?"
				if strings.Contains(text, "?") {
					sep = "&"
				}
				c := open(t, text+sep+params, Options{Keys: []signature.SecretKey{key}, Connections: 4})
				closure := upload(t, c, s, top)
				reader := open(t, text, Options{Connections: 4})
				if d, err := reader.Describe(t.Context()); err != nil || d.Priority != 50 || d.MassQuery {
					t.Errorf("described as %+v, %v", d, err)
				}
				for p := range closure {
					info, err := reader.Info(t.Context(), p)
					if err != nil {
						t.Fatal(err)
					}
					f, err := signature.Fingerprint(info.Path, info.NarHash, info.NarSize, info.References)
					if err != nil {
						t.Fatal(err)
					}
					if len(info.Sigs) != 1 || !(signature.Keys{"test-1": key.Public()}).Verify(f, info.Sigs[0]) {
						t.Errorf("signatures %v", info.Sigs)
					}
					var got, total int64
					r, err := reader.Open(t.Context(), info, func(d, n int64) { got, total = d, n })
					if err != nil {
						t.Fatal(err)
					}
					data, err := io.ReadAll(r)
					if err != nil {
						t.Fatal(err)
					}
					if err := r.Close(); err != nil {
						t.Error(err)
					}
					if !bytes.Equal(data, archiveOf(t, s, p)) {
						t.Errorf("the archive of %s comes back changed", p)
					}
					if got != info.FileSize || total != info.FileSize {
						t.Errorf("progress ends with %d of %d, the file has %d", got, total, info.FileSize)
					}
				}
				_, err := reader.Info(t.Context(), storepath.MustParse("/nix/store/jgz8chknfzl7slanjlx7x6n4zbfmwvrz-leaf"))
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("a path that is not there: %v", err)
				}
			})
		}
	}
}

// TestResume reads through a server that breaks off all the time, with and
// without ranges.
func TestResume(t *testing.T) {
	s, top := testStore(t)
	server, addr := newPutServer(t)
	c := open(t, addr+"?compression=none", Options{})
	upload(t, c, s, top)
	info, err := c.Info(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	for _, ranges := range []bool{true, false} {
		var requests atomic.Int32
		server.fail = func(w http.ResponseWriter, r *http.Request) bool {
			n := requests.Add(1)
			if n == 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			if n > 3 && !ranges {
				r.Header.Del("Range")
				return false
			}
			server.mu.Lock()
			data := server.files[r.URL.Path]
			server.mu.Unlock()
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			w.Header().Set("ETag", `"1"`)
			if ranges && from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
				w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
				w.WriteHeader(http.StatusPartialContent)
			} else {
				from = 0
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			}
			w.Write(data[from:min(len(data), from+len(data)/5)])
			return true
		}
		r, err := c.Open(t.Context(), info, nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(data, archiveOf(t, s, top)) {
			t.Errorf("ranges %v: %d bytes, %v", ranges, len(data), err)
		}
	}
}

// TestFaults: servers that lie about sizes, fall silent, or go in circles.
func TestFaults(t *testing.T) {
	s, top := testStore(t)
	server, addr := newPutServer(t)
	c := open(t, addr+"?compression=none", Options{})
	upload(t, c, s, top)
	good, err := c.Info(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	for name, test := range map[string]struct {
		fail func(w http.ResponseWriter, r *http.Request) bool
		want string
	}{
		"endless": {func(w http.ResponseWriter, r *http.Request) bool {
			zero := make([]byte, 1<<20)
			for {
				if _, err := w.Write(zero); err != nil {
					return true
				}
			}
		}, "more data than was announced"},
		"silent": {func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return true
		}, "stalled"},
		"mute": {func(w http.ResponseWriter, r *http.Request) bool {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return true
		}, "stalled"},
		"circle": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, "stopped after 10 redirects"},
		"gone": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusGone)
			return true
		}, "does not exist in binary cache"},
		"broken": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}, "HTTP error 502"},
	} {
		t.Run(name, func(t *testing.T) {
			server.fail = test.fail
			c.opts.Patience = Patience{Attempts: 2, Stall: 200 * time.Millisecond, Backoff: time.Millisecond}
			r, err := c.Open(t.Context(), good, nil)
			if err == nil {
				var n int64
				n, err = io.Copy(io.Discard, r)
				r.Close()
				if n > good.FileSize {
					t.Errorf("%d bytes were read of %d", n, good.FileSize)
				}
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestUploadRetries: a server that is busy is asked again, and nothing is
// published before what it refers to.
func TestUploadRetries(t *testing.T) {
	s, top := testStore(t)
	server, addr := newPutServer(t)
	var mu sync.Mutex
	var order []string
	asked := map[string]bool{}
	server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		again := asked[r.Method+r.URL.Path]
		asked[r.Method+r.URL.Path] = true
		mu.Unlock()
		if !again {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		if r.Method == http.MethodPut {
			mu.Lock()
			order = append(order, filepath.Base(r.URL.Path))
			mu.Unlock()
		}
		return false
	}
	c := open(t, addr+"?compression=gzip", Options{})
	closure := upload(t, c, s, top)
	seen := map[string]bool{}
	for _, name := range order {
		seen[name] = true
		for _, i := range closure {
			if narinfo.File(i.Path) != name {
				continue
			}
			for _, ref := range i.References {
				if !seen[narinfo.File(ref)] {
					t.Errorf("%s is published before %s", name, ref)
				}
			}
		}
	}
}

// TestDamaged: an object that has changed on disk is not copied.
func TestDamaged(t *testing.T) {
	s, top := testStore(t)
	file := s.RealPath(top)
	os.Chmod(file, 0o644)
	if err := os.WriteFile(file, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := open(t, "file://"+dir, Options{})
	info, err := Objects{s}.Info(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Upload(t.Context(), Objects{s}, []*narinfo.Info{info}, 1, UploadEvents{})
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if left, _ := filepath.Glob(dir + "/nar/*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(dir + "/nar/.tmp*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestParseURL(t *testing.T) {
	c, err := ParseURL("https://user@host/x/?priority=7&want-mass-query=1&trusted=true&secret-keys=a,b&secret-key=c&compression=zstd&nonsense=1&region=x")
	if err != nil {
		t.Fatal(err)
	}
	if *c.Priority != 7 || !*c.MassQuery || !c.Trusted || len(c.SecretKeys) != 3 || !c.Parallel || c.String() != "https://user@host/x" ||
		strings.Join(c.Unknown, " ") != "nonsense region" {
		t.Errorf("%+v", c)
	}
	for _, bad := range []string{"ftp://x", "file://host/x", "/x", "file:///x?compression=lzop", "file:///x?priority=x", "file:///x?trusted=perhaps",
		"file:///x?compression-level=10", "file:///x?store=gnu/../store", "file:///x?parallel-compression=2", "http://[", "file://"} {
		if _, err := ParseURL(bad); err == nil {
			t.Errorf("ParseURL(%q) succeeds", bad)
		}
	}
	if _, err := NewS3(&url.URL{Scheme: "s3"}, nil, S3Secrets{}, nil); err == nil {
		t.Error("S3 without a bucket")
	}
}

func TestDescription(t *testing.T) {
	for text, want := range map[string]string{
		"StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 40\n": "{true 40} <nil>",
		"":                       "{false 50} <nil>",
		"StoreDir: /gnu/store\n": "{false 50} it is for Nix stores with prefix '/gnu/store', not '/nix/store'",
	} {
		d, err := parseDescription(text, "/nix/store")
		if got := fmt.Sprint(d, " ", err); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// memory is a Memory in memory.
type memory struct{ texts map[string]string }

func (m memory) Description(url string) (Description, bool)      { return Description{}, m.texts[url] != "" }
func (m memory) SetDescription(url string, d Description)        { m.texts[url] = "x" }
func (m memory) Info(url, hash string) (text string, known bool) { text, known = m.texts[hash]; return }
func (m memory) SetInfo(url, hash, text string)                  { m.texts[hash] = text }

// TestMemory: what is remembered is not asked again, in either direction.
func TestMemory(t *testing.T) {
	s, top := testStore(t)
	server, addr := newPutServer(t)
	upload(t, open(t, addr, Options{}), s, top)
	m := memory{map[string]string{}}
	other := storepath.MustParse("/nix/store/jgz8chknfzl7slanjlx7x6n4zbfmwvrz-leaf")
	ask := func() {
		c := open(t, addr, Options{Memory: m})
		if _, err := c.Describe(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.Info(t.Context(), top); err != nil {
			t.Error(err)
		}
		if _, err := c.Info(t.Context(), other); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	ask()
	server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		t.Errorf("asked again for %s", r.URL.Path)
		return false
	}
	ask()
}
