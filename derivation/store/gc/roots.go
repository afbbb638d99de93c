package gc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Root is a reason why an object is kept.
type Root struct {
	Link string // a link; "{temp:PID}" for a running process; a file in /proc
	Path storepath.Path
}

// Roots returns all roots, sorted by link, valid objects only; with censor, not
// how running processes and users refer to them.
func Roots(st *store.Local, valid func(storepath.Path) (bool, error)) ([]Root, error) {
	permanent, err := permanentRoots(st)
	if err != nil {
		return nil, err
	}
	temporary, err := temporaryRoots(st, false)
	if err != nil {
		return nil, err
	}
	var list []Root
	for _, r := range permanent {
		ok, err := valid(r.Path)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, r)
		}
	}
	list = append(list, temporary...)
	slices.SortFunc(list, func(a, b Root) int {
		if c := strings.Compare(a.Link, b.Link); c != 0 {
			return c
		}
		return storepath.Compare(a.Path, b.Path)
	})
	return slices.Compact(list), nil
}

// permanentRoots are those that outlive this process, and those of running
// programs.
func permanentRoots(st *store.Local) ([]Root, error) {
	links, err := st.Roots()
	if err != nil {
		return nil, err
	}
	var list []Root
	for link, p := range links {
		list = append(list, Root{link, p})
	}
	return append(list, runtimeRoots(st)...), nil
}

// temporaryRoots reads STATE/temproots. A file that nobody holds locked is that
// of a dead process; with tidy it is deleted. (Nix: findTempRoots)
func temporaryRoots(st *store.Local, tidy bool) ([]Root, error) {
	dir := filepath.Join(st.StateDir(), "temproots")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the temporary roots: %w", err)
	}
	var list []Root
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := readTemporary(filepath.Join(dir, e.Name()), tidy)
		if err != nil {
			return nil, fmt.Errorf("read the temporary roots: %w", err)
		}
		pid, _, _ := strings.Cut(e.Name(), "-")
		for root := range strings.SplitSeq(text, "\x00") {
			if p, err := storepath.Parse(root); err == nil {
				list = append(list, Root{"{temp:" + pid + "}", p})
			}
		}
	}
	return list, nil
}

func readTemporary(file string, tidy bool) (string, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case err == nil && tidy:
		// A process that has just opened it sees by the byte that it is gone.
		os.Remove(file)
		_, err := f.WriteString("d")
		return "", err
	case err == nil:
		return "", nil
	case err != unix.EWOULDBLOCK:
		return "", &os.PathError{Op: "lock", Path: file, Err: err}
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// dropStaleLinks deletes indirect roots whose links are gone.
func (c *collection) dropStaleLinks() error {
	dir := filepath.Join(c.st.StateDir(), "gcroots/auto")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("find roots: %w", err)
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		target, err := os.Readlink(file)
		if err != nil {
			continue
		}
		if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			c.opts.Info(fmt.Sprintf("removing stale link from '%s' to '%s'", file, target))
			os.Remove(file)
		}
	}
	return c.st.PruneRoots(c.ctx)
}

// isLocked reports whether another process has locked the directory.
func isLocked(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return true
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}
