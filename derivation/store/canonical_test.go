package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// unprivileged is the user as whom childUser runs if the tests run as root.
const unprivileged = 65534

// childUser works as an ordinary user below args[0], which that user owns;
// args[1] is the root of a store of someone else.
func childUser(args []string) error {
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(unprivileged), syscall.Setuid(unprivileged)); err != nil {
			return err
		}
	}
	dir := args[0]
	if err := errors.Join(os.MkdirAll(dir+"/a/b/c", 0o755), os.WriteFile(dir+"/a/b/f", nil, 0o644),
		os.Chmod(dir+"/a/b/c", 0), os.Chmod(dir+"/a/b", 0o700)); err != nil {
		return err
	}
	if err := Canonicalise(dir + "/a"); err != nil {
		return err
	}
	if _, err := RemoveTree(dir + "/a"); err != nil {
		return err
	}
	s, err := Open(dir+"/root", Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(dir+"/sources", 0o755), plantIn(dir+"/sources"), fill(s, dir+"/sources")); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	_, err = Open(args[1], Options{})
	want := fmt.Sprintf("open store '%[1]s': the store cannot be written: the directory '%[1]s/nix/var/nix/db' is not writable by this user: permission denied", args[1])
	if !errors.Is(err, ErrReadOnly) || err.Error() != want {
		return fmt.Errorf("someone else's store: %v\nwant %s", err, want)
	}
	if s, err = Open(args[1], Options{ReadOnly: true}); err != nil {
		return err
	}
	defer s.Close()
	all, err := s.All(context.Background())
	if err != nil || len(all) != 1 {
		return fmt.Errorf("someone else's store holds %v: %v", all, err)
	}
	if problems, err := s.Verify(context.Background(), true); err != nil || len(problems) > 0 {
		return fmt.Errorf("%v %v", problems, err)
	}
	if _, err := s.AddText(context.Background(), "x", "y", nil); !errors.Is(err, ErrReadOnly) {
		return fmt.Errorf("adding to it: %v", err)
	}
	if _, err := Open("/proc/nowhere", Options{}); err == nil {
		return errors.New("a store was made in /proc")
	}
	return nil
}

func TestOrdinaryUser(t *testing.T) {
	dir, err := os.MkdirTemp("", "gonix-store-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { RemoveTree(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(dir+"/mine", 0o755), os.Mkdir(dir+"/other", 0o755)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir+"/other", Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustText(t, s, "a", "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		err = os.Chown(dir+"/mine", unprivileged, unprivileged)
	} else {
		err = errors.Join(os.Chmod(dir+"/other/nix/var/nix/db", 0o555), os.Chmod(dir+"/other/nix/store", 0o555))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "user", dir+"/mine", dir+"/other")
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
