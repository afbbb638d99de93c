package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

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
