package nar

import (
	"errors"
	"fmt"
	"io"
)

// Reader takes an archive apart, entry by entry.
type Reader struct {
	d     decoder
	state state
	left  int64    // content of the current file that was not yet read
	size  int64    // size of the current file
	dirs  []string // last name seen in each open directory
	path  []byte   // path of the current entry
	ends  []int    // length of path for each open directory
	err   error
}

// state is what the archive must go on with.
type state byte

const (
	atStart   state = iota
	atContent       // inside a file, padding and ")" to follow
	atNodeEnd       // a node below the root is complete; the entry's ")" follows
	atEntry         // inside a directory
	atEnd
)

// NewReader returns a Reader of the archive that r yields. It reads ahead: what
// it took from r beyond the end of the archive is in [Reader.Buffered].
func NewReader(r io.Reader) *Reader {
	return &Reader{d: decoder{r: r, buf: make([]byte, smallBuffer)}}
}

// NewTeeReader returns a Reader that also writes to w the bytes of the archive,
// exactly those, in order; all have been written when [Reader.Next] returns
// [io.EOF].
func NewTeeReader(r io.Reader, w io.Writer) *Reader {
	nr := NewReader(r)
	nr.d.tee = w
	return nr
}

// Buffered returns the bytes that were read beyond the end of the archive. It is
// valid after Next has returned [io.EOF].
func (r *Reader) Buffered() []byte { return r.d.buf[r.d.r0:r.d.r1] }

// Next returns the next entry, the root first, and [io.EOF] after the last one.
// What was not read of a file's content is skipped.
func (r *Reader) Next() (*Header, error) {
	if r.err != nil {
		return nil, r.err
	}
	h, err := r.next()
	if err == nil && h == nil {
		err = r.d.drain()
		if err == nil {
			err = io.EOF
		}
	}
	if err != nil {
		r.err = err
		return nil, err
	}
	return h, nil
}

// next returns nil at the end of the archive.
func (r *Reader) next() (*Header, error) {
	for {
		switch r.state {
		case atStart:
			if s, err := r.d.string(len(magic)); err != nil || s != magic {
				if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, io.ErrUnexpectedEOF) {
					return nil, err
				}
				return nil, fmt.Errorf("%w: input doesn't look like a Nix archive", ErrFormat)
			}
			return r.node("")
		case atContent:
			if err := r.d.skip(r.left); err != nil {
				return nil, err
			}
			r.left = 0
			if err := r.d.padding(r.size); err != nil {
				return nil, err
			}
			if err := r.d.expect(")"); err != nil {
				return nil, err
			}
			r.endNode()
		case atNodeEnd:
			if err := r.d.expect(")"); err != nil {
				return nil, err
			}
			r.state = atEntry
		case atEntry:
			tag, err := r.d.string(maxTag)
			if err != nil {
				return nil, err
			}
			switch tag {
			case ")":
				r.dirs = r.dirs[:len(r.dirs)-1]
				r.ends = r.ends[:len(r.ends)-1]
				r.endNode()
			case "entry":
				return r.entry()
			default:
				return nil, badTag("entry' or ')", tag)
			}
		case atEnd:
			return nil, nil
		}
	}
}

func (r *Reader) endNode() {
	if len(r.dirs) == 0 {
		r.state = atEnd
		return
	}
	r.state = atNodeEnd
}

// entry reads the name of a directory entry and the head of its node.
func (r *Reader) entry() (*Header, error) {
	if err := r.d.expect("("); err != nil {
		return nil, err
	}
	if err := r.d.expect("name"); err != nil {
		return nil, err
	}
	name, err := r.d.string(maxPath)
	if err != nil {
		return nil, err
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	last := &r.dirs[len(r.dirs)-1]
	if name <= *last {
		return nil, fmt.Errorf("%w: NAR directory is not sorted", ErrFormat)
	}
	*last = name
	r.path = r.path[:r.ends[len(r.ends)-1]]
	if len(r.path) > 0 {
		r.path = append(r.path, '/')
	}
	r.path = append(r.path, name...)
	if len(r.path) > maxPath {
		return nil, fmt.Errorf("%w: a path is longer than %d bytes", ErrFormat, maxPath)
	}
	if err := r.d.expect("node"); err != nil {
		return nil, err
	}
	return r.node(string(r.path))
}

// node reads a node up to its content.
func (r *Reader) node(path string) (*Header, error) {
	if err := r.d.expect("("); err != nil {
		return nil, err
	}
	if err := r.d.expect("type"); err != nil {
		return nil, err
	}
	typ, err := r.d.string(maxTag)
	if err != nil {
		return nil, err
	}
	h := &Header{Path: path}
	switch typ {
	case "regular":
		h.Type = Regular
		tag, err := r.d.string(maxTag)
		if err != nil {
			return nil, err
		}
		if tag == "executable" {
			h.Executable = true
			if s, err := r.d.string(maxTag); err != nil {
				return nil, err
			} else if s != "" {
				return nil, fmt.Errorf("%w: executable marker has non-empty value", ErrFormat)
			}
			if tag, err = r.d.string(maxTag); err != nil {
				return nil, err
			}
		}
		if tag != "contents" {
			return nil, badTag("contents", tag)
		}
		n, err := r.d.uint64()
		if err != nil {
			return nil, err
		}
		if n > 1<<62 {
			return nil, fmt.Errorf("%w: file of %d bytes", ErrFormat, n)
		}
		h.Size, h.Offset = int64(n), r.d.base+int64(r.d.r0)
		r.left, r.size, r.state = h.Size, h.Size, atContent
	case "directory":
		h.Type = Directory
		r.dirs = append(r.dirs, "")
		r.ends = append(r.ends, len(path))
		r.state = atEntry
	case "symlink":
		h.Type = Symlink
		if err := r.d.expect("target"); err != nil {
			return nil, err
		}
		if h.Target, err = r.d.string(maxPath); err != nil {
			return nil, err
		}
		for i := range len(h.Target) {
			if h.Target[i] == 0 {
				return nil, fmt.Errorf("%w: symlink target contains a null byte", ErrFormat)
			}
		}
		if h.Target == "" {
			return nil, fmt.Errorf("%w: symlink target is empty", ErrFormat)
		}
		if err := r.d.expect(")"); err != nil {
			return nil, err
		}
		r.endNode()
	default:
		return nil, fmt.Errorf("%w: unknown file type '%s'", ErrFormat, typ)
	}
	return h, nil
}

// Read reads content of the current regular file and returns [io.EOF] at its
// end.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil && r.err != io.EOF {
		return 0, r.err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.d.read(p)
	r.left -= int64(n)
	if err != nil {
		r.err = err
	}
	return n, err
}

// WriteTo writes the rest of the current regular file to w.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	if r.err != nil && r.err != io.EOF {
		return 0, r.err
	}
	var total int64
	for r.left > 0 {
		chunk, err := r.d.chunk(r.left)
		if err != nil {
			r.err = err
			return total, err
		}
		n, err := w.Write(chunk)
		r.d.r0 += n
		r.left -= int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
