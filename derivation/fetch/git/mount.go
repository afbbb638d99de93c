package git

import (
	"io"
	"io/fs"
	"strings"

	"gonix/derivation/nar"
)

// Mount returns base with other trees in place of some of its folders, which
// are named relative to its root.
func Mount(base nar.Tree, at map[string]nar.Tree) nar.Tree {
	if len(at) == 0 {
		return base
	}
	return nar.Tree{FS: mounted{base, at}}
}

// mounted is a file system whose root is "".
type mounted struct {
	base nar.Tree
	at   map[string]nar.Tree
}

// find returns the tree that a path belongs to, and its path there.
func (m mounted) find(name string) (nar.Tree, string) {
	name = strings.TrimPrefix(name, "/")
	best, rest := "", name
	t := m.base
	for dir, sub := range m.at {
		if len(dir) > len(best) && (name == dir || strings.HasPrefix(name, dir+"/")) {
			best, rest, t = dir, strings.TrimPrefix(name[len(dir):], "/"), sub
		}
	}
	if rest == "" {
		return t, t.Root
	}
	return t, t.Root + "/" + rest
}

// Lstat implements [nar.FileSystem].
func (m mounted) Lstat(name string) (fs.FileInfo, error) {
	t, file := m.find(name)
	return t.FS.Lstat(file)
}

// ReadDir implements [nar.FileSystem].
func (m mounted) ReadDir(name string) ([]string, error) {
	t, file := m.find(name)
	names, err := t.FS.ReadDir(file)
	if err != nil || t.Filter == nil {
		return names, err
	}
	kept := names[:0]
	for _, n := range names {
		child := file + "/" + n
		info, err := t.FS.Lstat(child)
		if err != nil {
			return nil, err
		}
		typ := "regular"
		switch {
		case info.IsDir():
			typ = "directory"
		case info.Mode()&fs.ModeSymlink != 0:
			typ = "symlink"
		case !info.Mode().IsRegular():
			typ = "unknown"
		}
		ok, err := t.Filter(child, typ)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// Open implements [nar.FileSystem].
func (m mounted) Open(name string) (io.ReadCloser, error) {
	t, file := m.find(name)
	return t.FS.Open(file)
}

// Readlink implements [nar.FileSystem].
func (m mounted) Readlink(name string) (string, error) {
	t, file := m.find(name)
	return t.FS.Readlink(file)
}
