package nar

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"gonix/derivation/regular"
)

// FileSystem is a tree that can be archived. Paths are passed on as they were
// given to [DumpFS], extended by "/" and a name. No method follows a symbolic
// link at the end of the path.
type FileSystem interface {
	Lstat(path string) (fs.FileInfo, error)
	ReadDir(path string) (names []string, err error) // in any order
	Open(path string) (io.ReadCloser, error)
	Readlink(path string) (string, error)
}

// Filter says whether an entry below the root goes into the archive. Typ is
// "regular", "directory", "symlink" or "unknown"; whatever lies below a refused
// directory is not looked at. A nil Filter takes everything.
type Filter func(path, typ string) (bool, error)

// Tree is a file tree together with the choice of what belongs to it.
type Tree struct {
	FS     FileSystem // nil: the files of this machine
	Root   string
	Filter Filter
}

// Dump writes the archive of the tree to w.
func (t Tree) Dump(w io.Writer) error {
	fsys := t.FS
	if fsys == nil {
		fsys = OS{}
	}
	return DumpFS(w, fsys, t.Root, t.Filter)
}

// Dump writes the archive of the file, directory or link at path to w.
func Dump(w io.Writer, path string) error {
	return DumpFS(w, OS{}, path, nil)
}

// DumpFS writes the archive of the tree at root to w, without the entries that
// the filter refuses.
func DumpFS(w io.Writer, fsys FileSystem, root string, filter Filter) error {
	d := dumper{encoder: newEncoder(w), fs: fsys, filter: filter, base: len(root)}
	info, err := fsys.Lstat(root)
	if err != nil {
		return err
	}
	d.string(magic)
	if err := d.node(root, info); err != nil {
		return err
	}
	return d.end()
}

// DumpString writes the archive of one regular file with the given content.
func DumpString(w io.Writer, content string) error {
	e := newEncoder(w)
	e.string(magic)
	e.head(&Header{Type: Regular, Size: int64(len(content))})
	e.raw(content)
	e.pad(int64(len(content)))
	e.string(")")
	return e.end()
}

// dumper is one run of DumpFS.
type dumper struct {
	*encoder
	fs     FileSystem
	filter Filter
	base   int // length of the root's path, which does not count for maxPath
}

func (d *dumper) node(path string, info fs.FileInfo) error {
	if len(path)-d.base > maxPath {
		return fmt.Errorf("dump %s...: path is longer than %d bytes", path[:256], maxPath)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return d.regular(path, info)
	case mode.IsDir():
		return d.directory(path)
	case mode.Type() == fs.ModeSymlink:
		target, err := d.fs.Readlink(path)
		if err != nil {
			return err
		}
		d.head(&Header{Type: Symlink, Target: target})
		return d.err
	}
	return unsupported(path)
}

func (d *dumper) regular(path string, info fs.FileInfo) error {
	d.head(&Header{Type: Regular, Executable: info.Mode()&0o100 != 0, Size: info.Size()})
	if info.Size() > 0 {
		f, err := d.fs.Open(path)
		if err != nil {
			return err
		}
		err = d.copy(f, info.Size())
		f.Close()
		if err != nil {
			return fmt.Errorf("dump %s: %w", path, err)
		}
	}
	d.string(")")
	return d.err
}

func (d *dumper) directory(path string) error {
	names, err := d.fs.ReadDir(path)
	if err != nil {
		return err
	}
	slices.Sort(names)
	d.head(&Header{Type: Directory})
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("dump %s: %w", path, err)
		}
		child := path + "/" + name
		if path == "/" {
			child = "/" + name
		}
		info, err := d.fs.Lstat(child)
		if err != nil {
			return err
		}
		if d.filter != nil {
			ok, err := d.filter(child, typeName(info.Mode()))
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		d.strings("entry", "(", "name", name, "node")
		if err := d.node(child, info); err != nil {
			return err
		}
		d.string(")")
	}
	d.string(")")
	return d.err
}

// typeName returns the word for a file's type that Nix passes to a filter.
func typeName(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "regular"
	case mode.IsDir():
		return "directory"
	case mode.Type() == fs.ModeSymlink:
		return "symlink"
	}
	return "unknown"
}

// OS is the FileSystem of this machine.
type OS struct{}

var _ FileSystem = OS{}

// Lstat returns what is at path, without following a symbolic link.
func (OS) Lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

// Open opens the regular file at path for reading.
func (OS) Open(path string) (io.ReadCloser, error) { return regular.Open(path) }

// Readlink returns the target of the symbolic link at path.
func (OS) Readlink(path string) (string, error) { return os.Readlink(path) }

// ReadDir returns the names in the directory at path.
func (OS) ReadDir(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
