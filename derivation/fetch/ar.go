package fetch

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// arReader reads the ar archives that Debian packages are (deb(5)): common
// headers, short names, no symbol tables.
type arReader struct {
	r    io.Reader
	body *io.LimitedReader
	pad  bool
	head bool
}

func newArReader(r io.Reader) *arReader { return &arReader{r: r} }

// next returns the next member; its body is valid until the next call.
func (a *arReader) next() (name string, body io.Reader, err error) {
	if !a.head {
		var magic [8]byte
		if _, err := io.ReadFull(a.r, magic[:]); err != nil || string(magic[:]) != "!<arch>\n" {
			return "", nil, errors.New("not an ar archive")
		}
		a.head = true
	}
	if a.body != nil {
		skip := a.body.N
		if a.pad {
			skip++
		}
		if n, err := io.CopyN(io.Discard, a.r, skip); err != nil && !(err == io.EOF && n == skip-1 && a.pad) {
			return "", nil, fmt.Errorf("ar archive ends early: %w", io.ErrUnexpectedEOF)
		}
	}
	var h [60]byte
	switch _, err := io.ReadFull(a.r, h[:]); {
	case err == io.EOF:
		return "", nil, io.EOF
	case err != nil:
		return "", nil, fmt.Errorf("ar archive ends early: %w", err)
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(h[48:58])), 10, 64)
	if err != nil || size < 0 || string(h[58:]) != "`\n" {
		return "", nil, errors.New("ar archive has a damaged header")
	}
	a.body, a.pad = &io.LimitedReader{R: a.r, N: size}, size%2 == 1
	return strings.TrimSuffix(strings.TrimSpace(string(h[:16])), "/"), a.body, nil
}
