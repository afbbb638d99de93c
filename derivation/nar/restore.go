package nar

import (
	"io"
	"os"
)

// Restore makes the tree that the archive r describes at dest, which must not
// exist. Modes follow the umask; only the executable bit comes from the archive.
// After an error, what was made so far is still there.
func Restore(r io.Reader, dest string) error {
	return NewReader(r).Restore(dest)
}

// Restore makes the tree at dest as the function of this name does and reads the
// archive to its end. Several files are written at a time.
func (r *Reader) Restore(dest string) error {
	var w treeWriter
	err := r.restore(dest, &w)
	// What writing says comes first: it was earlier in the archive.
	if e := w.wait(); e != nil {
		return e
	}
	return err
}

func (r *Reader) restore(dest string, w *treeWriter) error {
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		path := dest
		if h.Path != "" {
			path += "/" + h.Path
		}
		switch h.Type {
		case Directory:
			err = os.Mkdir(path, 0o777)
		case Symlink:
			err = os.Symlink(h.Target, path)
		case Regular:
			err = r.restoreFile(path, h, w)
		}
		if err != nil {
			return err
		}
	}
}

// restoreFile hands the file on in pieces.
func (r *Reader) restoreFile(path string, h *Header, w *treeWriter) error {
	f := &treeFile{path: path, mode: 0o666}
	if h.Executable {
		f.mode = 0o777
	}
	f.users.Store(1)
	defer w.done(f)
	for offset := int64(0); ; {
		data := w.buffer(h.Size - offset)
		n, err := io.ReadFull(r, data)
		if err != nil {
			return err
		}
		// The first piece makes the file, so nobody is to come before it.
		if offset == 0 && h.Size > int64(n) {
			if err := f.create(); err != nil {
				return err
			}
		}
		if err := w.write(f, data, offset); err != nil {
			return err
		}
		if offset += int64(n); offset == h.Size {
			return nil
		}
	}
}
