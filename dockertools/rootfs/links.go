package rootfs

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"gonix/derivation/storepath"
	"gonix/dockertools/tarball"
)

// Link puts directories like those in item into t, in which a link to the store
// stands for each file. Links are taken over as they are. As with nixpkgs'
// symlinkJoin, what earlier contents have stays.
func (c Contents) Link(t *Tree, item storepath.Path) error {
	dir, err := c.follow(item.String())
	if err != nil {
		return fmt.Errorf("link contents %s: %w", item, err)
	}
	if !isDir(dir.real) {
		return fmt.Errorf("link contents %s: it is a file; only the files of a directory can be linked in the root of an image", item)
	}
	// Links lead through the item itself, also where it is a link to another.
	l := linking{tree: t}
	if err := l.children(t.root, location{item.String(), dir.real}, 0); err != nil {
		return fmt.Errorf("link contents %s: %w", item, err)
	}
	return nil
}

type linking struct{ tree *Tree }

func (l linking) children(dir *node, from location, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is too deep", from.logical)
	}
	files, err := os.ReadDir(from.real)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := l.file(dir, f.Name(), from.child(f.Name()), depth); err != nil {
			return err
		}
	}
	return nil
}

func (l linking) file(dir *node, last string, from location, depth int) error {
	info, err := os.Lstat(from.real)
	if err != nil {
		return err
	}
	old := dir.children[last]
	if info.IsDir() {
		if old == nil {
			old = newDirectory(0o755)
			if err := l.tree.set(dir, last, old); err != nil {
				return err
			}
		}
		if old.Kind != tarball.Directory {
			return fmt.Errorf("%s is a directory, but earlier contents have a %s of that name", from.logical, old.Kind)
		}
		return l.children(old, from, depth+1)
	}
	n := &node{Entry: tarball.Entry{Kind: tarball.Symlink, Mode: 0o777, Target: from.logical, Time: tarball.LayerTime}}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		if n.Target, err = os.Readlink(from.real); err != nil {
			return err
		}
	case !mode.IsRegular():
		return fmt.Errorf("%s is neither a file, a directory nor a symbolic link", from.logical)
	}
	if old != nil {
		return nil
	}
	return l.tree.set(dir, last, n)
}

// Adopt gives the directories of t the owners, modes and attributes that entries
// say, where a script has set them on purpose: those that are no longer what a
// new directory is.
func (t *Tree) Adopt(entries []tarball.Entry) {
	for _, e := range entries {
		if e.Kind != tarball.Directory || e.Mode == 0o755 && e.UID == 0 && e.GID == 0 && len(e.Xattrs) == 0 {
			continue
		}
		n := t.root
		if e.Name != "." {
			at, err := t.directory(slices.DeleteFunc(strings.Split(e.Name, "/"), func(p string) bool { return p == "" }), nil)
			if err != nil {
				continue // something else took its place
			}
			n = at.dir
		}
		if n.Mode != e.Mode || n.UID != e.UID || n.GID != e.GID || !sameAttributes(n.Xattrs, e.Xattrs) {
			n.Mode, n.UID, n.GID, n.Xattrs, n.base = e.Mode, e.UID, e.GID, e.Xattrs, false
		}
	}
}
