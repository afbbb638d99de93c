package rootfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gonix/dockertools/tarball"
)

// Changes compares the directory with the tree that was placed in it and
// returns the entries of the layer between the base image and the directory.
// Subtrees named in ignore are taken to be as they were placed. Files that the
// user could not read are made readable on disk.
func (t *Tree) Changes(d *Disk, owners Owners, ignore []string) ([]tarball.Entry, error) {
	c := &comparer{disk: d, owners: owners, ignore: map[string]bool{}, attributed: map[Inode]*node{}}
	t.root.attributed(c.attributed)
	for _, name := range ignore {
		c.ignore[name] = true
	}
	entries, err := c.compare(nil, ".", t.root)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 && plainRoot(entries[0]) {
		entries = entries[1:]
	}
	return entries, nil
}

type comparer struct {
	disk   *Disk
	owners Owners
	ignore map[string]bool
	// attributed are the files placed that have attributes. Those are not on disk,
	// where only root could put all of them, so they follow the file when a script
	// renames it.
	attributed map[Inode]*node
}

// attributed collects the regular files from n downwards that have attributes.
func (n *node) attributed(into map[Inode]*node) {
	if n.Kind == tarball.Regular && len(n.Xattrs) > 0 && n.placed != nil {
		into[n.placed.inode] = n
	}
	for _, child := range n.children {
		child.attributed(into)
	}
}

// compare appends what is to be said about name, which was n before, or nothing.
func (c *comparer) compare(entries []tarball.Entry, name string, n *node) ([]tarball.Entry, error) {
	if c.ignore[name] {
		if n == nil {
			return entries, nil
		}
		return n.added(entries, name), nil
	}
	e, st, err := c.look(name)
	if err != nil {
		return nil, fmt.Errorf("compare /%s: %w", name, err)
	}
	same := false
	if n != nil && n.Kind == e.Kind {
		if same, err = c.same(name, n, &e, st); err != nil {
			return nil, fmt.Errorf("compare /%s: %w", name, err)
		}
	}
	if same {
		e = n.Entry
		e.Name = name
	} else if err := c.follow(name, n, &e, st); err != nil {
		return nil, fmt.Errorf("compare /%s: %w", name, err)
	}
	if e.Kind != tarball.Directory {
		if same && n.base {
			return entries, nil
		}
		return append(entries, e), nil
	}
	mark := len(entries)
	entries = append(entries, e)
	if entries, err = c.children(entries, name, n); err != nil {
		return nil, err
	}
	if same && n.base && len(entries) == mark+1 {
		return entries[:mark], nil
	}
	return entries, nil
}

func (c *comparer) children(entries []tarball.Entry, name string, n *node) ([]tarball.Entry, error) {
	files, err := os.ReadDir(filepath.Join(c.disk.path, name))
	if err != nil {
		return nil, err
	}
	var before map[string]*node
	if n != nil && n.Kind == tarball.Directory {
		before = n.children
	}
	here := make(map[string]bool, len(files))
	for _, f := range files {
		here[f.Name()] = true
	}
	for _, last := range slices.Sorted(maps.Keys(before)) {
		old := before[last]
		if here[last] || !old.base && !old.below && !c.ignore[join(name, last)] {
			continue
		}
		if c.ignore[join(name, last)] {
			entries = old.added(entries, join(name, last))
			continue
		}
		// A whiteout is an empty file whose name says what is gone.
		entries = append(entries, tarball.Entry{Name: join(name, whiteoutPrefix+last), Mode: 0o644, Time: tarball.LayerTime})
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), whiteoutPrefix) {
			return nil, fmt.Errorf("/%s cannot be in a layer: names beginning with %s mean deletions", join(name, f.Name()), whiteoutPrefix)
		}
		if entries, err = c.compare(entries, join(name, f.Name()), before[f.Name()]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// look describes the file on disk as an entry.
func (c *comparer) look(name string) (tarball.Entry, *unix.Stat_t, error) {
	st, err := c.disk.lstat(name)
	if err != nil {
		return tarball.Entry{}, nil, err
	}
	owner := c.owners[inodeOf(st)]
	e := tarball.Entry{Name: name, Mode: uint32(st.Mode) & 0o7777, UID: int(owner.UID), GID: int(owner.GID), Time: tarball.LayerTime}
	real := filepath.Join(c.disk.path, name)
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFREG:
		if owner.Type != 0 {
			e.Kind = tarball.CharDevice
			if owner.Type == unix.S_IFBLK {
				e.Kind = tarball.BlockDevice
			}
			e.Major, e.Minor = unix.Major(owner.Rdev), unix.Minor(owner.Rdev)
			return e, st, nil
		}
		e.Size, e.Source = st.Size, real
		if e.Mode&0o400 == 0 {
			err = os.Chmod(real, 0o600)
		}
	case unix.S_IFDIR:
		e.Kind = tarball.Directory
		if e.Mode&0o500 != 0o500 {
			err = os.Chmod(real, 0o700)
		}
	case unix.S_IFLNK:
		e.Kind, e.Mode = tarball.Symlink, 0o777
		e.Target, err = os.Readlink(real)
	case unix.S_IFIFO:
		e.Kind = tarball.Fifo
	default:
		err = errors.New("it is a socket or a real device, which no layer can hold")
	}
	if err != nil {
		return tarball.Entry{}, nil, err
	}
	if e.Xattrs, err = attributes(real, e.Kind); err != nil {
		return tarball.Entry{}, nil, err
	}
	return e, st, nil
}

// same reports whether e, on disk, is what n was. If only the contents are the
// same, e gets n's source and attributes.
func (c *comparer) same(name string, n *node, e *tarball.Entry, st *unix.Stat_t) (bool, error) {
	owned := n.Mode == e.Mode && n.UID == e.UID && n.GID == e.GID
	switch n.Kind {
	case tarball.Symlink:
		return owned && n.Target == e.Target, nil
	case tarball.CharDevice, tarball.BlockDevice:
		return owned && n.Major == e.Major && n.Minor == e.Minor, nil
	case tarball.Regular:
		unchanged, err := c.sameContents(name, n, st)
		if err != nil || !unchanged {
			return false, err
		}
		if len(e.Xattrs) == 0 {
			// Attributes of a base are not on disk; a write would have cleared them.
			e.Xattrs = n.Xattrs
		}
		if n.Source != "" {
			e.Source = n.Source
		}
		return owned && sameAttributes(n.Xattrs, e.Xattrs), nil
	}
	if len(e.Xattrs) == 0 {
		e.Xattrs = n.Xattrs
	}
	return owned && sameAttributes(n.Xattrs, e.Xattrs), nil
}

// follow gives e, on disk, the attributes of the file that it is under another name.
func (c *comparer) follow(name string, before *node, e *tarball.Entry, st *unix.Stat_t) error {
	n := c.attributed[inodeOf(st)]
	if n == nil || n == before || e.Kind != tarball.Regular || len(e.Xattrs) > 0 {
		return nil
	}
	unchanged, err := c.sameContents(name, n, st)
	if unchanged {
		e.Xattrs = n.Xattrs
	}
	return err
}

func sameAttributes(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// sameContents reads files only where the change time or the inode says that
// something happened.
func (c *comparer) sameContents(name string, n *node, st *unix.Stat_t) (bool, error) {
	p := n.placed
	if p == nil || st.Size != p.size {
		return false, nil
	}
	if p.inode == inodeOf(st) && p.ctime == st.Ctim {
		return true, nil
	}
	now, err := sumFile(filepath.Join(c.disk.path, name))
	if err != nil {
		return false, err
	}
	before := p.sum
	if !p.hasSum {
		if before, err = n.sumSource(); err != nil {
			return false, err
		}
	}
	return now == before, nil
}

func (n *node) sumSource() ([sha256.Size]byte, error) {
	if n.Source == "" {
		return sha256.Sum256(n.Data), nil
	}
	return sumFile(n.Source)
}

func sumFile(name string) ([sha256.Size]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	defer f.Close()
	sum, _, err := sumWhile(io.Discard, f)
	return sum, err
}

// kept lists the extended attributes that are part of an image: capabilities of
// programs, and what users set. Access control lists and labels are the
// machine's.
func kept(attribute string) bool {
	return attribute == capabilityName || strings.HasPrefix(attribute, "user.") && !strings.HasPrefix(attribute, "user.overlay.")
}

func attributes(name string, kind tarball.Kind) (map[string]string, error) {
	if kind != tarball.Regular && kind != tarball.Directory {
		return nil, nil
	}
	list := make([]byte, 4096)
	n, err := unix.Llistxattr(name, list)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, &fs.PathError{Op: "list attributes", Path: name, Err: err}
	}
	var out map[string]string
	for attribute := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		if !kept(attribute) {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(name, attribute, value)
		if err != nil {
			return nil, &fs.PathError{Op: "read attribute " + attribute, Path: name, Err: err}
		}
		if out == nil {
			out = map[string]string{}
		}
		out[attribute] = string(value[:n])
		if attribute == capabilityName {
			out[attribute] = forAnyRoot(out[attribute])
		}
	}
	return out, nil
}

const capabilityName = "security.capability"

// forAnyRoot returns a capability in the form without the user who counts as
// root: outside of the namespace that a script ran in, the kernel adds that user
// of the machine, and a container of another one would not get the capability.
func forAnyRoot(value string) string {
	const (
		withRoot, without = 3, 2 // revisions, in the topmost byte of the first word
		size              = 20   // of the form without
	)
	if len(value) != size+4 || value[3] != withRoot {
		return value
	}
	return value[:3] + string(rune(without)) + value[4:size]
}
