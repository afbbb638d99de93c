package binarycache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the Storage in a folder of this machine.
type File struct{ Dir string }

var (
	_ Storage = File{}
	_ adopter = File{}
)

// adopter is a Storage in which a file can be written in place, which saves
// copying it.
type adopter interface {
	// create makes a file without a name that counts.
	create() (*os.File, error)
	// adopt gives it one and closes it.
	adopt(f *os.File, name string) error
}

func (s File) path(name string) string { return filepath.Join(s.Dir, filepath.FromSlash(name)) }

// Open implements Storage.
func (s File) Open(_ context.Context, name string, offset int64) (*Object, error) {
	f, err := os.Open(s.path(name))
	if err != nil {
		return nil, &permanentError{err}
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("'%s' is not a regular file", f.Name())
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, &permanentError{err}
	}
	return &Object{Body: f, Offset: offset, Size: info.Size()}, nil
}

// Has implements Storage.
func (s File) Has(_ context.Context, name string) (bool, error) {
	_, err := os.Stat(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Put implements Storage.
func (s File) Put(_ context.Context, name string, content io.ReadSeeker, size int64, _ string) error {
	f, err := s.create()
	if err != nil {
		return err
	}
	n, err := io.Copy(f, content)
	if err == nil && n != size {
		err = fmt.Errorf("write '%s': %d bytes instead of %d", name, n, size)
	}
	if err != nil {
		discard(f)
		return err
	}
	return s.adopt(f, name)
}

// create puts the file where renaming is possible and no other name is taken.
func (s File) create() (*os.File, error) {
	dir := s.path("nar")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, ".tmp-*")
}

func (s File) adopt(f *os.File, name string) (err error) {
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = f.Chmod(0o644)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	target := s.path(name)
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

// discard closes and deletes a file.
func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}
