package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gonix/dockertools/image"

	"github.com/google/go-containerregistry/pkg/authn"
)

// quick is a client that loses its patience soon.
func quick() *Client {
	return &Client{Jobs: 1, Pause: time.Millisecond, Stall: 150 * time.Millisecond, Transport: &http.Transport{}}
}

// pulled pulls an image and reads all of it.
func pulled(t *testing.T, c *Client, ref string) error {
	t.Helper()
	img, err := c.Pull(t.Context(), ref, "linux/amd64")
	if err != nil {
		return err
	}
	return image.Validate(img)
}

// TestSilence lets a registry fall silent at each request of a push and a pull in
// turn: before it answers, in the middle of its answer, or byte by byte.
func TestSilence(t *testing.T) {
	img := testImage(t, "amd64", testLayer(t, strings.Repeat("x", 1<<16), nil))
	over := make(chan struct{})
	silent := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}
	kinds := map[string]func(w http.ResponseWriter, r *http.Request){
		"silent": silent,
		"half": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			silent(w, r)
		},
	}
	for kind, fail := range kinds {
		for what, run := range map[string]func(c *Client, ref string) error{
			"push": func(c *Client, ref string) error { _, err := c.Push(t.Context(), img, ref, ""); return err },
			"pull": func(c *Client, ref string) error { return pulled(t, c, ref) },
		} {
			for step := 0; ; step++ {
				f := &faulty{fail: fail, first: never, last: never}
				host := serve(t, func(h http.Handler) http.Handler { f.next = h; return f })
				if what == "pull" {
					if _, err := quick().Push(t.Context(), img, host+"/app:1", ""); err != nil {
						t.Fatal(err)
					}
				}
				f.from(step)
				err := run(quick(), host+"/app:1")
				if len(f.seen()) <= step {
					if err != nil || step < 3 {
						t.Errorf("%s %s of %d steps: %v", kind, what, step, err)
					}
					break
				}
				if err == nil && kind == "half" {
					continue // what had come was enough
				}
				if err == nil || !strings.Contains(err.Error(), host) || strings.Contains(err.Error(), "context canceled") {
					t.Errorf("%s %s at step %d: error %v", kind, what, step, err)
				}
			}
		}
	}
	close(over)
}

// TestTrickle has answers that never end, fast or slow.
func TestTrickle(t *testing.T) {
	for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
		for _, part := range []string{"/v2/", "/manifests/"} {
			host := serve(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.Contains(r.URL.Path, part) || part == "/v2/" && r.URL.Path != part {
						next.ServeHTTP(w, r)
						return
					}
					piece := bytes.Repeat([]byte(" "), 1<<16)
					for r.Context().Err() == nil {
						if _, err := w.Write(piece); err != nil {
							return
						}
						w.(http.Flusher).Flush()
						time.Sleep(pause)
						if pause > 0 {
							piece = piece[:1]
						}
					}
				})
			})
			c := quick()
			if pause == 0 {
				c.Stall = time.Minute
			}
			err := pulled(t, c, host+"/app:1")
			if err == nil || part == "/manifests/" && pause == 0 && !strings.Contains(err.Error(), "answers with more than 4 MiB") ||
				part == "/manifests/" && pause > 0 && !strings.Contains(err.Error(), "nothing came from "+host) {
				t.Errorf("%s every %v: %v", part, pause, err)
			}
		}
	}
}

// TestResume cuts answers with blobs off again and again; ranges are served, or not,
// or wrongly. Everything arrives as long as something comes each time.
func TestResume(t *testing.T) {
	l := testLayer(t, strings.Repeat("abcdefgh", 1<<10), nil)
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7)
	}
	l = testLayer(t, string(noise), nil)
	img := testImage(t, "amd64", l)
	for kind, c := range map[string]struct {
		ranges  bool
		advance int // bytes of a blob that an answer has
		want    string
	}{
		"ranges":       {true, 5000, ""},
		"no ranges":    {false, int(l.Size) / 3, "EOF"}, // the same third each time
		"nothing more": {true, 0, "EOF"},
	} {
		var asked atomic.Int32
		host := serve(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, string(l.Digest)) {
					next.ServeHTTP(w, r)
					return
				}
				asked.Add(1)
				rec := httptest.NewRecorder()
				if !c.ranges {
					r.Header.Del("Range")
				}
				asked := r.Header.Get("Range")
				r.Header.Del("Range")
				next.ServeHTTP(rec, r)
				data := rec.Body.Bytes()
				from := 0
				if asked != "" {
					fmt.Sscanf(asked, "bytes=%d-", &from)
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
				if asked != "" {
					w.WriteHeader(http.StatusPartialContent)
				}
				w.Write(data[from:min(len(data), from+c.advance)])
				w.(http.Flusher).Flush()
				if from+c.advance < len(data) {
					panic(http.ErrAbortHandler)
				}
			})
		})
		if _, err := quick().Push(t.Context(), img, host+"/app:1", ""); err != nil {
			t.Fatal(err)
		}
		err := pulled(t, quick(), host+"/app:1")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v", kind, err)
		}
		if n := int(asked.Load()); c.want == "" && n != (int(l.Size)+c.advance-1)/c.advance || c.want != "" && n > 10 {
			t.Errorf("%s: asked %d times", kind, n)
		}
	}
}

// TestRetryAfter asks to wait as the registry says.
func TestRetryAfter(t *testing.T) {
	var first atomic.Int64
	host := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first.CompareAndSwap(0, time.Now().UnixNano())
			if time.Now().UnixNano()-first.Load() < int64(900*time.Millisecond) {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if _, err := quick().Push(t.Context(), testImage(t, "amd64"), host+"/app:1", ""); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]time.Duration{"7": 7 * time.Second, "x": 0, "": 0, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): -time.Hour} {
		resp := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {text}}}
		if got := retryAfter(resp); got.Round(time.Minute/2) != want.Round(time.Minute/2) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestRedirects goes in a circle, and to another host, which must not see
// credentials.
func TestRedirects(t *testing.T) {
	img := testImage(t, "amd64", testLayer(t, "x", nil))
	for _, part := range []string{"/manifests/", "/blobs/"} {
		round := false
		host := serve(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if round && strings.Contains(r.URL.Path, part) {
					http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		if _, err := quick().Push(t.Context(), img, host+"/app:1", ""); err != nil {
			t.Fatal(err)
		}
		round = true
		if err := pulled(t, quick(), host+"/app:1"); err == nil || !strings.Contains(err.Error(), "redirects again after 10 times") {
			t.Errorf("%s: %v", part, err)
		}
	}

	for kind, guard := range map[string]func(*http.Request) (challenge string, ok bool){
		"basic": func(r *http.Request) (string, bool) {
			_, password, _ := r.BasicAuth()
			return `Basic realm="x"`, password == "secret"
		},
		"token": func(r *http.Request) (string, bool) {
			return `Bearer realm="http://` + r.Host + `/token",service="x"`, r.Header.Get("Authorization") == "Bearer let-me-in"
		},
	} {
		var seen atomic.Int32
		var inner http.Handler
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Errorf("%s: credentials were sent elsewhere", kind)
			}
			seen.Add(1)
			inner.ServeHTTP(w, r)
		}))
		defer elsewhere.Close()
		away := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
		host := serve(t, func(next http.Handler) http.Handler {
			inner = next
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					json.NewEncoder(w).Encode(map[string]string{"token": "let-me-in"})
					return
				}
				if challenge, ok := guard(r); !ok {
					w.Header().Set("WWW-Authenticate", challenge)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
					http.Redirect(w, r, away+r.URL.Path, http.StatusTemporaryRedirect)
					return
				}
				if r.Method == http.MethodPost {
					// The way on lies elsewhere, by a name that says more.
					rec := httptest.NewRecorder()
					next.ServeHTTP(rec, r)
					w.Header().Set("Location", away+rec.Header().Get("Location")+"?state=a%2Fb")
					w.WriteHeader(rec.Code)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		c := quick()
		c.Keychain = known{}
		if _, err := c.Push(t.Context(), img, host+"/app:1", ""); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := pulled(t, c, host+"/app:1"); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if seen.Load() < 4 {
			t.Errorf("%s: only %d requests went elsewhere", kind, seen.Load())
		}
	}
}

// known has a password for everything.
type known struct{}

func (known) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: "me", Password: "secret"}, nil
}

// TestLies has a registry that says or sends something else than it should.
func TestLies(t *testing.T) {
	l := testLayer(t, "x", nil)
	img := testImage(t, "amd64", l)
	for name, c := range map[string]struct {
		part string // of the path
		lie  func(w http.ResponseWriter, data []byte)
		want string
	}{
		"other layer":  {string(l.Digest), func(w http.ResponseWriter, data []byte) { w.Write(bytes.ToUpper(data)) }, "layer"},
		"short layer":  {string(l.Digest), func(w http.ResponseWriter, data []byte) { w.Write(data[:20]) }, "Content-Length header 20"},
		"long layer":   {string(l.Digest), func(w http.ResponseWriter, data []byte) { w.Write(append(data, 0)) }, "Content-Length header"},
		"no length":    {string(l.Digest), func(w http.ResponseWriter, data []byte) { w.(http.Flusher).Flush(); w.Write(data[:20]) }, "size"},
		"other config": {string(img.ConfigDescriptor().Digest), func(w http.ResponseWriter, data []byte) { w.Write(bytes.ToUpper(data)) }, "sha256"},
		"no manifest":  {"/manifests/", func(w http.ResponseWriter, data []byte) { io.WriteString(w, "<html>") }, "invalid character"},
		"schema 1": {"/manifests/", func(w http.ResponseWriter, data []byte) {
			w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws")
			w.Write(data)
		}, "is of a form from before 2016"},
		"huge config": {"/manifests/", func(w http.ResponseWriter, data []byte) {
			w.Write(bytes.Replace(data, []byte(`"size":`), []byte(`"size":99999999`), 1))
		}, "clients take no more than 4 MiB"},
		"negative size": {"/manifests/", func(w http.ResponseWriter, data []byte) {
			w.Write(bytes.ReplaceAll(data, []byte(`"size":`), []byte(`"size":-`)))
		}, "does not match expected size -"},
		"digest of no form": {"/manifests/", func(w http.ResponseWriter, data []byte) {
			w.Write(bytes.ReplaceAll(data, []byte("sha256:"), []byte("md5:")))
		}, "md5"},
		"empty index": {"/manifests/", func(w http.ResponseWriter, data []byte) {
			w.Header().Set("Content-Type", image.MediaTypeIndex)
			io.WriteString(w, `{"manifests":[]}`)
		}, "no image for linux/amd64; the index names none at all"},
	} {
		lying := false
		host := serve(t, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !lying || !strings.Contains(r.URL.Path, c.part) {
					next.ServeHTTP(w, r)
					return
				}
				rec := httptest.NewRecorder()
				next.ServeHTTP(rec, r)
				w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
				c.lie(w, rec.Body.Bytes())
			})
		})
		if _, err := quick().Push(t.Context(), img, host+"/app:1", ""); err != nil {
			t.Fatal(err)
		}
		lying = true
		if err := pulled(t, quick(), host+"/app:1"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
