package tarball

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"gonix/derivation/regular"
)

// reportStep is how many bytes of a file are read between two reports.
const reportStep = 4 << 20

// Files returns what writes entries as a tar in the given order. A file that has
// another size than its entry says is an error. Unless report is nil it is told
// how many bytes were written each time.
func Files(entries []Entry, report func(bytes int64)) Fill {
	if report == nil {
		report = func(int64) {}
	}
	return func(ctx context.Context, w io.Writer) error {
		return Pieces(entries, func(p Piece) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if p.Source != "" {
				return copyFile(w, p.Source, p.Size, report)
			}
			_, err := w.Write(p.Data)
			report(int64(len(p.Data)))
			return err
		})
	}
}

// Write writes entries as a tar to w, reading files ahead.
func Write(ctx context.Context, w io.Writer, entries []Entry) error {
	_, err := Pack(ctx, w, Compressions[0], 1, Files(entries, nil))
	return err
}

func copyFile(w io.Writer, source string, size int64, report func(bytes int64)) error {
	f, err := regular.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != size {
		return fmt.Errorf("%s changed while it was packed: %d bytes, expected %d", source, info.Size(), size)
	}
	into, direct := w.(*filler)
	for left := size; left > 0; {
		n := min(left, reportStep)
		if direct {
			err = into.readFile(f, n)
		} else {
			_, err = io.CopyN(w, f, n)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", source, err)
		}
		left -= n
		report(n)
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
