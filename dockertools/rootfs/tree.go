// Package rootfs holds the root directory of an image in memory, and where a
// script must run in it, on disk.
//
// A [Tree] starts empty, takes the layers of a base image ([Tree.Apply]) and the
// contents of store paths ([Tree.Copy], [Tree.Merge]), and can be placed in a
// directory ([Tree.Place]). Every name is resolved in the tree, where symbolic
// links lead nowhere but to other names of the tree, and only then used on disk
// through an [os.Root]; so no layer reaches anything outside.
//
// [Tree.Changes] compares a directory with what was placed there, by what files
// are and not by their times, and returns the entries of the layer that makes
// one of the other, deletions as whiteouts. Ownership is never that of the files
// on disk: it lies in a table keyed by inode ([Owners]), which extraction fills
// from the headers and a script's recorder goes on with. So an ordinary user
// and root see the same.
package rootfs

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gonix/dockertools/tarball"
)

const (
	// maxNodes bounds the files of a tree, so that a hostile layer cannot take
	// all memory.
	maxNodes = 4_000_000
	// maxLinks bounds the symbolic links followed for one name.
	maxLinks = 40
	// maxName and maxDepth are what file systems take.
	maxName  = 4095
	maxDepth = 256
	// maxWords bounds the bytes of link targets and extended attributes of all
	// layers together; an image has a few kilobytes.
	maxWords = 256 << 20
	// maxSteps bounds the directories entered to find the places of all files.
	maxSteps = 100_000_000
)

// Tree is a root directory.
type Tree struct {
	root  *node
	count int
	layer int // number of layers applied so far
	words int // bytes of link targets and attributes so far
	steps int // directories entered so far
	look  Look
}

// node is one file of a tree. Its Entry has no Name: that follows from where
// the node is.
type node struct {
	tarball.Entry
	children map[string]*node // of a directory
	layer    int              // that it came from, 0 for none
	opaque   int              // layer that hides what those below it have here
	// base says that the file is as the base image has it, below that the base
	// has something of this name which this file hides.
	base, below bool
	// placed describes the file on disk, if it is there.
	placed *placed
	// word is what a [Look] said of the bytes; linked says that the file is a
	// further name of another one.
	word   string
	linked bool
}

func newDirectory(mode uint32) *node {
	return &node{Entry: tarball.Entry{Kind: tarball.Directory, Mode: mode, Time: tarball.LayerTime}, children: map[string]*node{}}
}

// NewTree returns an empty root directory.
func NewTree() *Tree { return &Tree{root: newDirectory(0o755), count: 1} }

// errClimbs says that a name leads out of the image.
var errClimbs = errors.New("it leads out of the image")

// split checks a name of a layer and returns its parts; none for the root.
func split(name string) ([]string, error) {
	if len(name) > maxName {
		return nil, errors.New("its name is too long")
	}
	if path.IsAbs(name) {
		return nil, errors.New("its name is absolute")
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			return nil, errClimbs
		default:
			if strings.IndexByte(part, 0) >= 0 {
				return nil, errors.New("its name has a zero byte")
			}
			parts = append(parts, part)
		}
	}
	if len(parts) > maxDepth {
		return nil, errors.New("it is too deep")
	}
	return parts, nil
}

// place is a directory and where it is.
type place struct {
	dir  *node
	path []string
}

// String is the name of the directory.
func (p place) String() string {
	if len(p.path) == 0 {
		return "."
	}
	return strings.Join(p.path, "/")
}

func (p place) name(last string) string {
	if len(p.path) == 0 {
		return last
	}
	return strings.Join(p.path, "/") + "/" + last
}

// directory finds the directory that parts lead to, following symbolic links
// inside the tree. Missing directories are made with make, unless that is nil.
func (t *Tree) directory(parts []string, makeDir func(at place, name string) (*node, error)) (place, error) {
	at := place{dir: t.root}
	stack := []*node{t.root}
	todo := slices.Clone(parts)
	links := 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		if t.steps++; t.steps > maxSteps {
			return place{}, errors.New("the names of its files lead through too many directories")
		}
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			if len(stack) == 1 {
				return place{}, errClimbs
			}
			stack = stack[:len(stack)-1]
			at = place{dir: stack[len(stack)-1], path: at.path[:len(at.path)-1]}
			continue
		}
		next := at.dir.children[part]
		switch {
		case next == nil && makeDir == nil:
			return place{}, fmt.Errorf("there is no directory /%s", at.name(part))
		case next == nil:
			made, err := makeDir(at, part)
			if err != nil {
				return place{}, err
			}
			next = made
		case next.Kind == tarball.Symlink:
			if links++; links > maxLinks {
				return place{}, fmt.Errorf("too many symbolic links at /%s", at.name(part))
			}
			if path.IsAbs(next.Target) {
				at, stack = place{dir: t.root}, stack[:1]
			}
			todo = append(strings.Split(next.Target, "/"), todo...)
			if len(todo) > maxName {
				return place{}, fmt.Errorf("too many symbolic links at /%s", at.name(part))
			}
			continue
		case next.Kind != tarball.Directory:
			return place{}, fmt.Errorf("/%s is a %s, not a directory", at.name(part), next.Kind)
		}
		if len(at.path) >= maxDepth {
			return place{}, errors.New("it is too deep")
		}
		stack = append(stack, next)
		at = place{dir: next, path: append(slices.Clip(at.path), part)}
	}
	return at, nil
}

// set puts n into a directory of the tree under the given name.
func (t *Tree) set(dir *node, name string, n *node) error {
	if old := dir.children[name]; old != nil {
		t.count -= old.size()
		n.below = n.below || old.base || old.below
	}
	if t.count++; t.count > maxNodes {
		return fmt.Errorf("the image has more than %d files", maxNodes)
	}
	dir.children[name] = n
	return nil
}

func (t *Tree) remove(dir *node, name string) {
	if old := dir.children[name]; old != nil {
		t.count -= old.size()
		delete(dir.children, name)
	}
}

// size is the number of nodes from n downwards.
func (n *node) size() int {
	total := 1
	for _, c := range n.children {
		total += c.size()
	}
	return total
}

// names returns the names in a directory in order.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.children)) }

// lookup finds the node at a name without following links.
func (t *Tree) lookup(name string) *node {
	n := t.root
	if name == "." || name == "" {
		return n
	}
	for part := range strings.SplitSeq(name, "/") {
		if n == nil {
			return nil
		}
		n = n.children[part]
	}
	return n
}

// Has reports what is at a name of the tree, not following links.
func (t *Tree) Has(name string) (tarball.Entry, bool) {
	n := t.lookup(name)
	if n == nil {
		return tarball.Entry{}, false
	}
	e := n.Entry
	e.Name = name
	return e, true
}

// Children returns the names in the directory called name, in order.
func (t *Tree) Children(name string) []string {
	n := t.lookup(name)
	if n == nil {
		return nil
	}
	return n.names()
}

// MakeDirectory adds a directory if nothing is there.
func (t *Tree) MakeDirectory(name string, mode uint32) error {
	parts, err := split(name)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return nil
	}
	at, err := t.directory(parts[:len(parts)-1], t.makeParent)
	if err != nil {
		return err
	}
	last := parts[len(parts)-1]
	if at.dir.children[last] != nil {
		return nil
	}
	return t.set(at.dir, last, newDirectory(mode))
}

// ChownRoot says to whom the root directory itself belongs.
func (t *Tree) ChownRoot(uid, gid int) { t.root.UID, t.root.GID = uid, gid }

func (t *Tree) makeParent(at place, name string) (*node, error) {
	n := newDirectory(0o755)
	return n, t.set(at.dir, name, n)
}

// MarkBase declares everything in the tree to be part of the base image.
func (t *Tree) MarkBase() { t.root.markBase() }

func (n *node) markBase() {
	n.base = true
	for _, c := range n.children {
		c.markBase()
	}
}

// Added returns the entries that the tree has beyond the base image: each new
// file with the directories above it.
func (t *Tree) Added() []tarball.Entry {
	entries := t.root.added(nil, ".")
	// The root itself only matters where it is not what every root is.
	if len(entries) > 0 && plainRoot(entries[0]) {
		entries = entries[1:]
	}
	return entries
}

func plainRoot(e tarball.Entry) bool {
	return e.Name == "." && e.Mode == 0o755 && e.UID == 0 && e.GID == 0 && len(e.Xattrs) == 0
}

func (n *node) added(entries []tarball.Entry, name string) []tarball.Entry {
	mark := len(entries)
	e := n.Entry
	e.Name = name
	entries = append(entries, e)
	for _, c := range n.names() {
		entries = n.children[c].added(entries, join(name, c))
	}
	if n.base && len(entries) == mark+1 {
		return entries[:mark]
	}
	return entries
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// All returns the entries of the whole tree, the root first. The bytes of files
// are those extracted to disk; a file of several names is written for each.
func (t *Tree) All(disk *Disk) []tarball.Entry {
	return t.root.all(nil, ".", disk)
}

func (n *node) all(entries []tarball.Entry, name string, disk *Disk) []tarball.Entry {
	e := n.Entry
	e.Name = name
	if e.Kind == tarball.Regular {
		e.Source = disk.path + "/" + name
	}
	entries = append(entries, e)
	for _, c := range n.names() {
		entries = n.children[c].all(entries, join(name, c), disk)
	}
	return entries
}
