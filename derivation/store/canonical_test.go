package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCanonicalise(t *testing.T) {
	dir := sampleTree(t)
	if err := errors.Join(
		os.Chmod(dir+"/sub/program", 0o4711|fs.ModeSetuid),
		os.Chmod(dir+"/sub/empty", 0o700|fs.ModeSetgid|fs.ModeSticky),
		os.Chmod(dir+"/skip", 0o444),
	); err != nil {
		t.Fatal(err)
	}
	attribute := unix.Lsetxattr(dir+"/skip", "user.test", []byte("x"), 0) == nil
	if err := Canonicalise(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		".": fs.ModeDir | 0o555, "sub": fs.ModeDir | 0o555, "sub/empty": fs.ModeDir | 0o555,
		"file": 0o444, "sub/same": 0o444, "sub/program": 0o555, "skip": 0o444,
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if mode := info.Mode(); mode.Type() != fs.ModeSymlink && mode != want[rel] {
			t.Errorf("%s has mode %v", rel, mode)
		}
		if info.ModTime().Unix() != 1 || info.ModTime().Nanosecond() != 0 {
			t.Errorf("%s has time %v", rel, info.ModTime())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Llistxattr(dir+"/skip", nil); attribute && (err != nil || n != 0) {
		t.Errorf("extended attributes: %d bytes, %v", n, err)
	}
	if err := Canonicalise(dir); err != nil {
		t.Errorf("second time: %v", err)
	}
	if _, err := RemoveTree(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after RemoveTree: %v", err)
	}
	if _, err := RemoveTree(dir); err != nil {
		t.Errorf("nothing to remove: %v", err)
	}
}

func TestCanonicaliseRefuses(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { RemoveTree(dir) })
	if err := unix.Mkfifo(dir+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	err := Canonicalise(dir)
	if err == nil || err.Error() != "file '"+dir+"/pipe' has an unsupported type" {
		t.Errorf("error %v", err)
	}
}

func TestRemoveTreeFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		os.MkdirAll(dir+"/keep/me", 0o755), os.MkdirAll(dir+"/go", 0o755),
		os.Symlink("../keep", dir+"/go/link"), os.Symlink("keep", dir+"/top"),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go", "top"} {
		if _, err := RemoveTree(dir + "/" + name); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir + "/keep/me"); err != nil {
		t.Error(err)
	}
}

// TestDeepTree makes a tree whose paths are longer than a path may be.
func TestDeepTree(t *testing.T) {
	top := t.TempDir()
	fd, err := unix.Open(top, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("d", 200)
	for range 40 {
		if err := unix.Mkdirat(fd, name, 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(fd, name, unix.O_DIRECTORY|unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		fd = next
	}
	unix.Close(fd)
	if _, err := RemoveTree(top + "/" + name); err != nil {
		t.Error(err)
	}
}
