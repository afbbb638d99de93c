package fetch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// site serves files by path and remembers nothing.
func site(t *testing.T, files map[string]string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// job is a fixed-output job for content.
func job(t *testing.T, content string, env map[string]string) *build.Job {
	t.Helper()
	dir := t.TempDir()
	h := nixhash.Sum(nixhash.SHA256, []byte(content))
	out, err := storepath.FixedOutput("f", false, h, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &build.Job{
		Drv: &derivation.Derivation{
			Name: "f", Env: env,
			Outputs: map[string]derivation.Output{"out": {Path: out, HashAlgo: "sha256", Hash: h.Base16()}},
		},
		Outputs: map[string]storepath.Path{"out": out},
		Dest:    map[string]string{"out": filepath.Join(dir, "out")},
		TmpDir:  filepath.Join(dir, "tmp"),
		Log:     &bytes.Buffer{},
		Report:  func(build.Event) {},
	}
}

func read(t *testing.T, j *build.Job) string {
	t.Helper()
	b, err := os.ReadFile(j.Dest["out"])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFetchTriesInOrder(t *testing.T) {
	base := site(t, map[string]string{"/right/f": "content", "/wrong/f": "something else"})
	u := &URL{Client: testClient(), Mirrors: &Mirrors{Override: func(string) []string {
		return []string{"http://127.0.0.1:1", base + "/none", base + "/wrong/", base + "/right"}
	}}}
	j := job(t, "content", map[string]string{"url": "mirror://any/f"})
	if err := u.Build(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if got := read(t, j); got != "content" {
		t.Errorf("got %q", got)
	}
}

func TestFetchHashedMirrorFirst(t *testing.T) {
	hash := nixhash.Sum(nixhash.SHA256, []byte("content")).Base16()
	base := site(t, map[string]string{"/sha256/" + hash: "content"})
	u := &URL{Client: testClient(), Mirrors: &Mirrors{}, Hashed: []string{base}}
	j := job(t, "content", map[string]string{"url": "http://127.0.0.1:1/f", "executable": "1"})
	if err := u.Build(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(j.Dest["out"]); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestFetchUnreachable(t *testing.T) {
	base := site(t, nil)
	u := &URL{Client: testClient(), Mirrors: &Mirrors{}}
	j := job(t, "content", map[string]string{"urls": base + "/a " + base + "/b"})
	err := u.Build(t.Context(), j)
	if err == nil || !strings.Contains(err.Error(), base+"/a: HTTP error 404") || !strings.Contains(err.Error(), base+"/b: HTTP error 404") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(j.Dest["out"]); err == nil {
		t.Error("an output was left")
	}
}

// TestFetchTakesUp finds the beginning that an interrupted run left, and is
// not led astray by one that belongs to another file.
func TestFetchTakesUp(t *testing.T) {
	content := strings.Repeat("0123456789", 10_000)
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Range"))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}))
	defer srv.Close()
	for _, c := range []struct {
		name, left string
		want       []string
	}{
		{"right", content[:5000], []string{"bytes=5000-"}},
		{"wrong", strings.Repeat("x", 5000), []string{"bytes=5000-", ""}},
		{"whole", content, []string{fmt.Sprintf("bytes=%d-", len(content)), ""}},
	} {
		asked = nil
		u := &URL{Client: testClient(), Mirrors: &Mirrors{}, Partial: t.TempDir()}
		j := job(t, content, map[string]string{"url": srv.URL})
		part := filepath.Join(u.Partial, j.Outputs["out"].Base()+".part")
		if err := os.WriteFile(part, []byte(c.left), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := u.Build(t.Context(), j); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if read(t, j) != content || fmt.Sprint(asked) != fmt.Sprint(c.want) {
			t.Errorf("%s: asked %q", c.name, asked)
		}
		if _, err := os.Lstat(part); err == nil {
			t.Errorf("%s: the beginning is still there", c.name)
		}
	}
}

func TestFetchInterruptedKeepsBeginning(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("0123456789"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer srv.Close()
	u := &URL{Client: testClient(), Mirrors: &Mirrors{}, Partial: t.TempDir()}
	j := job(t, "content", map[string]string{"url": srv.URL})
	j.Report = func(e build.Event) { cancel() }
	if err := u.Build(ctx, j); err == nil {
		t.Fatal("no error")
	}
	if b, err := os.ReadFile(filepath.Join(u.Partial, j.Outputs["out"].Base()+".part")); err != nil || string(b) != "0123456789" {
		t.Errorf("kept %q, %v", b, err)
	}
}

func TestFetchNAR(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "f"), []byte("in the archive"), 0o644)
	var b bytes.Buffer
	if err := nar.Dump(&b, dir); err != nil {
		t.Fatal(err)
	}
	base := site(t, map[string]string{"/x.nar": b.String()})
	j := job(t, b.String(), map[string]string{"url": base + "/x.nar", "unpack": "1"})
	if err := (&URL{Client: testClient(), Mirrors: &Mirrors{}}).Build(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(j.Dest["out"], "f")); err != nil || string(got) != "in the archive" {
		t.Errorf("got %q, %v", got, err)
	}
}
