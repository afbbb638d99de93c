package tree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonix/derivation/fetch"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/store"
)

// bench is a Fetcher with a store of its own and a clock that stands still.
type bench struct {
	*Fetcher
	t        *testing.T
	now      time.Time
	warnings []string
}

func newBench(t *testing.T, client *http.Client) *bench {
	t.Helper()
	root := t.TempDir()
	st, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		st.Close()
		store.RemoveTree(root + "/nix")
	})
	b := &bench{t: t, now: time.Now()}
	b.Fetcher = &Fetcher{
		Store: st,
		URL:   &fetch.URL{Client: &fetch.Client{HTTP: client, Attempts: 1, Stall: 5 * time.Second}, Mirrors: &fetch.Mirrors{}},
		Cache: t.TempDir(), Cwd: "/", TTL: time.Hour,
		Now:  func() time.Time { return b.now },
		Warn: func(msg string) { b.warnings = append(b.warnings, msg) },
	}
	return b
}

func (b *bench) input(attrs flakeref.Attrs) flakeref.Input {
	b.t.Helper()
	in, err := flakeref.Parser{Flakes: true}.InputFromAttrs(attrs)
	if err != nil {
		b.t.Fatal(err)
	}
	return in
}

func (b *bench) fetch(attrs flakeref.Attrs) flakeref.Tree {
	b.t.Helper()
	t, err := b.FetchTree(b.t.Context(), b.input(attrs))
	if err != nil {
		b.t.Fatal(err)
	}
	return t
}

func (b *bench) fail(want string, attrs flakeref.Attrs) {
	b.t.Helper()
	if _, err := b.FetchTree(b.t.Context(), b.input(attrs)); err == nil || !strings.Contains(err.Error(), want) {
		b.t.Errorf("got %v, want %s", err, want)
	}
}

func archiveOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i, name := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 2, ModTime: time.Unix(int64(1000+i), 0)}); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte("x\n"))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func TestTarball(t *testing.T) {
	data := archiveOf(t, "top/a", "top/b")
	var asked, sent int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.Header().Set("ETag", `"1"`)
		if r.URL.Path == "/latest.tar.gz" {
			w.Header().Set("Link", `</v1.tar.gz?rev=12>; rel="immutable"`)
		}
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		w.Write(data)
	}))
	defer srv.Close()
	b := newBench(t, srv.Client())
	attrs := flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text(srv.URL + "/a.tar.gz")}
	first := b.fetch(attrs)
	if n, _ := first.Input.Number("lastModified"); n != 1001 || !first.Input.Final() {
		t.Errorf("attributes %s", first.Input.Attrs.JSON())
	}
	if _, err := os.Stat(filepath.Join(b.Store.RealPath(first.Path), "a")); err != nil {
		t.Error(err)
	}
	if again := b.fetch(attrs); again.Path != first.Path || asked != 1 {
		t.Errorf("%d requests for %s", asked, again.Path)
	}
	b.now = b.now.Add(2 * time.Hour)
	if again := b.fetch(attrs); again.Path != first.Path || asked != 2 || sent != 1 {
		t.Errorf("%d requests, %d answers for %s", asked, sent, again.Path)
	}
	latest := b.fetch(flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text(srv.URL + "/latest.tar.gz")})
	if got := latest.Input.Text("url"); got != srv.URL+"/v1.tar.gz" || latest.Input.Text("rev") != "12" {
		t.Errorf("locked %s", latest.Input.Attrs.JSON())
	}
	wrong := flakeref.Text("sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	b.fail("NAR hash mismatch in input '"+srv.URL+"/a.tar.gz?narHash=sha256-AAAA", flakeref.Attrs{"type": flakeref.Text("tarball"), "url": attrs["url"], "narHash": wrong})
	b.fail("unable to download '"+srv.URL+"/gone': HTTP error 410", flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text(srv.URL + "/gone")})
}

// An archive with several things at its top keeps them all.
func TestTarballWithoutTop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := os.WriteFile(file, archiveOf(t, "a", "d/b"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, &http.Client{})
	got := b.fetch(flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text("file://" + file)})
	for _, name := range []string{"a", "d/b"} {
		if _, err := os.Stat(filepath.Join(b.Store.RealPath(got.Path), name)); err != nil {
			t.Error(err)
		}
	}
	b.fail("does not exist.", flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text("file:///nonexistent/x")})
	b.fail("is a directory, not a file.", flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text("file:///")})
	b.fail("must use an absolute path", flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text("file:x")})
}

func TestFileAndPath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1_500_000_000, 0)
	os.Chtimes(file, old, old)
	os.Chtimes(dir, old, old)
	b := newBench(t, &http.Client{})
	got := b.fetch(flakeref.Attrs{"type": flakeref.Text("file"), "url": flakeref.Text("file://" + file)})
	if text, err := os.ReadFile(b.Store.RealPath(got.Path)); string(text) != "hello\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	got = b.fetch(flakeref.Attrs{"type": flakeref.Text("path"), "path": flakeref.Text(dir)})
	if n, _ := got.Input.Number("lastModified"); n != 1_500_000_000 {
		t.Errorf("modified at %d", n)
	}
	// A tree in the store is taken as it is.
	again := b.fetch(flakeref.Attrs{"type": flakeref.Text("path"), "path": flakeref.Text(got.Path.String())})
	if again.Path != got.Path {
		t.Errorf("%s became %s", got.Path, again.Path)
	}
	b.fail("because it uses a relative path", flakeref.Attrs{"type": flakeref.Text("path"), "path": flakeref.Text("./x")})
}

// forgeServer answers as GitHub, GitLab and SourceHut do, whatever the host.
func forgeServer(t *testing.T, rev string) (*http.Client, *[]string) {
	t.Helper()
	data := archiveOf(t, "repo-1/flake.nix")
	var asked []string
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Host+r.URL.RequestURI()+" "+r.Header.Get("Authorization")+r.Header.Get("Private-Token"))
		switch {
		case strings.Contains(r.URL.Path, "/repository/commits"):
			fmt.Fprintf(w, `[{"id":"%s"}]`, rev)
		case strings.Contains(r.URL.Path, "/commits/"):
			fmt.Fprintf(w, `{"sha":"%s","commit":{"tree":{"sha":"%s"}}}`, rev, rev)
		case strings.HasSuffix(r.URL.Path, "/HEAD"):
			fmt.Fprint(w, "ref: refs/heads/main\n")
		case strings.HasSuffix(r.URL.Path, "/info/refs"):
			fmt.Fprintf(w, "%s\trefs/heads/other\n%s\trefs/heads/main\n", strings.Repeat("1", 40), rev)
		default:
			w.Write(data)
		}
	}))
	t.Cleanup(srv.Close)
	client := srv.Client()
	transport := client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, srv.Listener.Addr().String())
	}
	return &http.Client{Transport: transport}, &asked
}

func TestForges(t *testing.T) {
	rev := "41632ca330cc6862bda2a8af3ce89933829802ef"
	for _, c := range []struct {
		attrs flakeref.Attrs
		want  []string
	}{
		{flakeref.Attrs{"type": flakeref.Text("github")},
			[]string{"api.github.com/repos/o/r/commits/HEAD ", "github.com/o/r/archive/" + rev + ".tar.gz "}},
		{flakeref.Attrs{"type": flakeref.Text("github"), "host": flakeref.Text("git.example.org"), "ref": flakeref.Text("dev")},
			[]string{"git.example.org/api/v3/repos/o/r/commits/dev token T", "git.example.org/api/v3/repos/o/r/tarball/" + rev + " token T"}},
		{flakeref.Attrs{"type": flakeref.Text("gitlab"), "ref": flakeref.Text("dev")},
			[]string{"gitlab.com/api/v4/projects/o%2Fr/repository/commits?ref_name=dev S", "gitlab.com/api/v4/projects/o%2Fr/repository/archive.tar.gz?sha=" + rev + " S"}},
		{flakeref.Attrs{"type": flakeref.Text("sourcehut")},
			[]string{"git.sr.ht/o/r/HEAD ", "git.sr.ht/o/r/info/refs ", "git.sr.ht/o/r/archive/" + rev + ".tar.gz "}},
		{flakeref.Attrs{"type": flakeref.Text("github"), "rev": flakeref.Text(rev)}, []string{"github.com/o/r/archive/" + rev + ".tar.gz "}},
	} {
		client, asked := forgeServer(t, rev)
		b := newBench(t, client)
		b.Tokens = map[string]string{"git.example.org": "T", "gitlab.com/o": "PAT:S", "gitlab.com/other": "PAT:wrong"}
		c.attrs["owner"], c.attrs["repo"] = flakeref.Text("o"), flakeref.Text("r")
		got := b.fetch(c.attrs)
		if n, _ := got.Input.Number("lastModified"); got.Input.Text("rev") != rev || n != 1000 || got.Input.Text("ref") != "" {
			t.Errorf("%s: %s", c.attrs.JSON(), got.Input.Attrs.JSON())
		}
		if strings.Join(*asked, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s asked\n%s\nwant\n%s", c.attrs.JSON(), strings.Join(*asked, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
