package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ReplaceNAR is [Local.AddNAR] for an object that is valid and whose content is
// damaged or lost: what the archive holds takes its place in one step, once its
// hash and size are right, and info replaces what is registered. If anything is
// wrong with the archive, all stays as it is. (Nix: addToStore with Repair)
func (s *Local) ReplaceNAR(ctx context.Context, info Info, r io.Reader) error {
	if err := s.replaceNAR(ctx, info, r); err != nil {
		return fmt.Errorf("replace '%s' in the store: %w", info.Path, err)
	}
	return nil
}

func (s *Local) replaceNAR(ctx context.Context, info Info, r io.Reader) error {
	if err := s.TempRoot(info.Path); err != nil {
		return err
	}
	if err := s.MakeRoom(ctx); err != nil {
		return err
	}
	lock, err := s.Lock(ctx, info.Path)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	_, real, err := s.Scratch(info.Path)
	if err != nil {
		return err
	}
	defer RemoveTree(real)
	registered, err := restoreNAR(ctx, real, info, r)
	if err == nil {
		err = Canonicalise(real)
	}
	if err == nil {
		err = Replace(real, s.RealPath(info.Path))
	}
	if err == nil {
		err = s.Register(ctx, []Info{*registered})
	}
	return err
}

// Replace moves a canonical tree to where another one is, in one step, and
// deletes that. There need not be another one.
func Replace(from, to string) error {
	if _, err := os.Lstat(to); errors.Is(err, os.ErrNotExist) {
		return Move(from, to)
	}
	// A directory that moves must be writable, as its entry ".." changes.
	for _, dir := range []string{from, to} {
		if info, err := os.Lstat(dir); err != nil {
			return err
		} else if info.IsDir() {
			if err := os.Chmod(dir, 0o755); err != nil {
				return err
			}
		}
	}
	if err := exchange(from, to); err != nil {
		return err
	}
	if err := Canonicalise(to); err != nil {
		return err
	}
	_, err := RemoveTree(from)
	return err
}

// Move renames a canonical tree. A directory must be writable for that, and
// becomes canonical again.
func Move(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return os.Rename(from, to)
	}
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := os.Chmod(to, 0o555); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// exchange swaps two names, on systems that cannot by way of a third.
func exchange(a, b string) error {
	if err := exchangeNames(a, b); err == nil {
		return nil
	}
	third := filepath.Join(filepath.Dir(a), "."+filepath.Base(b)+".old")
	if err := os.Rename(b, third); err != nil {
		return err
	}
	if err := os.Rename(a, b); err != nil {
		return errors.Join(err, os.Rename(third, b))
	}
	return os.Rename(third, a)
}
