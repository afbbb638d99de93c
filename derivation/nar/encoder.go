package nar

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

const (
	smallBuffer = 16 << 10
	largeBuffer = 256 << 10
)

// encoder writes the tokens of an archive through one buffer. File contents are
// read straight into that buffer, so they are not copied on their way. The first
// error sticks.
type encoder struct {
	w   io.Writer
	buf []byte
	n   int
	err error
}

func newEncoder(w io.Writer) *encoder {
	return &encoder{w: w, buf: small.Get().(*[smallBuffer]byte)[:]}
}

// small and large are buffers of encoders that have ended.
var (
	small = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// end flushes, gives the buffer back and returns the first error. The encoder
// must not be used again.
func (e *encoder) end() error {
	e.flush()
	e.release()
	return e.err
}

func (e *encoder) release() {
	switch len(e.buf) {
	case smallBuffer:
		small.Put((*[smallBuffer]byte)(e.buf))
	case largeBuffer:
		large.Put((*[largeBuffer]byte)(e.buf))
	}
	e.buf = nil
}

// flush hands the buffer on. An archive that fills the small buffer gets a large
// one: most archives are small, and the large ones want few calls.
func (e *encoder) flush() {
	if e.err == nil && e.n > 0 {
		_, e.err = e.w.Write(e.buf[:e.n])
	}
	if e.n == len(e.buf) && e.n < largeBuffer {
		e.release()
		e.buf = large.Get().(*[largeBuffer]byte)[:]
	}
	e.n = 0
}

func (e *encoder) space() []byte {
	if e.n == len(e.buf) {
		e.flush()
	}
	return e.buf[e.n:]
}

func (e *encoder) bytes(p []byte) {
	for len(p) > 0 {
		n := copy(e.space(), p)
		e.n += n
		p = p[n:]
	}
}

func (e *encoder) raw(s string) {
	for len(s) > 0 {
		n := copy(e.space(), s)
		e.n += n
		s = s[n:]
	}
}

func (e *encoder) uint64(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	e.bytes(b[:])
}

func (e *encoder) pad(size int64) {
	const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"
	e.raw(zeros[:-size&7])
}

func (e *encoder) string(s string) {
	e.uint64(uint64(len(s)))
	e.raw(s)
	e.pad(int64(len(s)))
}

func (e *encoder) strings(ss ...string) {
	for _, s := range ss {
		e.string(s)
	}
}

// head writes everything of a node that comes before its contents.
func (e *encoder) head(h *Header) {
	e.strings("(", "type", h.Type.String())
	switch h.Type {
	case Regular:
		if h.Executable {
			e.strings("executable", "")
		}
		e.string("contents")
		e.uint64(uint64(h.Size))
	case Symlink:
		e.strings("target", h.Target, ")")
	}
}

// copy moves exactly size bytes from r into the archive, followed by padding.
func (e *encoder) copy(r io.Reader, size int64) error {
	for left := size; left > 0 && e.err == nil; {
		space := e.space()
		if int64(len(space)) > left {
			space = space[:left]
		}
		n, err := r.Read(space)
		e.n += n
		left -= int64(n)
		if left == 0 {
			break
		}
		if err == io.EOF {
			return fmt.Errorf("file became shorter while it was read: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
	}
	e.pad(size)
	return e.err
}
