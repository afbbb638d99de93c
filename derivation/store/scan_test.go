package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"gonix/derivation/nar"
	"gonix/derivation/nixbase32"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// candidates makes n paths that depend on nothing but n.
func candidates(n int) []storepath.Path {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]storepath.Path, n)
	for i := range list {
		list[i] = storepath.MustParse(fmt.Sprintf("%s/%s-pkg", storepath.Dir, nixbase32.Encode(randomBytes(rng, 20))))
	}
	return list
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// TestScanAndHash: with and without candidates, and whatever the size, the hash is
// that of the archive.
func TestScanAndHash(t *testing.T) {
	list := candidates(3)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{0, 1, besideBlock - 1, besideBlock, 3*besideBlock + 7, 20 * besideBlock} {
		file := t.TempDir() + "/file"
		text := append(randomBytes(rng, size), list[1].HashPart()...)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		sum := nixhash.SHA256.New()
		if err := nar.Dump(sum, file); err != nil {
			t.Fatal(err)
		}
		want := nixhash.Of(nixhash.SHA256, sum)
		for _, candidates := range [][]storepath.Path{nil, list} {
			scan, err := ScanAndHash(context.Background(), file, candidates)
			if err != nil {
				t.Fatal(err)
			}
			if !scan.NarHash.Equal(want) {
				t.Errorf("%d bytes, %d candidates: hash %s, want %s", size, len(candidates), scan.NarHash, want)
			}
			if candidates != nil && !slices.Equal(scan.References, list[1:2]) {
				t.Errorf("%d bytes: references %v, want %v", size, scan.References, list[1:2])
			}
		}
	}
}

// BenchmarkHashAndScan reads a tree of 64 MB in 300 files, as large as a
// compiler's libraries, for its hash and its references.
func BenchmarkHashAndScan(b *testing.B) {
	dir := b.TempDir()
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 300 {
		size := 20 << 10
		if i%10 == 0 {
			size = 2 << 20
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%d", dir, i), randomBytes(rng, size), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	list := candidates(100)
	var size int64
	for b.Loop() {
		scan, err := ScanAndHash(context.Background(), dir, list)
		if err != nil {
			b.Fatal(err)
		}
		size = scan.NarSize
	}
	b.SetBytes(size)
}
