package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func testClient() *Client {
	return &Client{HTTP: &http.Client{}, Attempts: 4, Stall: 2 * time.Second, Backoff: time.Millisecond}
}

func tempFile(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func content(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func quiet(int64, int64) {}

func TestDownloadResumes(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) < 3 { // break off in the middle, twice
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
			if from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
				w.WriteHeader(http.StatusPartialContent)
			}
			w.Write(body[from : from+100_000])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(body))
	}))
	defer srv.Close()
	f := tempFile(t)
	var last int64
	if err := testClient().Download(t.Context(), srv.URL, f, func(done, total int64) { last = done }); err != nil {
		t.Fatal(err)
	}
	if content(t, f) != string(body) || last != int64(len(body)) {
		t.Errorf("got %d bytes, reported %d", len(content(t, f)), last)
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests, want 3", requests.Load())
	}
}

func TestDownloadRetriesWhatPasses(t *testing.T) {
	for _, c := range []struct {
		status, requests int
	}{{http.StatusServiceUnavailable, 4}, {http.StatusTooManyRequests, 4}, {http.StatusNotFound, 1}, {http.StatusForbidden, 1}} {
		var requests atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.WriteHeader(c.status)
		}))
		err := testClient().Download(t.Context(), srv.URL, tempFile(t), quiet)
		srv.Close()
		var st *statusError
		if !errors.As(err, &st) || st.code != c.status || int(requests.Load()) != c.requests {
			t.Errorf("%d: %v after %d requests", c.status, err, requests.Load())
		}
	}
}

func TestDownloadStall(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer srv.Close()
	defer close(release)
	c := testClient()
	c.Stall, c.Attempts = 50*time.Millisecond, 2
	err := c.Download(t.Context(), srv.URL, tempFile(t), quiet)
	if err == nil || !strings.Contains(err.Error(), "no data for") {
		t.Errorf("got %v", err)
	}
}

func TestDownloadCancelled(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := testClient().Download(ctx, srv.URL, tempFile(t), quiet); err == nil {
		t.Error("no error")
	}
}

func TestDownloadFile(t *testing.T) {
	src := filepath.Join(t.TempDir(), "a b")
	os.WriteFile(src, []byte("text"), 0o644)
	f := tempFile(t)
	if err := testClient().Download(t.Context(), "file://"+strings.ReplaceAll(src, " ", "%20"), f, quiet); err != nil {
		t.Fatal(err)
	}
	if content(t, f) != "text" {
		t.Errorf("got %q", content(t, f))
	}
}
