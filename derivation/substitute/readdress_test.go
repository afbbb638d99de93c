package substitute

import (
	"io"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/binarycache"
	"gonix/derivation/storepath"
)

// TestReaddress makes a content-addressed copy of a chain, the top of which refers to
// itself. No key is trusted. The path is that which Nix 2.34 makes of the same cache.
func TestReaddress(t *testing.T) {
	w := newWorld(t)
	from := w.cache(t, w.url, w.key)
	into := openStore(t)
	top, err := Readdress(t.Context(), from, into, w.top)
	if err != nil {
		t.Fatal(err)
	}
	const want = "/nix/store/rq28dc43w3wvqynbp67gkscxh5264n6s-top"
	if top.String() != want {
		t.Errorf("got %s, want %s", top, want)
	}
	info, err := into.Info(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(info.CA, "fixed:r:sha256:") || len(info.References) != 2 || !slices.Contains(info.References, top) {
		t.Errorf("got content address %s, references %v", info.CA, info.References)
	}
	copied, err := binarycache.Objects{Local: into}.Info(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	r, err := binarycache.Objects{Local: into}.Open(t.Context(), copied, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	archive, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []storepath.Path{w.mid, w.top} {
		if strings.Contains(string(archive), old.HashPart()) {
			t.Errorf("the copy still names %s", old)
		}
	}
	again, err := Readdress(t.Context(), from, into, w.top)
	if err != nil || again != top {
		t.Errorf("again: %s, %v", again, err)
	}
}
