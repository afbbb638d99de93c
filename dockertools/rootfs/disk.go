package rootfs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gonix/dockertools/tarball"
)

// Inode identifies a file on disk.
type Inode struct{ Dev, Ino uint64 }

// Owner is to whom a file is meant to belong, and which device it stands for.
type Owner struct {
	UID, GID uint32
	// Type is 0 or, for an empty file that stands for a device, S_IFCHR or S_IFBLK.
	Type uint32
	Rdev uint64 // number of the device, as stat has it
}

// Owners says who owns files, whoever does on disk. Files that are not in it
// belong to 0:0.
type Owners map[Inode]Owner

// Disk is the directory that a tree is placed in. A nil Disk is none: every
// method does nothing.
type Disk struct {
	path string
	root *os.Root
}

// NewDisk takes dir, which must exist, be empty and be closed to others.
func NewDisk(dir string) (*Disk, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Disk{path: dir, root: root}, nil
}

// Close releases the directory and leaves what is in it.
func (d *Disk) Close() error {
	if d == nil {
		return nil
	}
	return d.root.Close()
}

// Path returns the directory.
func (d *Disk) Path() string { return d.path }

// Remove removes the file called name, if there is one. Links on the way may
// not lead out of the directory.
func (d *Disk) Remove(name string) error {
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

// placed is what a file on disk was like before anybody could change it.
type placed struct {
	inode Inode
	ctime unix.Timespec
	size  int64
	// sum is of the contents, for regular files from layers.
	sum    [sha256.Size]byte
	hasSum bool
}

func (d *Disk) mkdir(name string) error {
	if d == nil {
		return nil
	}
	return d.root.Mkdir(name, 0o700)
}

func (d *Disk) remove(name string) error {
	if d == nil {
		return nil
	}
	return d.root.RemoveAll(name)
}

func (d *Disk) link(from, to string) error {
	if d == nil {
		return nil
	}
	return d.root.Link(from, to)
}

// extract creates the file of n from a layer. Modes are set by [Tree.Place], so
// that a directory without permissions can be filled.
func (d *Disk) extract(name string, n *node, content io.Reader) error {
	if d == nil {
		return nil
	}
	n.placed = &placed{}
	switch n.Kind {
	case tarball.Directory:
		return d.root.Mkdir(name, 0o700)
	case tarball.Symlink:
		return d.root.Symlink(n.Target, name)
	case tarball.Fifo:
		return unix.Mkfifo(filepath.Join(d.path, name), 0o600)
	case tarball.CharDevice, tarball.BlockDevice:
		// A file stands for the device, which only root could make; the table of
		// owners knows better.
		content = bytes.NewReader(nil)
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum, size, err := sumWhile(f, content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && n.Kind == tarball.Regular && size != n.Size {
		err = fmt.Errorf("%d bytes, expected %d", size, n.Size)
	}
	n.placed.sum, n.placed.hasSum = sum, true
	return err
}

// Place puts the files that are not on disk there, gives all of them their
// modes, and returns the table of their owners.
func (t *Tree) Place(d *Disk) (Owners, error) {
	owners := Owners{}
	p := &placer{disk: d, owners: owners}
	if err := p.place(".", t.root); err != nil {
		return nil, err
	}
	return owners, d.settle(p.latest)
}

type placer struct {
	disk   *Disk
	owners Owners
	latest unix.Timespec
}

func (p *placer) place(name string, n *node) error {
	if n.placed == nil {
		if err := p.create(name, n); err != nil {
			return fmt.Errorf("place /%s: %w", name, err)
		}
	}
	for _, c := range n.names() {
		if err := p.place(join(name, c), n.children[c]); err != nil {
			return err
		}
	}
	if err := p.finish(name, n); err != nil {
		return fmt.Errorf("place /%s: %w", name, err)
	}
	return nil
}

func (p *placer) create(name string, n *node) error {
	n.placed = &placed{}
	if n.Kind == tarball.Directory {
		return p.createDirectory(name)
	}
	// What a layer left under this name is hidden by n.
	if err := p.disk.remove(name); err != nil {
		return err
	}
	if n.Kind != tarball.Regular {
		return p.disk.extract(name, n, nil)
	}
	var content io.Reader = bytes.NewReader(n.Data)
	if n.Source != "" {
		f, err := os.Open(n.Source)
		if err != nil {
			return err
		}
		defer f.Close()
		content = f
	}
	f, err := p.disk.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	size, err := io.Copy(f, content)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && size != n.Size {
		err = fmt.Errorf("%d bytes, expected %d", size, n.Size)
	}
	return err
}

func (p *placer) createDirectory(name string) error {
	st, err := p.disk.lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return nil // made while a layer was extracted, or the root
	default:
		if err := p.disk.remove(name); err != nil {
			return err
		}
	}
	return p.disk.root.Mkdir(name, 0o700)
}

// finish sets the mode of a file and notes what it is like.
func (p *placer) finish(name string, n *node) error {
	if n.Kind != tarball.Symlink {
		// A hard link that was finished under its other name has the same mode.
		if err := p.disk.root.Chmod(name, fileMode(n.Mode)); err != nil {
			return err
		}
	}
	st, err := p.disk.lstat(name)
	if err != nil {
		return err
	}
	n.placed.inode, n.placed.ctime, n.placed.size = inodeOf(st), st.Ctim, st.Size
	if st.Ctim.Nano() > p.latest.Nano() {
		p.latest = st.Ctim
	}
	o := Owner{UID: uint32(n.UID), GID: uint32(n.GID)}
	switch n.Kind {
	case tarball.CharDevice:
		o.Type, o.Rdev = unix.S_IFCHR, unix.Mkdev(n.Major, n.Minor)
	case tarball.BlockDevice:
		o.Type, o.Rdev = unix.S_IFBLK, unix.Mkdev(n.Major, n.Minor)
	}
	if o != (Owner{}) {
		p.owners[n.placed.inode] = o
	}
	return nil
}

// settle waits until the clock of the file system has left the latest change
// behind, so that any later change shows in the change time.
func (d *Disk) settle(latest unix.Timespec) error {
	const probe = ".settle"
	for {
		f, err := d.root.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) {
			// The name is taken or the root closed: the clock ticks within this.
			time.Sleep(30 * time.Millisecond)
			return nil
		}
		if err != nil {
			return err
		}
		f.Close()
		st, err := d.lstat(probe)
		if e := d.root.Remove(probe); err == nil {
			err = e
		}
		if err != nil || st.Ctim.Nano() > latest.Nano() {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

func (d *Disk) lstat(name string) (*unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(d.path, name), &st); err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return &st, nil
}

func inodeOf(st *unix.Stat_t) Inode { return Inode{Dev: uint64(st.Dev), Ino: st.Ino} }

// fileMode is the form in which package os takes a mode.
func fileMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	for _, b := range []struct {
		bit  uint32
		mode fs.FileMode
	}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}} {
		if mode&b.bit != 0 {
			m |= b.mode
		}
	}
	return m
}
