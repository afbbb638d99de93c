package rootfs

import (
	"fmt"

	"gonix/dockertools/tarball"
)

// Merge puts the files of over on top of t. Where t has a directory already, it
// keeps its owner and mode; where t has a symbolic link to a directory, over's
// directory goes where the link leads, so that a base whose /bin is a link to
// usr/bin keeps its programs. over must not be used afterwards.
func (t *Tree) Merge(over *Tree) error {
	if !t.root.base {
		t.root.Entry = over.root.Entry
	}
	return t.merge(t.root, ".", over.root)
}

func (t *Tree) merge(dir *node, name string, over *node) error {
	for _, last := range over.names() {
		n := over.children[last]
		at := join(name, last)
		if n.Kind != tarball.Directory {
			if err := t.set(dir, last, n); err != nil {
				return err
			}
			continue
		}
		old := dir.children[last]
		if old != nil && old.Kind == tarball.Symlink {
			parts, err := split(at)
			if err != nil {
				return fmt.Errorf("merge /%s: %w", at, err)
			}
			if led, err := t.directory(parts, nil); err == nil {
				if err := t.merge(led.dir, led.String(), n); err != nil {
					return err
				}
				continue
			}
		}
		if old == nil || old.Kind != tarball.Directory {
			fresh := &node{Entry: n.Entry, children: map[string]*node{}}
			if err := t.set(dir, last, fresh); err != nil {
				return err
			}
			old = fresh
		}
		if err := t.merge(old, at, n); err != nil {
			return err
		}
	}
	return nil
}
