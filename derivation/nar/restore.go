package nar

import (
	"fmt"
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
// archive to its end.
func (r *Reader) Restore(dest string) error {
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
			err = r.restoreFile(path, h)
		}
		if err != nil {
			return err
		}
	}
}

func (r *Reader) restoreFile(path string, h *Header) error {
	mode := os.FileMode(0o666)
	if h.Executable {
		mode = 0o777
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := r.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	return nil
}
