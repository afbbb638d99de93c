// Package registration reads and writes the text in which the validity of store
// objects travels: nix-store --dump-db and --load-db, --register-validity, and
// the exported reference graphs that builders get. For each object it has, a
// line each: the path, perhaps hash and size of the archive, the deriver or
// nothing, the number of references, the references. (Nix:
// makeValidityRegistration, decodeValidPathInfo)
package registration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Form says which lines there are.
type Form struct {
	Hash    bool // hash and size
	Deriver bool // the deriver's line is not left empty
}

// Append adds the lines of one object.
func Append(b []byte, info *store.Info, form Form) []byte {
	b = fmt.Appendf(b, "%s\n", info.Path)
	if form.Hash {
		b = fmt.Appendf(b, "%s\n%d\n", info.NarHash.Base16(), info.NarSize)
	}
	if form.Deriver {
		b = append(b, info.Deriver.String()...)
	}
	b = fmt.Appendf(b, "\n%d\n", len(info.References))
	for _, r := range info.References {
		b = fmt.Appendf(b, "%s\n", r)
	}
	return b
}

// Reader reads objects one by one.
type Reader struct {
	in   *bufio.Reader
	hash bool
	line int
}

// NewReader returns a Reader of a text with or without hashes.
func NewReader(r io.Reader, hash bool) *Reader { return &Reader{in: bufio.NewReader(r), hash: hash} }

// Next returns the next object; the error is io.EOF when there is none.
func (r *Reader) Next() (*store.Info, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	info := &store.Info{}
	if info.Path, err = storepath.Parse(text); err != nil {
		return nil, r.wrap(err)
	}
	if r.hash {
		if text, err = r.more(); err != nil {
			return nil, err
		}
		if info.NarHash, err = nixhash.Parse(text, nixhash.SHA256); err != nil {
			return nil, r.wrap(err)
		}
		if info.NarSize, err = r.number(); err != nil {
			return nil, err
		}
	}
	if text, err = r.more(); err != nil {
		return nil, err
	}
	if text != "" {
		if info.Deriver, err = storepath.Parse(text); err != nil {
			return nil, r.wrap(err)
		}
	}
	count, err := r.number()
	if err != nil {
		return nil, err
	}
	for range count {
		if text, err = r.more(); err != nil {
			return nil, err
		}
		ref, err := storepath.Parse(text)
		if err != nil {
			return nil, r.wrap(err)
		}
		info.References = append(info.References, ref)
	}
	return info, nil
}

func (r *Reader) text() (string, error) {
	text, err := r.in.ReadString('\n')
	r.line++
	if errors.Is(err, io.EOF) && text != "" {
		return "", r.wrap(io.ErrUnexpectedEOF)
	}
	return strings.TrimSuffix(text, "\n"), err
}

// more is text where the end would be an error.
func (r *Reader) more() (string, error) {
	text, err := r.text()
	if errors.Is(err, io.EOF) {
		return "", r.wrap(io.ErrUnexpectedEOF)
	}
	return text, err
}

func (r *Reader) number() (int64, error) {
	text, err := r.more()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, r.wrap(fmt.Errorf("'%s' is not a number", text))
	}
	return n, nil
}

func (r *Reader) wrap(err error) error {
	return fmt.Errorf("read registrations: line %d: %w", r.line, err)
}
