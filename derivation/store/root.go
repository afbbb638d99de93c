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

	"golang.org/x/sys/unix"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// AddRoot makes link a symbolic link to the object at target and a root of the
// garbage collector, as long as the link exists and points there. A link to a
// store object is replaced in one step; anything else that is in the way stays,
// and is an error.
//
// The link points to the physical place, so that it can be followed. The root is
// an indirect one, as Nix has it: STATE/gcroots/auto/<hash of the link's path>
// points to the link. Nix's collector understands a link only if it names the
// logical path; in a store with a root directory of its own, a second entry below
// STATE/gcroots/gonix says to it what the link means.
func (s *Local) AddRoot(ctx context.Context, link string, target storepath.Path) error {
	if err := s.writable(); err != nil {
		return err
	}
	link, err := filepath.Abs(link)
	if err != nil {
		return err
	}
	if within(link, s.dir) || within(link, storepath.Dir) {
		return fmt.Errorf("creating a garbage collector root (%s) in the Nix store is forbidden (are you running nix-build inside the store?)", link)
	}
	if info, err := os.Lstat(link); err == nil {
		old := ""
		if info.Mode().Type() == fs.ModeSymlink {
			if old, err = os.Readlink(link); err != nil {
				return err
			}
		}
		if !inSomeStore(old) {
			return fmt.Errorf("cannot create symlink '%s'; already exists", link)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return unlinked(link, target, err)
	}
	// From here to the end a collection must not see half of it.
	if err := s.TempRoot(target); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
		return unlinked(link, target, err)
	}
	roots := filepath.Join(s.state, "gcroots")
	lock, err := s.lockRoots(ctx)
	if err != nil {
		return fmt.Errorf("add root: %w", err)
	}
	defer lock.Close()
	name := nixhash.Sum(nixhash.SHA1, []byte(link)).Base32()
	shadow := filepath.Join(roots, "gonix", name)
	real := s.RealPath(target)
	if real != target.String() {
		if err := replaceLink(shadow, target.String()); err != nil {
			return fmt.Errorf("add root: %w", err)
		}
	}
	if err := replaceLink(link, real); err != nil {
		return unlinked(link, target, err)
	}
	if err := replaceLink(filepath.Join(roots, "auto", name), link); err != nil {
		return fmt.Errorf("add root: %w", err)
	}
	if err := s.repeatTempRoot(target); err != nil {
		return fmt.Errorf("add root: %w", err)
	}
	return s.pruneRoots()
}

// lockRoots keeps other processes from working on STATE/gcroots/gonix until the
// returned file is closed.
func (s *Local) lockRoots(ctx context.Context) (*os.File, error) {
	dir := filepath.Join(s.state, "gcroots/gonix")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := s.pollFlock(ctx, f, unix.LOCK_EX, "lock on the garbage collector roots"); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// pruneRoots deletes the entries below STATE/gcroots/gonix whose links are gone
// or mean something else by now. The roots are locked.
func (s *Local) pruneRoots() error {
	shadows := filepath.Join(s.state, "gcroots/gonix")
	entries, err := os.ReadDir(shadows)
	if err != nil {
		return fmt.Errorf("prune roots: %w", err)
	}
	for _, e := range entries {
		if e.Type() != fs.ModeSymlink {
			continue
		}
		shadow := filepath.Join(shadows, e.Name())
		means, err := os.Readlink(shadow)
		if err != nil {
			continue
		}
		link, err := os.Readlink(filepath.Join(s.state, "gcroots/auto", e.Name()))
		var target string
		if err == nil {
			target, err = os.Readlink(link)
		}
		// A link on a disk that is not mounted now looks as if it were gone;
		// one that may not be looked at does not.
		if err == nil && s.LogicalFile(target) != means || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) {
			os.Remove(shadow)
		}
	}
	return nil
}

// PruneRoots is pruneRoots for collectors.
func (s *Local) PruneRoots(ctx context.Context) error {
	lock, err := s.lockRoots(ctx)
	if err != nil {
		return fmt.Errorf("prune roots: %w", err)
	}
	defer lock.Close()
	return s.pruneRoots()
}

// Roots returns the links that keep objects alive, with the objects, valid or
// not: those that the collector finds below STATE/gcroots and STATE/profiles.
func (s *Local) Roots() (map[string]storepath.Path, error) {
	roots := make(map[string]storepath.Path)
	for _, dir := range []string{"gcroots", "profiles"} {
		if err := s.findRoots(filepath.Join(s.state, dir), roots); err != nil {
			return nil, fmt.Errorf("find roots: %w", err)
		}
	}
	return roots, nil
}

func (s *Local) findRoots(dir string, roots map[string]storepath.Path) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return nil
			}
			return err
		}
		switch {
		case e.IsDir() && path == filepath.Join(s.state, "gcroots/gonix"):
			return fs.SkipDir // it repeats for Nix what gcroots/auto says
		case e.Type().IsRegular():
			// A file named after a store object is a root, too.
			if p, err := storepath.FromBase(e.Name()); err == nil {
				roots[path] = p
			}
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return nil
			}
			if s.addRoot(path, target, roots) {
				return nil
			}
			if next, err := os.Readlink(absolute(target, path)); err == nil {
				s.addRoot(absolute(target, path), next, roots)
			}
		}
		return nil
	})
}

// addRoot notes the root link if its target is in this store.
func (s *Local) addRoot(link, target string, roots map[string]storepath.Path) bool {
	p, _, err := storepath.Split(s.LogicalFile(target))
	if err != nil {
		return false
	}
	roots[link] = p
	return true
}

// absolute resolves a link's target against the directory of the link.
func absolute(target, link string) string {
	if filepath.IsAbs(target) {
		return target
	}
	return filepath.Join(filepath.Dir(link), target)
}

// replaceLink makes link point to target in one step.
func replaceLink(link, target string) error {
	if old, err := os.Readlink(link); err == nil && old == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	for n := range 1000 {
		temp := fmt.Sprintf("%s/.%s.tmp-%d-%d", filepath.Dir(link), filepath.Base(link), os.Getpid(), n)
		err := os.Symlink(target, temp)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.Rename(temp, link); err != nil {
			os.Remove(temp)
			return err
		}
		return nil
	}
	return fmt.Errorf("no free temporary name beside '%s'", link)
}

// unlinked says why there is no link; the names of temporary files in err say
// nothing to anybody.
func unlinked(link string, target storepath.Path, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	return fmt.Errorf("cannot link '%s' to %s: %w", link, target, err)
}

// inSomeStore reports whether a link's target is an object of a store, whatever
// the store's root directory.
func inSomeStore(target string) bool {
	at := strings.LastIndex(target, storepath.Dir+"/")
	if at < 0 {
		return false
	}
	_, _, err := storepath.Split(target[at:])
	return err == nil
}

func within(file, dir string) bool {
	return file == dir || strings.HasPrefix(file, dir+"/")
}
