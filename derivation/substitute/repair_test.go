package substitute

import (
	"os"
	"strings"
	"testing"

	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// TestRepair: an object that has changed, or is lost, is fetched again; a cache
// that delivers something else changes nothing.
func TestRepair(t *testing.T) {
	w := newWorld(t)
	s := openStore(t)
	fresh := func() *Substituter {
		return New(s, Options{Sources: []binarycache.Source{w.cache(t, w.url)}, Keys: w.keys()})
	}
	if failed := fresh().Fetch(t.Context(), []storepath.Path{w.top}); len(failed) > 0 {
		t.Fatal(failed)
	}
	file := s.RealPath(w.mid)
	spoil := func() {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("spoilt"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spoil()
	if err := fresh().Repair(t.Context(), w.mid); err != nil {
		t.Fatal(err)
	}
	wantSound(t, s)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := fresh().Repair(t.Context(), w.mid); err != nil {
		t.Fatal(err)
	}
	wantSound(t, s)

	spoil()
	w.edit(t, w.mid, true, func(i *narinfo.Info) { i.NarHash = nixhash.Sum(nixhash.SHA256, nil) })
	if err := fresh().Repair(t.Context(), w.mid); err == nil || !strings.Contains(err.Error(), "hash mismatch") {
		t.Errorf("error %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "spoilt" {
		t.Errorf("it has become %q, %v", text, err)
	}
	other := storepath.MustParse("/nix/store/00000000000000000000000000000009-other")
	if err := fresh().Repair(t.Context(), other); err == nil || !strings.Contains(err.Error(), "no substituter has path") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(s.Dir())
	if err != nil || len(entries) != 4 { // with .links
		t.Errorf("the store has %v, %v", entries, err)
	}
}
