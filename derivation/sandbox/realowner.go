//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// giveAway hands the files of the root to whom entries say, for real. Files
// that stand for devices stay what they are.
func giveAway(root string, entries map[Ino]entry) error {
	return walkRoot(root, func(path string, ino Ino) error {
		e, ok := entries[ino]
		if !ok {
			return nil
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return fmt.Errorf("stat %s: %w", path, err)
		}
		if st.Uid == e.owner.UID && st.Gid == e.owner.GID {
			return nil
		}
		if err := os.Lchown(path, int(e.owner.UID), int(e.owner.GID)); err != nil {
			return fmt.Errorf("give a file to its owner: %w", err)
		}
		// That has cleared these bits.
		if st.Mode&setBits != 0 && st.Mode&unix.S_IFMT == unix.S_IFREG {
			if err := unix.Chmod(path, st.Mode&0o7777); err != nil {
				return fmt.Errorf("chmod %s: %w", path, err)
			}
		}
		return nil
	})
}

// takeBack returns to whom the files of the root belong for real, and puts
// files in the place of devices. Of what stood for a device before, entries
// tell.
func takeBack(root string, entries map[Ino]entry) ([]ownerEntry, error) {
	var rows []ownerEntry
	seen := map[Ino]bool{}
	replaced := map[Ino]string{} // devices, by what stands for them now
	err := walkRoot(root, func(path string, ino Ino) error {
		var st unix.Statx_t
		if err := statx(unix.AT_FDCWD, path, &st); err != nil {
			return fmt.Errorf("stat %s: %w", path, err)
		}
		o := Owner{UID: st.Uid, GID: st.Gid}
		switch uint32(st.Mode) & unix.S_IFMT {
		case unix.S_IFCHR, unix.S_IFBLK:
			o.Type, o.Rdev = uint32(st.Mode)&unix.S_IFMT, unix.Mkdev(st.Rdev_major, st.Rdev_minor)
			if other, ok := replaced[ino]; ok {
				return errors.Join(os.Remove(path), os.Link(other, path))
			}
			if err := standIn(path, uint32(st.Mode)&0o7777); err != nil {
				return fmt.Errorf("replace the device %s by a file: %w", path, err)
			}
			replaced[ino] = path
			if err := statx(unix.AT_FDCWD, path, &st); err != nil {
				return fmt.Errorf("stat %s: %w", path, err)
			}
			ino = inoOf(&st)
		case unix.S_IFREG:
			if e, ok := entries[ino]; ok && e.birth == birthOf(&st) {
				o.Type, o.Rdev = e.owner.Type, e.owner.Rdev
			}
		}
		if o != (Owner{}) && !seen[ino] {
			seen[ino] = true
			rows = append(rows, ownerEntry{ino.Dev, ino.Ino, o})
		}
		return nil
	})
	return rows, err
}

// standIn puts an empty file in the place of path.
func standIn(path string, mode uint32) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".device-")
	if err != nil {
		return err
	}
	err = f.Close()
	if err == nil {
		err = unix.Chmod(f.Name(), mode)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
