package nar

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxTag is more than the length of any tag and little enough for a message.
const maxTag = 1024

func badTag(want, got string) error {
	return fmt.Errorf("%w: expected tag '%s', got '%s'", ErrFormat, want, got)
}

// decoder reads tokens through one buffer; buf[r0:r1] is unread, and
// buf[teed:r0] was read but has not gone to tee yet.
type decoder struct {
	r            io.Reader
	tee          io.Writer
	buf          []byte
	teed, r0, r1 int
	base         int64 // where in the archive buf begins
}

// fill makes at least one byte available.
func (d *decoder) fill() error {
	if d.r0 < d.r1 {
		return nil
	}
	if err := d.drain(); err != nil {
		return err
	}
	if d.r1 == len(d.buf) && d.r1 < largeBuffer {
		d.buf = make([]byte, largeBuffer)
	}
	d.base += int64(d.r1)
	d.teed, d.r0, d.r1 = 0, 0, 0
	for range 100 {
		n, err := d.r.Read(d.buf)
		d.r1 = n
		if n > 0 {
			return nil
		}
		if err == io.EOF {
			return fmt.Errorf("%w: %w", ErrFormat, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// drain gives the tee what was read so far.
func (d *decoder) drain() error {
	if d.tee == nil || d.teed == d.r0 {
		return nil
	}
	p := d.buf[d.teed:d.r0]
	d.teed = d.r0
	_, err := d.tee.Write(p)
	return err
}

// chunk returns at least one and at most limit unread bytes without consuming
// them.
func (d *decoder) chunk(limit int64) ([]byte, error) {
	if err := d.fill(); err != nil {
		return nil, err
	}
	p := d.buf[d.r0:d.r1]
	if int64(len(p)) > limit {
		p = p[:limit]
	}
	return p, nil
}

func (d *decoder) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	chunk, err := d.chunk(int64(len(p)))
	n := copy(p, chunk)
	d.r0 += n
	return n, err
}

func (d *decoder) full(p []byte) error {
	for len(p) > 0 {
		n, err := d.read(p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (d *decoder) skip(n int64) error {
	for n > 0 {
		chunk, err := d.chunk(n)
		if err != nil {
			return err
		}
		d.r0 += len(chunk)
		n -= int64(len(chunk))
	}
	return nil
}

func (d *decoder) uint64() (uint64, error) {
	var b [8]byte
	if err := d.full(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

func (d *decoder) padding(size int64) error {
	var b [8]byte
	p := b[:-size&7]
	if err := d.full(p); err != nil {
		return err
	}
	for _, c := range p {
		if c != 0 {
			return fmt.Errorf("%w: non-zero padding", ErrFormat)
		}
	}
	return nil
}

// string reads a string of at most limit bytes.
func (d *decoder) string(limit int) (string, error) {
	n, err := d.uint64()
	if err != nil {
		return "", err
	}
	if n > uint64(limit) {
		return "", fmt.Errorf("%w: string is too long", ErrFormat)
	}
	var s string
	if int(n) <= d.r1-d.r0 {
		s = tag(d.buf[d.r0 : d.r0+int(n)])
		d.r0 += int(n)
	} else {
		p := make([]byte, n)
		if err := d.full(p); err != nil {
			return "", err
		}
		s = string(p)
	}
	return s, d.padding(int64(n))
}

// tag is string(p) without an allocation for the words of the format.
func tag(p []byte) string {
	switch string(p) {
	case "(":
		return "("
	case ")":
		return ")"
	case "entry":
		return "entry"
	case "name":
		return "name"
	case "node":
		return "node"
	case "type":
		return "type"
	case "regular":
		return "regular"
	case "contents":
		return "contents"
	case "directory":
		return "directory"
	}
	return string(p)
}

func (d *decoder) expect(want string) error {
	got, err := d.string(maxTag)
	if err != nil {
		return err
	}
	if got != want {
		return badTag(want, got)
	}
	return nil
}
