package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// TempDir is a directory in the store directory that collectors leave alone as
// long as this process lives: it is locked, and its name begins with "tmp-".
// (Nix: createTempDirInStore)
type TempDir struct{ lock *os.File }

// TempDir makes one.
func (s *Local) TempDir() (*TempDir, error) {
	if err := s.writable(); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		name := filepath.Join(s.dir, fmt.Sprintf("tmp-%d-%d", os.Getpid(), n))
		err := os.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) && n < 1<<20 {
			continue // that of another call, or of a dead process
		}
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // collected before it was locked
		}
		if err != nil {
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		ok, err := tryFlock(int(f.Fd()), unix.LOCK_EX)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		if here, e1 := f.Stat(); ok && e1 == nil {
			if there, e2 := os.Stat(name); e2 == nil && os.SameFile(here, there) {
				return &TempDir{f}, nil
			}
		}
		f.Close()
	}
}

// Path is the physical path of the directory.
func (t *TempDir) Path() string { return t.lock.Name() }

// Remove deletes the directory with what is in it.
func (t *TempDir) Remove() error {
	_, err := RemoveTree(t.lock.Name())
	return errors.Join(err, t.lock.Close())
}

// AddRestored makes the tree at path, which is on the store's file system, the
// object that info describes. If the object is valid already, nothing happens.
func (s *Local) AddRestored(ctx context.Context, info Info, path string) error {
	err := s.produce(ctx, info.Path, func(dest string) (*Info, error) {
		return &info, os.Rename(path, dest)
	})
	if err != nil {
		return fmt.Errorf("add '%s' to the store: %w", info.Path, err)
	}
	return nil
}
