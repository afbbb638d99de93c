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
	if len(candidates) == 0 {
		if err := nar.Dump(io.MultiWriter(&size, sha), path); err != nil {
			return Scan{}, err
		}
		return Scan{NarHash: nixhash.Of(nixhash.SHA256, sha), NarSize: size.n}, nil
	}
	// To hash takes longer than to read and to search together.
	scanner := refscan.NewScanner(candidates)
	hashing := newBeside(sha)
	err := nar.Dump(io.MultiWriter(&size, scanner, hashing), path)
	hashing.close()
	if err != nil {
		return Scan{}, err
	}
	return Scan{NarHash: nixhash.Of(nixhash.SHA256, sha), NarSize: size.n, References: scanner.Found()}, nil
}

// besideBlock is how many bytes are handed over at a time, of which besideBlocks
// may be under way.
const (
	besideBlock  = 256 << 10
	besideBlocks = 4
)

// beside hands what is written to it to a writer that works on another processor
// and never fails, such as a hash. Less than one block is not worth that.
type beside struct {
	w      io.Writer
	filled chan []byte // nil before the first block is full
	empty  chan []byte
	ended  chan struct{}
	block  []byte
}

func newBeside(w io.Writer) *beside { return &beside{w: w} }

// Write implements [io.Writer].
func (b *beside) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if cap(b.block) == len(b.block) {
			b.hand()
		}
		k := copy(b.block[len(b.block):cap(b.block)], p)
		b.block, p = b.block[:len(b.block)+k], p[k:]
	}
	return n, nil
}

// hand hands the block on, if there is one, and takes an empty one.
func (b *beside) hand() {
	if b.block == nil {
		b.block = make([]byte, 0, besideBlock)
		return
	}
	if b.filled == nil {
		b.filled, b.empty, b.ended = make(chan []byte, besideBlocks), make(chan []byte, besideBlocks), make(chan struct{})
		for range besideBlocks - 1 {
			b.empty <- make([]byte, 0, besideBlock)
		}
		go func() {
			defer close(b.ended)
			for block := range b.filled {
				b.w.Write(block)
				b.empty <- block[:0]
			}
		}()
	}
	b.filled <- b.block
	b.block = <-b.empty
}

// close waits until all is written.
func (b *beside) close() {
	if b.filled == nil {
		b.w.Write(b.block)
		return
	}
	b.filled <- b.block
	close(b.filled)
	<-b.ended
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
