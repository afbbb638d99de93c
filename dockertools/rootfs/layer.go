package rootfs

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonix/dockertools/tarball"
)

// Names that mean a deletion, from the OCI image specification.
const (
	whiteoutPrefix = ".wh."
	whiteoutMeta   = ".wh..wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// xattrRecord is what the pax record of an extended attribute begins with.
const xattrRecord = "SCHILY.xattr."

// sparseRecord is what the pax records of a sparse file begin with.
const sparseRecord = "GNU.sparse."

// errSparse refuses files whose size says nothing about their bytes: a few could
// fill the disk. No tool that makes layers writes them.
var errSparse = errors.New("it is a sparse file, which layers do not have")

// Apply puts the layer in r on top of the tree. With disk, files are extracted
// there too; otherwise only what the headers say is kept.
func (t *Tree) Apply(r io.Reader, disk *Disk) error {
	t.layer++
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		if err := t.applyEntry(h, tr, disk); err != nil {
			return fmt.Errorf("layer entry '%s' refused: %w", h.Name, err)
		}
	}
}

func (t *Tree) applyEntry(h *tar.Header, content io.Reader, disk *Disk) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	parts, err := split(h.Name)
	if err != nil {
		return err
	}
	n, err := t.fromHeader(h, parts)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		if n.Kind != tarball.Directory {
			return errors.New("it replaces the root directory")
		}
		n.children, n.opaque = t.root.children, t.root.opaque
		*t.root = *n
		return nil
	}
	at, err := t.directory(parts[:len(parts)-1], func(at place, name string) (*node, error) {
		dir := newDirectory(0o755)
		dir.layer = t.layer
		if err := t.set(at.dir, name, dir); err != nil {
			return nil, err
		}
		return dir, disk.mkdir(at.name(name))
	})
	if err != nil {
		return err
	}
	last := parts[len(parts)-1]
	if strings.HasPrefix(last, whiteoutPrefix) {
		return t.whiteout(at, last, disk)
	}
	if h.Typeflag == tar.TypeLink {
		return t.hardLink(at, last, h.Linkname, disk)
	}
	old := at.dir.children[last]
	if old != nil && old.Kind == tarball.Directory && n.Kind == tarball.Directory {
		n.children, n.opaque = old.children, old.opaque
		at.dir.children[last] = n
		return nil
	}
	if old != nil {
		t.remove(at.dir, last)
		if err := disk.remove(at.name(last)); err != nil {
			return err
		}
	}
	if err := t.set(at.dir, last, n); err != nil {
		return err
	}
	if t.look != nil && n.Kind == tarball.Regular {
		if n.word, err = t.look(at.name(last), n.Size, content); err != nil {
			return err
		}
	}
	return disk.extract(at.name(last), n, content)
}

// kinds has the kind of each type of tar entry. A hard link is what it links to.
var kinds = map[byte]tarball.Kind{
	tar.TypeReg:     tarball.Regular,
	tar.TypeCont:    tarball.Regular,
	tar.TypeLink:    tarball.HardLink,
	tar.TypeSymlink: tarball.Symlink,
	tar.TypeDir:     tarball.Directory,
	tar.TypeChar:    tarball.CharDevice,
	tar.TypeBlock:   tarball.BlockDevice,
	tar.TypeFifo:    tarball.Fifo,
}

func (t *Tree) fromHeader(h *tar.Header, parts []string) (*node, error) {
	if h.Typeflag == tar.TypeGNUSparse {
		return nil, errSparse
	}
	kind, ok := kinds[h.Typeflag]
	if !ok {
		return nil, fmt.Errorf("it is of an unknown type %q", h.Typeflag)
	}
	if kind == tarball.CharDevice || kind == tarball.BlockDevice {
		// Old bases bring some of /dev, which the runtime covers; a device
		// anywhere else is a trick.
		if len(parts) == 0 || parts[0] != "dev" {
			return nil, fmt.Errorf("it is a %s outside of /dev", kind)
		}
	}
	if h.Uid > math.MaxUint32 || h.Gid > math.MaxUint32 || h.Devmajor > math.MaxUint32 || h.Devminor > math.MaxUint32 {
		return nil, errors.New("its header has numbers that are too large")
	}
	if h.Uid < 0 || h.Gid < 0 || h.Devmajor < 0 || h.Devminor < 0 || h.Size < 0 {
		return nil, errors.New("its header has negative numbers")
	}
	n := &node{layer: t.layer, Entry: tarball.Entry{
		Kind: kind, Mode: uint32(h.Mode) & 0o7777, UID: h.Uid, GID: h.Gid,
		Major: uint32(h.Devmajor), Minor: uint32(h.Devminor), Time: h.ModTime.Unix(),
	}}
	switch kind {
	case tarball.Regular:
		n.Size = h.Size
	case tarball.Symlink:
		n.Target, n.Mode = h.Linkname, 0o777
	case tarball.Directory:
		n.children = map[string]*node{}
	}
	for k, v := range h.PAXRecords {
		if strings.HasPrefix(k, sparseRecord) {
			return nil, errSparse
		}
		if name, ok := strings.CutPrefix(k, xattrRecord); ok {
			if n.Xattrs == nil {
				n.Xattrs = map[string]string{}
			}
			n.Xattrs[name] = v
			t.words += len(k) + len(v)
		}
	}
	if t.words += len(n.Target); t.words > maxWords {
		return nil, fmt.Errorf("the links and attributes of the image take more than %d MiB", maxWords>>20)
	}
	return n, nil
}

// whiteout deletes what lower layers have.
func (t *Tree) whiteout(at place, name string, disk *Disk) error {
	if name == whiteoutOpaque {
		return t.makeOpaque(at, disk)
	}
	if strings.HasPrefix(name, whiteoutMeta) {
		return nil // bookkeeping of aufs
	}
	victim := strings.TrimPrefix(name, whiteoutPrefix)
	if victim == "" || victim == "." || victim == ".." {
		return errors.New("it deletes nothing that has a name")
	}
	old := at.dir.children[victim]
	switch {
	case old == nil:
		return nil
	case old.layer == t.layer && old.Kind == tarball.Directory:
		// The layer deletes the directory and brings it anew.
		return t.makeOpaque(place{dir: old, path: append(slices.Clip(at.path), victim)}, disk)
	case old.layer == t.layer:
		return nil
	}
	t.remove(at.dir, victim)
	return disk.remove(at.name(victim))
}

// makeOpaque deletes what lower layers have in a directory, but not what this
// layer brought.
func (t *Tree) makeOpaque(at place, disk *Disk) error {
	if at.dir.opaque == t.layer {
		return nil // all that is here came with this layer
	}
	at.dir.opaque = t.layer
	for _, name := range at.dir.names() {
		c := at.dir.children[name]
		if c.layer != t.layer {
			t.remove(at.dir, name)
			if err := disk.remove(at.name(name)); err != nil {
				return err
			}
			continue
		}
		if c.Kind == tarball.Directory {
			if err := t.makeOpaque(place{dir: c, path: append(slices.Clip(at.path), name)}, disk); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Tree) hardLink(at place, name, target string, disk *Disk) error {
	// Some tools write the target as the absolute name in the image; that stays inside.
	parts, err := split(strings.TrimPrefix(target, "/"))
	if err != nil || len(parts) == 0 {
		return fmt.Errorf("hard link to '%s', which is not in the image", target)
	}
	from, err := t.directory(parts[:len(parts)-1], nil)
	if err != nil {
		return fmt.Errorf("hard link to '%s': %w", target, err)
	}
	file := from.dir.children[parts[len(parts)-1]]
	if file == nil {
		return fmt.Errorf("hard link to '%s', which is not in the image", target)
	}
	if file.Kind == tarball.Directory {
		return fmt.Errorf("hard link to '%s', which is a directory", target)
	}
	if file == at.dir.children[name] {
		return nil
	}
	source := from.name(parts[len(parts)-1])
	if at.dir.children[name] != nil {
		t.remove(at.dir, name)
		if err := disk.remove(at.name(name)); err != nil {
			return err
		}
	}
	linked := *file
	linked.layer, linked.linked = t.layer, true
	if err := t.set(at.dir, name, &linked); err != nil {
		return err
	}
	return disk.link(source, at.name(name))
}

// sumWhile copies a file and returns the digest of its bytes.
func sumWhile(w io.Writer, r io.Reader) ([sha256.Size]byte, int64, error) {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), r)
	return [sha256.Size]byte(sum.Sum(nil)), n, err
}
