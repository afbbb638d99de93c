package rootfs

import (
	"fmt"
	"strings"

	"gonix/dockertools/tarball"
)

// FromEntries returns a tree of entries, in which every directory comes before
// what is in it.
func FromEntries(entries []tarball.Entry) (*Tree, error) {
	t := NewTree()
	for _, e := range entries {
		n := &node{Entry: e}
		if e.Kind == tarball.Directory {
			n.children = map[string]*node{}
		}
		if e.Name == "." {
			n.children = t.root.children
			t.root = n
			continue
		}
		parts, err := split(e.Name)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", e.Name, err)
		}
		dir := t.lookup(strings.Join(parts[:len(parts)-1], "/"))
		if dir == nil || dir.Kind != tarball.Directory {
			return nil, fmt.Errorf("file %s: there is no directory for it", e.Name)
		}
		if err := t.set(dir, parts[len(parts)-1], n); err != nil {
			return nil, err
		}
	}
	return t, nil
}
