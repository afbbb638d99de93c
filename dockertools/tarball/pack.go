package tarball

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync/atomic"

	"gonix/dockertools/image"
)

const (
	// pieceSize is what compressor and hasher are handed at a time.
	pieceSize = 512 << 10
	// piecesAhead bounds what waits between two stages.
	piecesAhead = 8
)

// Packed is what [Pack] wrote.
type Packed struct {
	// Digest and Size are of the bytes written.
	Digest image.Digest
	Size   int64
	// DiffID and UnpackedSize are of the tar before compression.
	DiffID       image.Digest
	UnpackedSize int64
}

// Pack writes what fill produces to w, compressed by c on the given number of
// cores, and hashes both sides on the way. The bytes written do not depend on
// cores, nor on the sizes in which fill writes.
func Pack(ctx context.Context, w io.Writer, c Compression, cores int, fill func(context.Context, io.Writer) error) (Packed, error) {
	out := newStage(w, sha256.New())
	if c.open == nil {
		err := fill(ctx, guarded{out, out})
		if e := out.close(); e != nil {
			err = e
		}
		d := out.digest()
		return Packed{Digest: d, Size: out.size, DiffID: d, UnpackedSize: out.size}, err
	}
	zw, err := c.open(out, cores)
	if err != nil {
		out.close()
		return Packed{}, err
	}
	in := newStage(zw, sha256.New())
	err = fill(ctx, guarded{in, out})
	for _, end := range []func() error{in.close, zw.Close, out.close} {
		// What stopped a later stage is the cause of trouble in an earlier one.
		if e := end(); e != nil {
			err = e
		}
	}
	return Packed{Digest: out.digest(), Size: out.size, DiffID: in.digest(), UnpackedSize: in.size}, err
}

// errStopped ends filling once the output has failed.
var errStopped = errors.New("output failed")

// guarded is w until out has failed.
type guarded struct {
	w   io.Writer
	out *stage
}

func (g guarded) Write(p []byte) (int, error) {
	if g.out.failed.Load() {
		return 0, errStopped
	}
	return g.w.Write(p)
}

// stage hands what is written to it in pieces of one size to a writer and to a
// hash, each in a goroutine of its own.
type stage struct {
	piece  []byte
	size   int64
	sum    hash.Hash
	hashed chan []byte
	wrote  chan []byte
	free   chan []byte
	result chan error
	ended  chan struct{}
	failed atomic.Bool
}

func newStage(w io.Writer, sum hash.Hash) *stage {
	s := &stage{
		piece:  make([]byte, 0, pieceSize),
		sum:    sum,
		hashed: make(chan []byte, piecesAhead),
		wrote:  make(chan []byte, piecesAhead),
		free:   make(chan []byte, piecesAhead+2),
		result: make(chan error, 1),
		ended:  make(chan struct{}),
	}
	go func() {
		defer close(s.ended)
		defer close(s.wrote)
		for p := range s.hashed {
			s.sum.Write(p)
			s.wrote <- p
		}
	}()
	go func() {
		var err error
		for p := range s.wrote {
			if err == nil {
				if _, err = w.Write(p); err != nil {
					s.failed.Store(true)
				}
			}
			select {
			case s.free <- p[:0]:
			default:
			}
		}
		s.result <- err
	}()
	return s
}

// Write implements [io.Writer]; errors of the writer behind show when the
// stage is closed.
func (s *stage) Write(p []byte) (int, error) {
	n := len(p)
	s.size += int64(n)
	for len(p) > 0 {
		k := min(len(p), pieceSize-len(s.piece))
		s.piece = append(s.piece, p[:k]...)
		p = p[k:]
		if len(s.piece) == pieceSize {
			s.send()
		}
	}
	return n, nil
}

func (s *stage) send() {
	s.hashed <- s.piece
	select {
	case s.piece = <-s.free:
	default:
		s.piece = make([]byte, 0, pieceSize)
	}
}

func (s *stage) close() error {
	if len(s.piece) > 0 {
		s.send()
	}
	close(s.hashed)
	<-s.ended
	return <-s.result
}

// digest is valid once the stage is closed.
func (s *stage) digest() image.Digest { return image.FromSHA256(s.sum.Sum(nil)) }
