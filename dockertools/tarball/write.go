package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// chunkSize is what is read from a file at a time.
	chunkSize = 256 << 10
	// chunksAhead bounds how far reading is ahead of writing: 8 MiB.
	chunksAhead = 32
)

// chunk is a piece of the file of the entry that is being written.
type chunk struct {
	data []byte
	// last says that no more of the file follows.
	last bool
	err  error
}

// Write writes entries as a tar in the given order. Files are read ahead of
// what is written, with bounded memory. A file that has another size than its
// entry says is an error.
func Write(ctx context.Context, w io.Writer, entries []Entry) error {
	ctx, cancel := context.WithCancel(ctx)
	filled := make(chan chunk, chunksAhead)
	free := make(chan []byte, chunksAhead+2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(filled)
		readAhead(ctx, entries, filled, free)
	}()
	defer func() { cancel(); <-done }()

	tw := tar.NewWriter(w)
	for i := range entries {
		if err := writeEntry(tw, &entries[i], filled, free); err != nil {
			if ctxErr := ctx.Err(); ctxErr != nil {
				err = ctxErr
			}
			return fmt.Errorf("pack /%s: %w", entries[i].Name, err)
		}
	}
	return tw.Close()
}

func writeEntry(tw *tar.Writer, e *Entry, filled <-chan chunk, free chan<- []byte) error {
	if err := tw.WriteHeader(header(e)); err != nil {
		return err
	}
	if e.Kind != Regular || e.Size == 0 {
		return nil
	}
	if e.Source == "" {
		_, err := tw.Write(e.Data)
		return err
	}
	for {
		c, ok := <-filled
		if !ok {
			return errors.New("reading ahead stopped")
		}
		if c.err != nil {
			return c.err
		}
		if _, err := tw.Write(c.data); err != nil {
			return err
		}
		select {
		case free <- c.data[:cap(c.data)]:
		default:
		}
		if c.last {
			return nil
		}
	}
}

// readAhead sends the bytes of each regular file of entries, in order.
func readAhead(ctx context.Context, entries []Entry, filled chan<- chunk, free <-chan []byte) {
	for i := range entries {
		e := &entries[i]
		if e.Kind != Regular || e.Size == 0 || e.Source == "" {
			continue
		}
		if err := readFile(ctx, e, filled, free); err != nil {
			select {
			case filled <- chunk{err: err}:
			case <-ctx.Done():
			}
			return
		}
	}
}

func readFile(ctx context.Context, e *Entry, filled chan<- chunk, free <-chan []byte) error {
	f, err := os.Open(e.Source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != e.Size {
		return fmt.Errorf("%s changed while it was packed: %d bytes, expected %d", e.Source, info.Size(), e.Size)
	}
	for left := e.Size; left > 0; {
		var buf []byte
		select {
		case buf = <-free:
		default:
			buf = make([]byte, chunkSize)
		}
		n, err := io.ReadFull(f, buf[:min(left, chunkSize)])
		if err != nil {
			return fmt.Errorf("read %s: %w", e.Source, err)
		}
		left -= int64(n)
		select {
		case filled <- chunk{data: buf[:n], last: left == 0}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// typeflags has the tar type of each kind.
var typeflags = [...]byte{
	Regular:     tar.TypeReg,
	Directory:   tar.TypeDir,
	Symlink:     tar.TypeSymlink,
	HardLink:    tar.TypeLink,
	CharDevice:  tar.TypeChar,
	BlockDevice: tar.TypeBlock,
	Fifo:        tar.TypeFifo,
}

// xattrRecord is what the pax record of an extended attribute begins with.
const xattrRecord = "SCHILY.xattr."

func header(e *Entry) *tar.Header {
	h := &tar.Header{
		Typeflag: typeflags[e.Kind],
		Name:     e.Name,
		Linkname: e.Target,
		Mode:     int64(e.Mode),
		Uid:      e.UID,
		Gid:      e.GID,
		Uname:    e.User,
		Gname:    e.Group,
		ModTime:  time.Unix(e.Time, 0),
	}
	switch e.Kind {
	case Regular:
		h.Size = e.Size
	case Directory:
		h.Name += "/"
	case CharDevice, BlockDevice:
		h.Devmajor, h.Devminor = int64(e.Major), int64(e.Minor)
	}
	if len(e.Xattrs) > 0 {
		h.PAXRecords = make(map[string]string, len(e.Xattrs))
		for k, v := range e.Xattrs {
			h.PAXRecords[xattrRecord+k] = v
		}
	}
	return h
}

// Piece is a part of a tar: Data, or the Size bytes of the file Source, which
// belongs to the store path Origin if that is not "".
type Piece struct {
	Data   []byte
	Source string
	Size   int64
	Origin string
}

// Pieces calls emit with the parts of the tar that [Write] makes of entries, in
// order, and reads no file.
func Pieces(entries []Entry, emit func(Piece) error) error {
	for i := range entries {
		e := &entries[i]
		head, err := encodedHeader(e)
		if err == nil {
			err = emit(Piece{Data: head})
		}
		if err == nil && e.Kind == Regular && e.Size > 0 {
			err = emit(Piece{Data: e.Data, Source: e.Source, Size: e.Size, Origin: e.Origin})
			if pad := -e.Size & (blockSize - 1); err == nil && pad > 0 {
				err = emit(Piece{Data: make([]byte, pad)})
			}
		}
		if err != nil {
			return fmt.Errorf("pack /%s: %w", e.Name, err)
		}
	}
	return emit(Piece{Data: make([]byte, 2*blockSize)})
}

// blockSize is the unit of a tar.
const blockSize = 512

// encodedHeader returns the blocks of a header alone.
func encodedHeader(e *Entry) ([]byte, error) {
	var buf bytes.Buffer
	err := tar.NewWriter(&buf).WriteHeader(header(e))
	return buf.Bytes(), err
}
