package substitute

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/signature"
	"gonix/derivation/storepath"

	"github.com/klauspost/compress/zstd"
)

// tokens spells an archive out of its words.
func tokens(words ...string) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(w)))
		b = append(b, w...)
		b = append(b, make([]byte, -len(w)&7)...)
	}
	return b
}

func zstdOf(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func file(name string) []string {
	return []string{"entry", "(", "name", name, "node", "(", "type", "regular", "contents", "x", ")", ")"}
}

func directory(entries ...[]string) []byte {
	words := []string{"nix-archive-1", "(", "type", "directory"}
	for _, e := range entries {
		words = append(words, e...)
	}
	return tokens(append(words, ")")...)
}

// TestAttacks: whatever a cache does, nothing wrong is registered, and a cache
// that works delivers the object afterwards.
func TestAttacks(t *testing.T) {
	other, err := signature.Generate("test-1", rand.Reader) // the name of a trusted key, another key
	if err != nil {
		t.Fatal(err)
	}
	evil := directory(file("../../../evil"))
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) }) // after the parallel tests
	var sent atomic.Int64
	for name, attack := range map[string]struct {
		prepare func(t *testing.T, w *world)
		want    string // in a warning
	}{
		"truncated": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.URL.Path, "/nar/") {
					return false
				}
				rw.Header().Set("Content-Length", "100000")
				rw.Write(tokens("nix-archive-1", "("))
				return true
			}
		}, "unexpected EOF"},
		"short": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/nar/") {
					rw.Write(tokens("nix-archive-1", "(", "type", "regular", "contents", "", ")"))
					return true
				}
				return false
			}
		}, "the archive ends after"},
		"corrupted": {func(t *testing.T, w *world) {
			files, _ := filepath.Glob(w.dir + "/nar/*")
			for _, f := range files {
				data, _ := os.ReadFile(f)
				data = bytes.Replace(data, []byte("leaf"), []byte("LEAF"), 1)
				os.WriteFile(f, data, 0o644)
			}
		}, "hash mismatch"},
		"mis-signed":      {func(t *testing.T, w *world) { w.key = other; w.edit(t, w.leaf, true, func(*narinfo.Info) {}) }, "not signed by any of the keys"},
		"unsigned":        {func(t *testing.T, w *world) { w.edit(t, w.leaf, false, func(i *narinfo.Info) { i.Sigs = nil }) }, "not signed by any of the keys"},
		"references gone": {func(t *testing.T, w *world) { w.edit(t, w.mid, false, func(i *narinfo.Info) { i.References = nil }) }, "not signed by any"},
		"wrong size":      {func(t *testing.T, w *world) { w.edit(t, w.leaf, true, func(i *narinfo.Info) { i.NarSize += 8 }) }, "announced"},
		"smaller size":    {func(t *testing.T, w *world) { w.edit(t, w.leaf, true, func(i *narinfo.Info) { i.NarSize -= 8 }) }, "longer than the announced"},
		"wrong path":      {func(t *testing.T, w *world) { w.edit(t, w.leaf, true, func(i *narinfo.Info) { i.Path = w.mid }) }, "but got"},
		"no narinfo":      {func(t *testing.T, w *world) { os.WriteFile(w.dir+"/"+narinfo.File(w.leaf), []byte("<html>"), 0o644) }, "is corrupt"},
		"false content address": {func(t *testing.T, w *world) {
			w.edit(t, w.leaf, false, func(i *narinfo.Info) {
				i.CA = "fixed:r:" + i.NarHash.Prefixed32()
				i.Sigs = nil
			})
		}, "claims to be content-addressed"},
		"dot dot":         {func(t *testing.T, w *world) { w.archive(t, w.leaf, directory(file(".."))) }, "invalid file name"},
		"upwards":         {func(t *testing.T, w *world) { w.archive(t, w.leaf, evil) }, "invalid file name"},
		"absolute":        {func(t *testing.T, w *world) { w.archive(t, w.leaf, directory(file("/tmp/evil"))) }, "invalid file name"},
		"twice":           {func(t *testing.T, w *world) { w.archive(t, w.leaf, directory(file("a"), file("a"))) }, "not sorted"},
		"unsorted":        {func(t *testing.T, w *world) { w.archive(t, w.leaf, directory(file("b"), file("a"))) }, "not sorted"},
		"no archive":      {func(t *testing.T, w *world) { w.archive(t, w.leaf, []byte("hello")) }, "doesn't look like a Nix archive"},
		"something after": {func(t *testing.T, w *world) { w.archive(t, w.leaf, append(directory(file("a")), "trailer!"...)) }, "after the end of the archive"},
		"redirects": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/nar/") {
					http.Redirect(rw, r, r.URL.Path+"x", http.StatusFound)
					return true
				}
				return false
			}
		}, "stopped after 10 redirects"},
		"redirects of everything": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				http.Redirect(rw, r, "/there"+r.URL.Path, http.StatusMovedPermanently)
				return true
			}
		}, "stopped after 10 redirects"},
		"redirects of a narinfo": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, ".narinfo") {
					return false
				}
				http.Redirect(rw, r, r.URL.Path, http.StatusTemporaryRedirect)
				return true
			}
		}, "stopped after 10 redirects"},
		"endless narinfo": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, ".narinfo") {
					return false
				}
				for n := 0; ; n += 64 << 10 {
					if _, err := rw.Write(bytes.Repeat([]byte("Sig: x\n"), 64<<10/7)); err != nil {
						return true
					}
					if n > 64<<20 {
						t.Error("64 MB of a narinfo were taken")
						return true
					}
				}
			}
		}, "longer than"},
		"a link and a folder of one name": {func(t *testing.T, w *world) {
			link := []string{"entry", "(", "name", "a", "node", "(", "type", "symlink", "target", "/tmp", ")", ")"}
			folder := []string{"entry", "(", "name", "a", "node", "(", "type", "directory"}
			w.archive(t, w.leaf, directory(link, append(append(folder, file("evil")...), ")", ")")))
		}, "not sorted"},
		"compressed bomb of 10 GB": {func(t *testing.T, w *world) {
			piece := zstdOf(t, make([]byte, 16<<20))
			bomb := append(zstdOf(t, binary.LittleEndian.AppendUint64(tokens("nix-archive-1", "(", "type", "regular", "contents"), 10<<30)), bytes.Repeat(piece, 640)...)
			w.edit(t, w.leaf, true, func(i *narinfo.Info) {
				i.URL, i.Compression = "nar/bomb.nar.zst", "zstd"
				i.FileHash, i.FileSize = nixhash.Hash{}, int64(len(bomb))
			})
			if err := os.WriteFile(filepath.Join(w.dir, "nar/bomb.nar.zst"), bomb, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "longer than the announced"},
		"bomb of 10 GB": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.URL.Path, "/nar/") {
					return false
				}
				head := tokens("nix-archive-1", "(", "type", "regular", "contents")
				rw.Write(binary.LittleEndian.AppendUint64(head, 10<<30))
				zero := make([]byte, 1<<20)
				for sent.Store(0); sent.Load() < 10<<30; sent.Add(1 << 20) {
					if _, err := rw.Write(zero); err != nil {
						break
					}
				}
				if sent.Load() > 64<<20 {
					t.Errorf("%d bytes of the bomb were taken", sent.Load())
				}
				return true
			}
		}, "announced"},
		"silence": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/nar/") {
					rw.Write(tokens("nix-archive-1"))
					rw.(http.Flusher).Flush()
					select {
					case <-stop:
					case <-r.Context().Done():
					}
					return true
				}
				return false
			}
		}, "stalled"},
		"gone": {func(t *testing.T, w *world) { os.RemoveAll(w.dir + "/nar") }, "does not exist in binary cache"},
		"no cache at all": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool { http.NotFound(rw, r); return true }
		}, "does not appear to be a binary cache"},
		"dies": {func(t *testing.T, w *world) {
			w.handler = func(rw http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, ".narinfo") {
					panic(http.ErrAbortHandler)
				}
				return false
			}
		}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			keys := w.keys()
			attack.prepare(t, w)
			s := openStore(t)
			warned := make(chan string, 1000)
			sub := New(s, Options{
				Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: keys,
				Events: Events{Warn: func(text string) { warned <- text }},
			})
			failed := sub.Fetch(t.Context(), []storepath.Path{w.top})
			if failed[w.top] == nil {
				t.Errorf("the object was taken")
			}
			close(warned)
			var all []string
			for text := range warned {
				all = append(all, text)
			}
			if !strings.Contains(strings.Join(all, "\n"), attack.want) {
				t.Errorf("warnings %q, want one with %q", all, attack.want)
			}
			wantSound(t, s)
			if _, err := os.Lstat(filepath.Dir(s.Dir()) + "/evil"); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a file outside of the store")
			}
			// What the next source has is taken.
			good := newWorld(t)
			sub = New(s, Options{
				Sources: []binarycache.Source{w.cache(t, w.url+"?priority=1"), good.cache(t, good.url)},
				Keys:    signature.Keys{"test-1": good.key.Public()},
			})
			if name == "mis-signed" || strings.HasPrefix(name, "redirects") || name == "endless narinfo" {
				w.handler = nil
			}
			if failed := sub.Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
				t.Error(failed)
			}
			wantSound(t, s)
		})
	}
}
