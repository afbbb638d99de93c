package substitute

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// nix runs a program of C++ Nix; config is added to its settings.
func nix(t *testing.T, config, program string, args ...string) string {
	t.Helper()
	full := os.Getenv("GONIX_TEST_FULL") == "1"
	file, err := exec.LookPath(program)
	if err != nil || !full {
		if full {
			t.Fatal(err)
		}
		t.Skipf("needs %s and GONIX_TEST_FULL=1", program)
	}
	cmd := exec.Command(file, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") }),
		"HOME="+t.TempDir(), "NIX_CONFIG=build-users-group =\nexperimental-features = nix-command\nsandbox = false\n"+config)
	out, err := cmd.Output()
	if err != nil {
		var stderr string
		if e, ok := err.(*exec.ExitError); ok {
			stderr = string(e.Stderr)
		}
		t.Fatalf("%s %v: %v\n%s", program, args, err, stderr)
	}
	return string(out)
}

// dump is the SHA-256 of an object's archive, as C++ Nix writes it.
func dump(t *testing.T, root string, p storepath.Path) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(nix(t, "", "nix-store", "--store", root, "--dump", root+p.String()))))
}

// sameClosures compares the closures of top in two stores.
func sameClosures(t *testing.T, a, b *store.Local, top storepath.Path) {
	t.Helper()
	closure, err := a.Closure(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Closure(t.Context(), top)
	if err != nil || !slices.Equal(closure, other) {
		t.Fatalf("closures %v and %v, %v", closure, other, err)
	}
	for _, p := range closure {
		if x, y := dump(t, a.Root(), p), dump(t, b.Root(), p); x != y {
			t.Errorf("%s has the hashes %s and %s", p, x, y)
		}
	}
	witness(t, b.Root())
}

func secretFile(t *testing.T, w *world) string {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(w.key.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// fill fetches what is in the cache of w.
func (w *world) fill(t *testing.T) *store.Local {
	s := openStore(t)
	if failed := New(s, Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()}).Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
		t.Fatal(failed)
	}
	return s
}

// TestFromNix takes over what C++ Nix wrote to a cache and signed.
func TestFromNix(t *testing.T) {
	w := newWorld(t)
	s := w.fill(t)
	for _, compression := range []string{"xz", "zstd", "bzip2", "gzip", "br", "none"} {
		t.Run(compression, func(t *testing.T) {
			dir := t.TempDir()
			key := secretFile(t, w)
			nix(t, "", "nix", "copy", "--store", s.Root(), "--to", "file://"+dir+"?compression="+compression+"&secret-key="+key, w.top.String())
			h := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer h.Close()
			into := openStore(t)
			sub := New(into, Options{Sources: []binarycache.Source{w.cache(t, h.URL)}, Keys: w.keys()})
			if failed := sub.Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
				t.Fatal(failed)
			}
			sameClosures(t, s, into, w.top)
		})
	}
}

// TestToNix lets C++ Nix take over what we wrote to a cache and signed.
func TestToNix(t *testing.T) {
	w := newWorld(t)
	s := w.fill(t)
	for _, params := range []string{"compression=xz", "compression=xz&parallel-compression=true", "compression=zstd", "compression=bzip2", "compression=gzip", "compression=br", "compression=none"} {
		t.Run(params, func(t *testing.T) {
			dir := t.TempDir()
			c := w.cache(t, "file://"+dir+"?"+params, w.key)
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
			trust := "trusted-public-keys = " + w.key.Public().String() + "\n"
			root := t.TempDir()
			nix(t, trust, "nix", "copy", "--store", root, "--from", "file://"+dir, w.top.String())
			sameClosures(t, s, reopen(t, root), w.top)
			h := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer h.Close()
			root = t.TempDir()
			nix(t, trust+"substituters = "+h.URL+"\n", "nix-store", "--store", root, "-r", w.top.String())
			sameClosures(t, s, reopen(t, root), w.top)
		})
	}
}

func reopen(t *testing.T, root string) *store.Local {
	s, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
