package git

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"gonix/derivation/nar"
)

// Tree is the tree of a commit as a file system. Its root is "".
type Tree struct {
	repo   *Repository
	root   *object.Tree
	dirs   map[string]*object.Tree
	ignore *attributes // nil to leave nothing out
}

var _ nar.FileSystem = (*Tree)(nil)

// Tree returns the tree of the commit rev; exportIgnore leaves out what git
// archive would.
func (r *Repository) Tree(rev string, exportIgnore bool) (*Tree, error) {
	c, err := r.commit(rev)
	if err != nil {
		return nil, err
	}
	root, err := c.Tree()
	if err != nil {
		return nil, fmt.Errorf("getting the tree of Git commit '%s': %w", rev, err)
	}
	t := &Tree{repo: r, root: root, dirs: map[string]*object.Tree{"": root}}
	if exportIgnore {
		plain := *t
		t.ignore = newAttributes(r, r.workFile, r.indexFile(), plain.readFile)
	}
	return t, nil
}

// readFile returns the content of a small file, nil if there is none.
func (t *Tree) readFile(name string) ([]byte, error) {
	f, err := t.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxAttributes))
}

func (t *Tree) dir(name string) (*object.Tree, error) {
	if d, ok := t.dirs[name]; ok {
		return d, nil
	}
	e, err := t.entry(name)
	if err != nil {
		return nil, err
	}
	d, err := t.repo.repo.TreeObject(e.Hash)
	if err != nil {
		return nil, fmt.Errorf("read Git tree '%s': %w", e.Hash, err)
	}
	t.dirs[name] = d
	return d, nil
}

// entry returns what is at a path below the root.
func (t *Tree) entry(name string) (*object.TreeEntry, error) {
	name = strings.TrimPrefix(name, "/")
	missing := &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	parent := path.Dir(name)
	if parent == "." {
		parent = ""
	}
	if parent != "" {
		e, err := t.entry(parent)
		if err != nil || e.Mode != filemode.Dir {
			return nil, missing
		}
	}
	d, err := t.dir(parent)
	if err != nil {
		return nil, err
	}
	base := path.Base(name)
	for i := range d.Entries {
		if d.Entries[i].Name == base {
			return &d.Entries[i], nil
		}
	}
	return nil, missing
}

// Lstat implements [nar.FileSystem]. A submodule is an empty folder.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	name = strings.TrimPrefix(name, "/")
	if name == "" {
		return info{"", fs.ModeDir, 0}, nil
	}
	if t.ignore != nil {
		if ignored, err := t.ignore.exportIgnored(name); err != nil || ignored {
			return nil, errors.Join(err, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist})
		}
	}
	e, err := t.entry(name)
	if err != nil {
		return nil, err
	}
	out := info{name: path.Base(name)}
	switch e.Mode {
	case filemode.Dir, filemode.Submodule:
		out.mode = fs.ModeDir
		return out, nil
	case filemode.Symlink:
		out.mode = fs.ModeSymlink
	case filemode.Executable:
		out.mode = 0o755
	case filemode.Regular, filemode.Deprecated:
		out.mode = 0o644
	default:
		return nil, fmt.Errorf("file '%s' has an unsupported Git file type", name)
	}
	out.size, err = t.repo.repo.Storer.EncodedObjectSize(e.Hash)
	if err != nil {
		err = fmt.Errorf("read Git object '%s': %w", e.Hash, err)
	}
	return out, err
}

// ReadDir implements [nar.FileSystem].
func (t *Tree) ReadDir(name string) ([]string, error) {
	name = strings.TrimPrefix(name, "/")
	if name != "" {
		e, err := t.entry(name)
		if err != nil {
			return nil, err
		}
		if e.Mode == filemode.Submodule {
			return nil, nil
		}
	}
	d, err := t.dir(name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range d.Entries {
		if t.ignore != nil {
			ignored, err := t.ignore.exportIgnored(path.Join(name, e.Name))
			if err != nil {
				return nil, err
			}
			if ignored {
				continue
			}
		}
		names = append(names, e.Name)
	}
	return names, nil
}

// Open implements [nar.FileSystem].
func (t *Tree) Open(name string) (io.ReadCloser, error) {
	e, err := t.entry(name)
	if err != nil {
		return nil, err
	}
	return t.repo.blob(e.Hash)
}

// Readlink implements [nar.FileSystem].
func (t *Tree) Readlink(name string) (string, error) {
	f, err := t.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	target, err := io.ReadAll(io.LimitReader(f, 4097))
	return string(target), err
}

func (r *Repository) blob(h plumbing.Hash) (io.ReadCloser, error) {
	b, err := r.repo.BlobObject(h)
	if err != nil {
		return nil, fmt.Errorf("read Git object '%s': %w", h, err)
	}
	return b.Reader()
}

// info is what is known of a file in a tree.
type info struct {
	name string
	mode fs.FileMode
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
