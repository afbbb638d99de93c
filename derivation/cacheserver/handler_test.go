package cacheserver

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"gonix/derivation/binarycache"
	"gonix/derivation/nar"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

func TestServe(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	leaf, err := s.AddText(t.Context(), "leaf", "leaf", nil)
	if err != nil {
		t.Fatal(err)
	}
	// An object that needs a signature.
	top := storepath.MustParse("/nix/store/00000000000000000000000000000003-top")
	var b bytes.Buffer
	if err := nar.DumpString(&b, leaf.String()); err != nil {
		t.Fatal(err)
	}
	if err := s.AddNAR(t.Context(), store.Info{Path: top, References: []storepath.Path{leaf}}, &b); err != nil {
		t.Fatal(err)
	}
	key, err := signature.Generate("served-1", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(New(Handler{Store: s, Keys: []signature.SecretKey{key}, Log: func(err error) { t.Log(err) }}))
	defer h.Close()
	config, err := binarycache.ParseURL(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := binarycache.Open(config, binarycache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d, err := cache.Describe(t.Context()); err != nil || d.Priority != 30 || !d.MassQuery {
		t.Errorf("described as %v, %v", d, err)
	}
	into, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	sub := substitute.New(into, substitute.Options{Sources: []binarycache.Source{cache}, Keys: signature.Keys{"served-1": key.Public()}})
	if failed := sub.Fetch(t.Context(), []storepath.Path{top}); len(failed) > 0 {
		t.Fatal(failed)
	}
	info, err := into.Info(t.Context(), top)
	if err != nil || len(info.Sigs) != 1 || !strings.HasPrefix(info.Sigs[0], "served-1:") {
		t.Errorf("%+v, %v", info, err)
	}
	if own, _ := s.Info(t.Context(), top); len(own.Sigs) > 0 {
		t.Error("the store itself was signed")
	}

	narFile := "/nar/" + name(info)
	for path, want := range map[string]int{
		"/": 404, "/x": 404, "/../etc/passwd": 404, "/.narinfo": 404, "/nar/": 404, "/nar/x": 404,
		"/" + strings.Repeat("%", 32) + ".narinfo":                                  404,
		"/00000000000000000000000000000009.narinfo":                                 404,
		"/00000000000000000000000000000003.narinfo":                                 200,
		"/nar/00000000000000000000000000000003-" + strings.Repeat("0", 52) + ".nar": 404,
		narFile: 200,
	} {
		resp, err := http.Get(h.URL + strings.ReplaceAll(path, "%", "%25"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	resp, err := http.Head(h.URL + narFile)
	if err != nil || resp.ContentLength != info.NarSize {
		t.Errorf("HEAD: %v %v", resp, err)
	}
	if resp, err := http.Post(h.URL+narFile, "", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", resp, err)
	}
	// An object that has become longer does not pass.
	os.Chmod(s.RealPath(top), 0o644)
	if err := os.WriteFile(s.RealPath(top), bytes.Repeat([]byte("x"), 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	resp, err = http.Get(h.URL + narFile)
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(resp.Body); int64(len(data)) > info.NarSize {
		t.Errorf("%d bytes came", len(data))
	}
}
