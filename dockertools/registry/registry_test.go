package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gonix/dockertools/image"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// testLayer is a layer with one file; opened counts how often it is read.
func testLayer(t *testing.T, content string, opened *atomic.Int32) image.Layer {
	t.Helper()
	var plain, packed bytes.Buffer
	tw := tar.NewWriter(&plain)
	if err := tw.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(tw, content)
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	zw := gzip.NewWriter(&packed)
	zw.Write(plain.Bytes())
	zw.Close()
	return image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayerGzip, Digest: image.Sum(packed.Bytes()), Size: int64(packed.Len())},
		DiffID:     image.Sum(plain.Bytes()),
		Open: func() (io.ReadCloser, error) {
			if opened != nil {
				opened.Add(1)
			}
			return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
		},
	}
}

func testImage(t *testing.T, arch string, layers ...image.Layer) *image.Image {
	t.Helper()
	cfg := image.Config{Architecture: arch, OS: "linux"}
	for range layers {
		cfg.History = append(cfg.History, image.History{Comment: "x"})
	}
	img, err := image.New(cfg, layers)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// serve runs a registry in this process behind h and returns its host and port.
func serve(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	h := served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(true))
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// separate keeps the blobs of repositories apart and mounts them, which the
// registry in this process does not do by itself.
type separate struct {
	next http.Handler
	mu   sync.Mutex
	has  map[string]bool // repository@digest
}

func newSeparate(next http.Handler) http.Handler {
	return &separate{next: next, has: map[string]bool{}}
}

func (s *separate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	repo, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/blobs/")
	if !ok {
		s.next.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodHead && !s.has[repo+"@"+rest]:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.Method == http.MethodPost && s.has[q.Get("from")+"@"+q.Get("mount")]:
		s.has[repo+"@"+q.Get("mount")] = true
		w.WriteHeader(http.StatusCreated)
		return
	case r.Method == http.MethodPost:
		r.URL.RawQuery = ""
	case r.Method == http.MethodPut:
		s.has[repo+"@"+q.Get("digest")] = true
	}
	s.next.ServeHTTP(w, r)
}

// whole fails the test unless ref is an image that is sound.
func whole(t *testing.T, ref string, want image.Digest) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	if d, err := img.Digest(); err != nil || d.String() != string(want) {
		t.Errorf("digest %s, error %v, expected %s", d, err, want)
	}
}

func TestPushTwice(t *testing.T) {
	host := serve(t, newSeparate)
	var opened atomic.Int32
	img := testImage(t, "amd64", testLayer(t, "one", &opened), testLayer(t, strings.Repeat("two", 100_000), &opened))
	var last Progress
	c := &Client{Progress: func(p Progress) { last = p }}
	r, err := c.Push(t.Context(), img, host+"/app/x:1", "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Uploaded != 3 || r.Mounted != 0 || r.Present != 0 || r.Digest != img.Digest() || r.Bytes < img.Layers()[1].Size {
		t.Errorf("first push: %+v", r)
	}
	if last.Done == 0 || last.Done != last.Total {
		t.Errorf("progress ends at %+v", last)
	}
	whole(t, host+"/app/x:1", img.Digest())
	for _, ref := range []string{"/app/x:1", "/app/x:2"} {
		opened.Store(0)
		if r, err = c.Push(t.Context(), img, host+ref, ""); err != nil {
			t.Fatal(err)
		}
		if r.Uploaded != 0 || r.Bytes != 0 || r.Present != 3 || opened.Load() != 0 {
			t.Errorf("push to %s again: %+v, %d layers read", ref, r, opened.Load())
		}
	}

	// One layer more: only that and the configuration travel.
	more := testImage(t, "amd64", append(img.Layers(), testLayer(t, "three", &opened))...)
	if r, err = c.Push(t.Context(), more, host+"/app/x:3", ""); err != nil || r.Uploaded != 2 || r.Present != 2 || opened.Load() != 1 {
		t.Errorf("one more layer: %+v, %d read, error %v", r, opened.Load(), err)
	}

	// In another repository they are taken over.
	opened.Store(0)
	if r, err = c.Push(t.Context(), more, host+"/other/y:3", host+"/app/x"); err != nil || r.Mounted != 3 || r.Uploaded != 1 || opened.Load() != 0 {
		t.Errorf("mount: %+v, %d read, error %v", r, opened.Load(), err)
	}
	whole(t, host+"/other/y:3", more.Digest())
	if _, err := c.Push(t.Context(), more, host+"/other/z", "elsewhere.example/app"); err == nil || !strings.Contains(err.Error(), "it is not on registry "+host) {
		t.Errorf("mount from elsewhere: %v", err)
	}
}

// TestMountBase takes layers over from the base that the manifest names.
func TestMountBase(t *testing.T) {
	host := serve(t, newSeparate)
	c := &Client{}
	base := testImage(t, "amd64", testLayer(t, "base", nil))
	if _, err := c.Push(t.Context(), base, host+"/base/debian:12", ""); err != nil {
		t.Fatal(err)
	}
	img := testImage(t, "amd64", append(base.Layers(), testLayer(t, "own", nil))...)
	raw := bytes.Replace(img.RawManifest(), []byte(`"schemaVersion":2`), []byte(`"annotations":{"`+image.AnnotationBaseName+`":"`+host+`/base/debian:12"},"schemaVersion":2`), 1)
	named, err := image.Load(img.RawConfig(), raw, img.Layers())
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Push(t.Context(), named, host+"/app/x", "")
	if err != nil || r.Mounted != 1 || r.Uploaded != 2 {
		t.Errorf("%+v, error %v", r, err)
	}
}

// faulty answers requests from number first to number last with a failure.
type faulty struct {
	next        http.Handler
	mu          sync.Mutex
	n           int
	first, last int
	fail        func(w http.ResponseWriter, r *http.Request)
	log         []string
}

// never is the number of a request that does not come.
const never = 1 << 30

// from begins to count requests anew, of which those from number first on fail.
func (f *faulty) from(first int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.first, f.last, f.log = 0, first, never, nil
}

// seen returns the requests since the count began.
func (f *faulty) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	n := f.n
	f.n++
	bad := n >= f.first && n < f.last
	f.log = append(f.log, r.Method+" "+r.URL.Path)
	f.mu.Unlock()
	if bad {
		f.fail(w, r)
		return
	}
	f.next.ServeHTTP(w, r)
}

var failures = map[string]func(w http.ResponseWriter, r *http.Request){
	"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"cut": func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(io.Discard, r.Body, 10)
		panic(http.ErrAbortHandler)
	},
	"denied": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`)
	},
	"nonsense": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "<html>")
	},
}

// TestFaults lets a registry fail for good at each request of a push in turn.
// The push must end in an error and leave the tag as it was, and the next one
// must succeed.
func TestFaults(t *testing.T) {
	for kind, fail := range failures {
		t.Run(kind, func(t *testing.T) {
			for step := 0; ; step++ {
				f := &faulty{fail: fail}
				host := serve(t, func(h http.Handler) http.Handler { f.next = h; return f })
				c := &Client{Jobs: 1, Pause: time.Millisecond, Transport: &http.Transport{}}
				old := testImage(t, "amd64", testLayer(t, "old", nil))
				if _, err := c.Push(t.Context(), old, host+"/app:1", ""); err != nil {
					t.Fatal(err)
				}
				img := testImage(t, "amd64", testLayer(t, "new", nil), testLayer(t, strings.Repeat("x", 1<<20), nil))
				f.from(step)
				_, err := c.Push(t.Context(), img, host+"/app:1", "")
				seen := f.seen()
				f.from(never)
				if len(seen) <= step {
					if err != nil {
						t.Errorf("a push without a failure: %v", err)
					}
					if step < 8 {
						t.Errorf("a push had only %d steps", step)
					}
					return
				}
				if err == nil {
					t.Errorf("step %d (%s): no error", step, seen[step])
					whole(t, host+"/app:1", img.Digest())
				} else {
					if !strings.HasPrefix(err.Error(), "push "+host+"/app:1: ") {
						t.Errorf("step %d: error %v", step, err)
					}
					if kind == "denied" && (!strings.Contains(err.Error(), "docker login "+host) || !strings.Contains(err.Error(), "403") && !strings.Contains(err.Error(), "quota exceeded")) {
						t.Errorf("step %d: error %v", step, err)
					}
					whole(t, host+"/app:1", old.Digest())
				}
				if _, err := c.Push(t.Context(), img, host+"/app:1", ""); err != nil {
					t.Errorf("step %d: the push after it: %v", step, err)
				}
				whole(t, host+"/app:1", img.Digest())
			}
		})
	}
}

// TestRetries lets each request fail once; the push succeeds all the same.
func TestRetries(t *testing.T) {
	for _, kind := range []string{"500", "cut"} {
		for step := 0; ; step++ {
			f := &faulty{fail: failures[kind], first: step, last: step + 1}
			host := serve(t, func(h http.Handler) http.Handler { f.next = h; return f })
			c := &Client{Jobs: 1, Pause: time.Millisecond, Transport: &http.Transport{}}
			img := testImage(t, "amd64", testLayer(t, strings.Repeat("x", 1<<20), nil))
			if _, err := c.Push(t.Context(), img, host+"/app:1", ""); err != nil {
				t.Errorf("%s at step %d (%s): %v", kind, step, f.seen()[step], err)
			}
			if len(f.seen()) <= step {
				break
			}
			whole(t, host+"/app:1", img.Digest())
		}
	}
}

func TestDamagedLayer(t *testing.T) {
	host := serve(t, nil)
	good := testLayer(t, "good", nil)
	for name, open := range map[string]func() (io.ReadCloser, error){
		"other bytes": func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(bytes.Repeat([]byte{1}, int(good.Size)))), nil
		},
		"short":  func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil },
		"long":   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, good.Size+1))), nil },
		"closed": func() (io.ReadCloser, error) { return nil, os.ErrClosed },
	} {
		l := good
		l.Open = open
		c := &Client{Pause: time.Millisecond}
		_, err := c.Push(t.Context(), testImage(t, "amd64", l), host+"/app:1", "")
		var source *SourceError
		if !errors.As(err, &source) || !strings.Contains(err.Error(), "layer "+string(good.Digest)) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := c.Pull(t.Context(), host+"/app:1", "linux/amd64"); err == nil {
			t.Errorf("%s: there is an image now", name)
		}
	}
}

func TestIndexAndPull(t *testing.T) {
	host := serve(t, nil)
	c := &Client{}
	amd, arm := testImage(t, "amd64", testLayer(t, "x", nil)), testImage(t, "arm64", testLayer(t, "y", nil))
	r, err := c.PushIndex(t.Context(), []*image.Image{amd, arm}, host+"/app:1", "")
	if err != nil || r.Uploaded != 4 {
		t.Fatalf("%+v, error %v", r, err)
	}
	again, err := c.PushIndex(t.Context(), []*image.Image{amd, arm}, host+"/app:1", "")
	if err != nil || again.Uploaded != 0 || again.Present != 4 || again.Digest != r.Digest {
		t.Errorf("again: %+v, error %v", again, err)
	}
	for platform, want := range map[string]*image.Image{"linux/amd64": amd, "linux/arm64": arm} {
		got, err := c.Pull(t.Context(), host+"/app:1", platform)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != want.Digest() {
			t.Errorf("%s: %s, expected %s", platform, got.Digest(), want.Digest())
		}
		if err := image.Validate(got); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Pull(t.Context(), host+"/app:1", "linux/s390x"); err == nil || !strings.Contains(err.Error(), "there is no image for linux/s390x; there are linux/amd64, linux/arm64") {
		t.Errorf("error %v", err)
	}
	if _, err := c.Pull(t.Context(), host+"/none:1", "linux/amd64"); err == nil || !strings.Contains(err.Error(), "the registry has no such image") {
		t.Errorf("error %v", err)
	}
	if _, err := c.PushIndex(t.Context(), []*image.Image{amd, amd}, host+"/app:2", ""); err == nil || !strings.Contains(err.Error(), "two of the images are for linux/amd64") {
		t.Errorf("error %v", err)
	}
}

func TestErrors(t *testing.T) {
	c := &Client{Pause: time.Millisecond}
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	for ref, want := range map[string]string{
		"Upper/case":    "is not the name of an image in a registry",
		"":              "is not the name of an image in a registry",
		"127.0.0.1:1/x": "connection refused",
	} {
		if _, err := c.Push(t.Context(), img, ref, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", ref, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Push(ctx, img, serve(t, nil)+"/x", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, bad := range []string{"", "linux", "linux/", "/amd64", "a/b/c/d"} {
		if _, err := ParsePlatform(bad); err == nil {
			t.Errorf("platform %q is taken", bad)
		}
	}
}

// TestCredentials wants a user and a password, from docker's configuration.
func TestCredentials(t *testing.T) {
	host := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, ok := r.BasicAuth(); !ok || user != "me" || password != "secret" {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("HOME", dir)
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	c := &Client{Pause: time.Millisecond, Keychain: authn.DefaultKeychain}
	if _, err := c.Push(t.Context(), img, host+"/x", ""); err == nil || !strings.Contains(err.Error(), "log in with 'docker login "+host) {
		t.Errorf("without credentials: %v", err)
	}
	config := fmt.Sprintf(`{"auths":{%q:{"auth":"bWU6c2VjcmV0"}}}`, host)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Push(t.Context(), img, host+"/x", ""); err != nil {
		t.Error(err)
	}
	if _, err := c.Pull(t.Context(), host+"/x", "linux/amd64"); err != nil {
		t.Error(err)
	}

	// A helper, as docker login sets it up on desktops.
	helper := "#!/bin/sh\necho '{\"Username\":\"me\",\"Secret\":\"secret\"}'\n"
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(helper), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	config = fmt.Sprintf(`{"credHelpers":{%q:"test"}}`, host)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Push(t.Context(), img, host+"/y", ""); err != nil {
		t.Errorf("with a helper: %v", err)
	}
}

func TestInsecure(t *testing.T) {
	s := httptest.NewTLSServer(served.New(served.Logger(log.New(io.Discard, "", 0))))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "https://")
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	if _, err := (&Client{Pause: time.Millisecond}).Push(t.Context(), img, host+"/x", ""); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("error %v", err)
	}
	if _, err := (&Client{Insecure: true}).Push(t.Context(), img, host+"/x", ""); err != nil {
		t.Error(err)
	}
}

func TestTrust(t *testing.T) {
	s := httptest.NewUnstartedServer(served.New(served.Logger(log.New(io.Discard, "", 0))))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "https://")
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	folder := filepath.Join(t.TempDir(), host)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	push := func() error {
		c := &Client{Pause: time.Millisecond, Trust: Trust{Folders: []string{t.TempDir(), filepath.Dir(folder)}}}
		_, err := c.Push(t.Context(), img, host+"/x", "")
		return err
	}
	cert := s.TLS.Certificates[0]
	write("client.cert", "CERTIFICATE", cert.Certificate[0])
	if err := push(); err == nil || !strings.Contains(err.Error(), "client.key") {
		t.Errorf("a certificate without its key: error %v", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write("client.key", "PRIVATE KEY", key)
	if err := push(); err == nil || !strings.Contains(err.Error(), "certs.d/"+host) {
		t.Errorf("an unknown authority: error %v", err)
	}
	write("ca.crt", "CERTIFICATE", s.Certificate().Raw)
	if err := push(); err != nil {
		t.Error(err)
	}
	write("ca.crt", "NOTHING", nil)
	if err := push(); err == nil || !strings.Contains(err.Error(), "ca.crt has no certificate") {
		t.Errorf("a file without a certificate: error %v", err)
	}

	usual := httptest.NewTLSServer(s.Config.Handler)
	t.Cleanup(usual.Close)
	roots := x509.NewCertPool()
	roots.AddCert(usual.Certificate())
	c := &Client{Pause: time.Millisecond, Trust: Trust{Roots: func() (*x509.CertPool, error) { return roots, nil }}}
	if _, err := c.Push(t.Context(), img, strings.TrimPrefix(usual.URL, "https://")+"/y", ""); err != nil {
		t.Error(err)
	}
}
