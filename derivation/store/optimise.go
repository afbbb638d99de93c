package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Saving is what hard links have saved.
type Saving struct {
	Files int64
	Bytes int64
}

// MakeRoom gives the garbage collector a chance, as [Options] say.
func (s *Local) MakeRoom(ctx context.Context) error {
	if s.opts.MakeRoom == nil {
		return nil
	}
	return s.opts.MakeRoom(ctx)
}

// AutoOptimise is [Local.OptimisePath] for an object that is about to be
// registered, if the store was opened with Optimise.
func (s *Local) AutoOptimise(ctx context.Context, p storepath.Path) error {
	return s.AutoOptimiseAt(ctx, s.RealPath(p))
}

// AutoOptimiseAt is AutoOptimise for a canonical tree that has not got its place
// yet; it is on the store's file system.
func (s *Local) AutoOptimiseAt(ctx context.Context, path string) error {
	if !s.opts.Optimise {
		return nil
	}
	o := optimiser{s: s, ctx: ctx, top: path, warn: func(string) {}}
	return o.tree(path)
}

// Optimise replaces files of equal content in all objects by hard links to one of
// them, which has a name in STORE/.links, too: the hash of its archive. (Nix:
// optimiseStore) Warn is told of files that are left alone.
func (s *Local) Optimise(ctx context.Context, warn func(string)) (Saving, error) {
	o := optimiser{s: s, ctx: ctx, warn: warn}
	if err := s.writable(); err != nil {
		return o.saving, err
	}
	all, err := s.All(ctx)
	if err == nil {
		err = o.loadLinks()
	}
	if err != nil {
		return o.saving, err
	}
	for _, p := range all {
		if err := s.TempRoot(p); err != nil {
			return o.saving, err
		}
		if ok, err := s.IsValid(ctx, p); err != nil {
			return o.saving, err
		} else if !ok {
			continue // collected meanwhile
		}
		o.top = s.RealPath(p)
		if err := o.tree(o.top); err != nil {
			return o.saving, fmt.Errorf("optimise '%s': %w", p, err)
		}
	}
	return o.saving, nil
}

// optimiser replaces files by links.
type optimiser struct {
	s      *Local
	ctx    context.Context
	warn   func(string)
	top    string          // the object
	linked map[uint64]bool // inodes of .links; nil if they have not been read
	saving Saving
}

func (o *optimiser) links() string { return filepath.Join(o.s.dir, ".links") }

func (o *optimiser) loadLinks() error {
	if err := os.MkdirAll(o.links(), 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(o.links())
	if err != nil {
		return err
	}
	o.linked = make(map[uint64]bool, len(entries))
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				o.linked[st.Ino] = true
			}
		}
	}
	return nil
}

func (o *optimiser) tree(path string) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := o.tree(path + "/" + e.Name()); err != nil {
				return err
			}
		}
		return nil
	case unix.S_IFREG:
		if st.Mode&0o200 != 0 {
			o.warn(fmt.Sprintf("skipping suspicious writable file '%s'", path))
			return nil
		}
	case unix.S_IFLNK:
	default:
		return nil
	}
	if st.Nlink > 1 && o.linked[st.Ino] {
		return nil
	}
	return o.file(path, &st)
}

// file makes path a link to the file in .links that has its content, or that
// file a link to path.
func (o *optimiser) file(path string, st *unix.Stat_t) error {
	h := nixhash.SHA256.New()
	if err := nar.Dump(h, path); err != nil {
		return err
	}
	link := filepath.Join(o.links(), nixhash.Of(nixhash.SHA256, h).Base32())
	there, err := lstat(link)
	if err == nil && there.Size != st.Size {
		o.warn(fmt.Sprintf("removing corrupted link '%s'", link))
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = fs.ErrNotExist
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Link(path, link)
		switch {
		case err == nil:
			if o.linked != nil {
				o.linked[st.Ino] = true
			}
			return nil
		case errors.Is(err, unix.ENOSPC):
			return nil // the directory is full: do without
		case errors.Is(err, fs.ErrNotExist):
			if err := os.MkdirAll(o.links(), 0o755); err != nil {
				return err
			}
			return o.file(path, st)
		case !errors.Is(err, fs.ErrExist):
			return err
		}
		there, err = lstat(link) // somebody else was faster
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // collected meanwhile
	case err != nil:
		return err
	case there.Ino == st.Ino:
		return nil
	}
	return o.replace(path, link, st)
}

// replace puts a link in the place of path, in one step.
func (o *optimiser) replace(path, link string, st *unix.Stat_t) error {
	parent := filepath.Dir(path)
	if path != o.top {
		if err := os.Chmod(parent, 0o755); err != nil {
			return err
		}
		defer readOnly(parent)
	}
	temp := fmt.Sprintf("%s/.tmp-link-%d-%d", o.s.dir, os.Getpid(), st.Ino)
	os.Remove(temp)
	err := os.Link(link, temp)
	if errors.Is(err, unix.EMLINK) || errors.Is(err, fs.ErrNotExist) {
		return nil // it has as many links as the file system allows, or is collected
	}
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		os.Remove(temp)
		if errors.Is(err, unix.EMLINK) {
			return nil
		}
		return err
	}
	if o.linked != nil {
		o.linked[st.Ino] = true
	}
	o.saving.Files++
	o.saving.Bytes += st.Size
	return nil
}

// readOnly gives a directory of an object its metadata again.
func readOnly(dir string) {
	os.Chmod(dir, 0o555)
	times := []unix.Timespec{{Sec: canonicalTime}, {Sec: canonicalTime}}
	unix.UtimesNanoAt(unix.AT_FDCWD, dir, times, unix.AT_SYMLINK_NOFOLLOW)
}

func lstat(path string) (*unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	return &st, nil
}
