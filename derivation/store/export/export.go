// Package export carries store objects from one store to another in one stream:
// that of nix-store --export and --import. For each object, references first, it
// holds the number 1, the archive, a magic number, the path, the references and
// the deriver; 0 ends it. Numbers are 64 bits, the lowest byte first; strings have
// their length before them and are padded to 8 bytes. (Nix: exportPaths,
// importPaths)
package export

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

const (
	magic = 0x4558494e
	// maxString bounds paths; maxReferences what one object may refer to.
	maxString     = 4096
	maxReferences = 1 << 20
)

// ErrFormat is wrapped by errors about streams that are none.
var ErrFormat = errors.New("input doesn't look like something created by 'nix-store --export'")

// Write writes the objects at paths, not their closures. An object that has
// changed since it was registered is an error.
func Write(ctx context.Context, w io.Writer, st *store.Local, paths []storepath.Path) error {
	sorted, err := store.TopoSort(ctx, st, paths)
	if err != nil {
		return err
	}
	for _, p := range sorted {
		if err := writeOne(ctx, w, st, p); err != nil {
			return fmt.Errorf("export '%s': %w", p, err)
		}
	}
	return number(w, 0)
}

func writeOne(ctx context.Context, w io.Writer, st *store.Local, p storepath.Path) error {
	info, err := st.Info(ctx, p)
	if err != nil {
		return err
	}
	if err := number(w, 1); err != nil {
		return err
	}
	sha := nixhash.SHA256.New()
	if err := nar.Dump(io.MultiWriter(w, sha, ender{ctx}), st.RealPath(p)); err != nil {
		return err
	}
	if got := nixhash.Of(nixhash.SHA256, sha); !got.Equal(info.NarHash) {
		return fmt.Errorf("hash of path '%s' has changed from '%s' to '%s'!", p, info.NarHash.Prefixed32(), got.Prefixed32())
	}
	var b bytes.Buffer
	number(&b, magic)
	text(&b, p.String())
	number(&b, uint64(len(info.References)))
	for _, r := range info.References {
		text(&b, r.String())
	}
	text(&b, info.Deriver.String())
	number(&b, 0) // no signature of the old kind
	_, err = w.Write(b.Bytes())
	return err
}

// ender ends a stream when its context ends.
type ender struct{ ctx context.Context }

func (e ender) Write(p []byte) (int, error) { return len(p), e.ctx.Err() }

// Read adds the objects in r to the store and calls each for every one that is
// valid then. Memory does not depend on their sizes: an object is restored in a
// temporary directory of the store until its path is known.
func Read(ctx context.Context, r io.Reader, st *store.Local, each func(storepath.Path)) error {
	in := &stream{r: r}
	for {
		switch n, err := in.number(); {
		case err != nil:
			return fmt.Errorf("import: %w", err)
		case n == 0:
			return nil
		case n != 1:
			return fmt.Errorf("import: %w", ErrFormat)
		}
		p, err := readOne(ctx, in, st)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		each(p)
	}
}

func readOne(ctx context.Context, in *stream, st *store.Local) (storepath.Path, error) {
	temp, err := st.TempDir()
	if err != nil {
		return storepath.Path{}, err
	}
	defer temp.Remove()
	tree := temp.Path() + "/object"
	sha := nixhash.SHA256.New()
	size := &counter{ctx: ctx}
	archive := nar.NewTeeReader(in, io.MultiWriter(size, sha))
	if err := archive.Restore(tree); err != nil {
		return storepath.Path{}, err
	}
	in.unread(archive.Buffered())
	info, err := in.info()
	if err != nil {
		return storepath.Path{}, err
	}
	info.NarHash, info.NarSize = nixhash.Of(nixhash.SHA256, sha), size.n
	return info.Path, st.AddRestored(ctx, *info, tree)
}

type counter struct {
	ctx context.Context
	n   int64
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), c.ctx.Err()
}

// info reads what follows an archive.
func (in *stream) info() (*store.Info, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	if n != magic {
		return nil, errors.New("Nix archive cannot be imported; wrong format")
	}
	info := &store.Info{}
	if info.Path, err = in.path(); err != nil {
		return nil, err
	}
	count, err := in.number()
	if err != nil {
		return nil, err
	}
	if count > maxReferences {
		return nil, fmt.Errorf("'%s' has %d references: %w", info.Path, count, ErrFormat)
	}
	for range count {
		ref, err := in.path()
		if err != nil {
			return nil, err
		}
		info.References = append(info.References, ref)
	}
	slices.SortFunc(info.References, storepath.Compare)
	info.References = slices.Compact(info.References)
	deriver, err := in.text()
	if err != nil {
		return nil, err
	}
	if deriver != "" {
		if info.Deriver, err = storepath.Parse(deriver); err != nil {
			return nil, err
		}
	}
	signed, err := in.number()
	if err == nil && signed == 1 {
		_, err = in.text()
	}
	return info, err
}

// number writes a number.
func number(w io.Writer, n uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	_, err := w.Write(b[:])
	return err
}

// text writes a string; w is a buffer.
func text(w *bytes.Buffer, s string) {
	number(w, uint64(len(s)))
	w.WriteString(s)
	w.Write(make([]byte, -len(s)&7))
}

// stream is what is read; the archive's reader may have read too far.
type stream struct {
	r    io.Reader
	back []byte
}

// Read reads what was given back first.
func (in *stream) Read(p []byte) (int, error) {
	if len(in.back) > 0 {
		n := copy(p, in.back)
		in.back = in.back[n:]
		return n, nil
	}
	return in.r.Read(p)
}

func (in *stream) unread(p []byte) { in.back = append(bytes.Clone(p), in.back...) }

func (in *stream) number() (uint64, error) {
	var b [8]byte
	if err := in.full(b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

func (in *stream) full(p []byte) error {
	_, err := io.ReadFull(in, p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (in *stream) text() (string, error) {
	n, err := in.number()
	if err != nil {
		return "", err
	}
	if n > maxString {
		return "", fmt.Errorf("a string of %d bytes: %w", n, ErrFormat)
	}
	b := make([]byte, n+(-n&7))
	if err := in.full(b); err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func (in *stream) path() (storepath.Path, error) {
	s, err := in.text()
	if err != nil {
		return storepath.Path{}, err
	}
	return storepath.Parse(s)
}
