package store

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RemoveTree deletes what is at path, directories without write permission
// included, and returns how many bytes of disk that gives back (Nix: _deletePath,
// which counts links in the same way). It follows no
// symbolic link; a path that does not exist is no error.
func RemoveTree(path string) (freed int64, err error) {
	// What comes of an empty name must not be the working directory.
	if base := filepath.Base(path); base == "." || base == ".." || base == "/" {
		return 0, fmt.Errorf("delete '%s': it is no name of something in a directory", path)
	}
	parent, err := unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return 0, nil
	}
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: filepath.Dir(path), Err: err}
	}
	defer unix.Close(parent)
	r := remover{path: path}
	if err := r.remove(parent, filepath.Base(path)); err != nil {
		return r.freed, fmt.Errorf("delete '%s': %w", path, err)
	}
	return r.freed, nil
}

type remover struct {
	path  string
	freed int64
}

// remove works through directory descriptors: a tree may be deeper than the
// longest path, and nobody can swap a directory for a link under us.
func (r *remover) remove(dir int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if err == unix.ENOENT {
			return nil
		}
		return &os.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		if err := unix.Unlinkat(dir, name, 0); err != nil && err != unix.ENOENT {
			return &os.PathError{Op: "unlink", Path: name, Err: err}
		}
		// The second link of a file whose store is optimised is in .links, and
		// goes once nothing else is left.
		if st.Nlink <= 2 {
			r.freed += st.Blocks * 512
		}
		return nil
	}
	if st.Mode&0o700 != 0o700 {
		if err := unix.Fchmodat(dir, name, uint32(st.Mode)&0o7777|0o700, 0); err != nil {
			return &os.PathError{Op: "chmod", Path: name, Err: err}
		}
	}
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	names, err := f.Readdirnames(-1)
	for _, n := range names {
		if err == nil {
			err = r.remove(fd, n)
		}
	}
	f.Close()
	if err != nil {
		return err
	}
	if err := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return &os.PathError{Op: "rmdir", Path: name, Err: err}
	}
	r.freed += st.Blocks * 512
	return nil
}
