package store

import (
	"context"
	"io"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/refscan"
	"gonix/derivation/storepath"
)

// Scan is what one pass over a tree tells.
type Scan struct {
	NarHash    nixhash.Hash
	NarSize    int64
	References []storepath.Path // candidates whose hash part occurs, sorted
}

// ScanAndHash reads the tree at path once, for the hash and size of its archive
// and for the candidates that it refers to.
func ScanAndHash(ctx context.Context, path string, candidates []storepath.Path) (Scan, error) {
	sha := nixhash.SHA256.New()
	size := counter{ctx: ctx}
	scanner := refscan.NewScanner(candidates)
	writers := []io.Writer{&size, sha}
	if len(candidates) > 0 {
		writers = append(writers, scanner)
	}
	if err := nar.Dump(io.MultiWriter(writers...), path); err != nil {
		return Scan{}, err
	}
	return Scan{NarHash: nixhash.Of(nixhash.SHA256, sha), NarSize: size.n, References: scanner.Found()}, nil
}

// counter counts bytes, and ends the stream when its context ends.
type counter struct {
	ctx context.Context
	n   int64
}

// Write adds the length of p.
func (c *counter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	c.n += int64(len(p))
	return len(p), nil
}
