package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"gonix/derivation/nixbase32"
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
