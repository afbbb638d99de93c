package store

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation/storepath"
)

// tryFlock takes the lock if that is possible at once.
func tryFlock(fd, how int) (bool, error) {
	for {
		switch err := unix.Flock(fd, how|unix.LOCK_NB); err {
		case nil:
			return true, nil
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return false, nil
		default:
			return false, os.NewSyscallError("flock", err)
		}
	}
}

// PathLock holds the locks of some paths: while it is held, no other process,
// of this program or of Nix, produces or deletes the objects at these paths.
//
// The lock of an object is a file beside it with ".lock" appended. Whoever
// releases it deletes the file first and writes a byte into it, so that a process
// that has the deleted file open notices that what it locked is stale (Nix:
// libstore/pathlocks.cc, PathLocks).
type PathLock struct {
	files []*os.File
}

// Unlock releases the locks and deletes their files.
func (l *PathLock) Unlock() {
	for _, f := range slices.Backward(l.files) {
		os.Remove(f.Name())
		f.WriteString("d")
		f.Close()
	}
	l.files = nil
}

// Lock waits until it holds the locks of all the paths.
func (s *Local) Lock(ctx context.Context, paths ...storepath.Path) (*PathLock, error) {
	l, _, err := s.lock(ctx, paths, true)
	return l, err
}

// TryLock takes the locks of all the paths, or none and returns false if one of
// them is held by someone else.
func (s *Local) TryLock(paths ...storepath.Path) (*PathLock, bool, error) {
	return s.lock(context.Background(), paths, false)
}

func (s *Local) lock(ctx context.Context, paths []storepath.Path, wait bool) (*PathLock, bool, error) {
	if err := s.writable(); err != nil {
		return nil, false, err
	}
	// A common order keeps two processes from waiting for each other.
	sorted := slices.Clone(paths)
	slices.SortFunc(sorted, storepath.Compare)
	sorted = slices.Compact(sorted)
	l := &PathLock{}
	for _, p := range sorted {
		f, err := s.lockFile(ctx, s.RealPath(p)+".lock", wait)
		if err != nil || f == nil {
			l.Unlock()
			if err != nil {
				err = fmt.Errorf("lock '%s': %w", p, err)
			}
			return nil, false, err
		}
		l.files = append(l.files, f)
	}
	return l, true, nil
}

// pollDelay is how long to sleep before the next try after having waited for so
// long: short while the other may be about to end, an eighth of the wait later.
func pollDelay(waited time.Duration) time.Duration {
	return min(max(waited/8, time.Millisecond), 100*time.Millisecond)
}

// poll calls try until it succeeds, or ctx ends. A blocking flock could not be
// given up.
func (s *Local) poll(ctx context.Context, what string, try func() (bool, error)) error {
	told := false
	waited := time.Duration(0)
	for {
		if ok, err := try(); ok || err != nil {
			return err
		}
		if !told {
			told = true
			s.opts.Waiting(what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollDelay(waited)):
			waited += pollDelay(waited)
		}
	}
}

// pollFlock locks an open file.
func (s *Local) pollFlock(ctx context.Context, f *os.File, how int, what string) error {
	return s.poll(ctx, what, func() (bool, error) { return tryFlock(int(f.Fd()), how) })
}

// lockFile returns the locked file, or nil if it is busy and wait is not set.
func (s *Local) lockFile(ctx context.Context, name string, wait bool) (*os.File, error) {
	if !wait {
		f, _, err := tryLockFile(name)
		return f, err
	}
	var f *os.File
	err := s.poll(ctx, fmt.Sprintf("lock on '%s'", s.LogicalFile(name)), func() (ok bool, err error) {
		f, ok, err = tryLockFile(name)
		return ok, err
	})
	return f, err
}

// tryLockFile opens and locks a lock file, which is created if need be. The
// second result is false if someone else holds it.
func tryLockFile(name string) (*os.File, bool, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, false, err
		}
		ok, err := tryFlock(int(f.Fd()), unix.LOCK_EX)
		if err != nil || !ok {
			f.Close()
			return nil, false, err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, false, err
		}
		if info.Size() == 0 {
			return f, true, nil
		}
		f.Close() // deleted by its last owner: there is a new one, or none
		if st, err := os.Stat(name); err == nil && os.SameFile(st, info) {
			// Its owner died between writing and deleting, or something else
			// wrote to it. We held it, so nobody else is using it.
			os.Remove(name)
		}
	}
}
