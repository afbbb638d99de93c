package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// A workspace is where one build happens: a build directory, and a directory
// within the store directory from which outputs are renamed into place.
//
// A build directory NAME has a journal STATE/builds/NAME.lock, which exists before
// the directories do, names the second one and where the first one is if that is
// elsewhere, and is locked by the process that builds. When that process is killed the lock goes, and whoever comes next
// finds in the journal what to remove. Removing the journal keeps what it names.
type workspace struct {
	journal *os.File
	build   string // the build directory
	chroot  string // the directory in the store
}

const (
	journalSuffix = ".lock"
	// chrootSuffix is what C++ Nix appends for the same purpose; its garbage
	// collector knows what to make of that.
	chrootSuffix = ".chroot"
)

func buildsDir(s *store.Local) string { return filepath.Join(s.StateDir(), "builds") }

// newWorkspace makes the directories for drv, whose lock is held.
// The build directory is below buildDir if that is not "".
func newWorkspace(s *store.Local, drv storepath.Path, buildDir string) (*workspace, error) {
	dir := buildsDir(s)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a build directory: %w", err)
	}
	w := &workspace{chroot: s.RealPath(drv) + chrootSuffix}
	var err error
	for i := 0; w.journal == nil; i++ {
		name := fmt.Sprintf("nix-build-%s-%d", drv.Name(), i)
		w.build = filepath.Join(cmp.Or(buildDir, dir), name)
		if _, err := os.Lstat(w.build); err == nil {
			continue // a kept one
		}
		text := filepath.Base(w.chroot) + "\n"
		if buildDir != "" {
			text += w.build + "\n"
		}
		if w.journal, err = newJournal(filepath.Join(dir, name)+journalSuffix, text); err != nil {
			return nil, fmt.Errorf("make a build directory: %w", err)
		}
	}
	// No other process of ours works on drv, so what is there is a leftover.
	if _, err = store.RemoveTree(w.chroot); err == nil {
		for _, d := range []string{w.build, w.chroot, w.outDir(), w.workDir()} {
			if err = os.Mkdir(d, 0o700); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = os.Chmod(w.outDir(), 0o755)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a build directory: %w", err), w.remove())
	}
	return w, nil
}

// outDir holds the outputs; builders in a sandbox see it as /nix/store.
func (w *workspace) outDir() string { return filepath.Join(w.chroot, "store") }

func (w *workspace) workDir() string { return filepath.Join(w.chroot, "work") }

// newJournal creates and locks a journal; nil means that the name is taken.
func newJournal(name, text string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// Between creating and locking, someone may have taken it for stale.
	if ok, err := lockJournal(f, name); err != nil || !ok {
		f.Close()
		return nil, err
	}
	if _, err := f.WriteString(text); err != nil {
		os.Remove(name)
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockJournal reports whether f could be locked and still has its name.
func lockJournal(f *os.File, name string) (bool, error) {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
			here, err := f.Stat()
			if err != nil {
				return false, err
			}
			there, err := os.Stat(name)
			return err == nil && os.SameFile(here, there), nil
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return false, nil
		default:
			return false, fmt.Errorf("lock %s: %w", name, err)
		}
	}
}

// remove removes everything.
func (w *workspace) remove() error {
	_, err := store.RemoveTree(w.build)
	return errors.Join(err, w.keep())
}

// keep removes everything but the build directory.
func (w *workspace) keep() error {
	var err error
	if w.chroot != "" { // else the build ended before it made anything
		_, err = store.RemoveTree(w.chroot)
	}
	if err == nil {
		err = os.Remove(w.journal.Name())
	}
	return errors.Join(err, w.journal.Close())
}

// sweep removes what builds left behind whose processes are gone.
func sweep(ctx context.Context, s *store.Local) error {
	dir := buildsDir(s)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clean up after earlier builds: %w", err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), journalSuffix)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		if err := sweepOne(ctx, s, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("clean up after an earlier build: %w", err)
		}
	}
	return nil
}

func sweepOne(ctx context.Context, s *store.Local, build string) error {
	name := build + journalSuffix
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil // gone meanwhile, or another user's
	}
	if err != nil {
		return err
	}
	if ok, err := lockJournal(f, name); err != nil || !ok {
		f.Close()
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, 16<<10))
	if err != nil {
		f.Close()
		return err
	}
	w := &workspace{journal: f, build: build}
	locks := &store.PathLock{}
	defer func() { locks.Unlock() }()
	// A journal without a line was never used.
	first, elsewhere, _ := strings.Cut(string(text), "\n")
	if name, ok := strings.CutSuffix(elsewhere, "\n"); ok {
		w.build = name
	}
	if base, ok := strings.CutSuffix(first, chrootSuffix); ok {
		drv, err := storepath.FromBase(base)
		if err != nil {
			f.Close()
			return fmt.Errorf("read %s: %w", name, err)
		}
		// Another process may be building the same derivation by now.
		outputs, err := outputsOf(ctx, s, drv)
		if err != nil {
			f.Close()
			return err
		}
		got, free, err := s.TryLock(append(outputs, drv)...)
		if err != nil || !free {
			f.Close()
			return err
		}
		locks = got
		if err := removeInvalid(ctx, s, outputs); err != nil {
			f.Close()
			return err
		}
		w.chroot = s.RealPath(drv) + chrootSuffix
	}
	return w.remove()
}

// outputsOf returns the outputs of a derivation, none if it is gone.
func outputsOf(ctx context.Context, s *store.Local, path storepath.Path) ([]storepath.Path, error) {
	drv, err := s.ReadDerivation(ctx, path)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []storepath.Path
	for _, o := range drv.Outputs {
		if !o.Path.IsZero() {
			list = append(list, o.Path)
		}
	}
	return list, nil
}

// removeInvalid removes what is in the place of objects that are not valid: it
// was left by a build that was killed between moving and registering. The locks
// of the paths are held.
func removeInvalid(ctx context.Context, s *store.Local, paths []storepath.Path) error {
	valid, err := s.Valid(ctx, paths)
	if err != nil {
		return err
	}
	for _, p := range paths {
		if valid[p] {
			continue
		}
		if _, err := store.RemoveTree(s.RealPath(p)); err != nil {
			return err
		}
	}
	return nil
}
