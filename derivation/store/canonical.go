package store

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// canonicalTime is the modification time of everything in a store.
const canonicalTime = 1

// Canonicalise gives the tree at path the metadata of a store object: mode 0444
// or 0555, modification time 1, no extended attributes and no ACLs, and the
// current user as owner where that is this process's to decide. It refuses
// trees that hold anything but regular files, directories and symbolic links.
// (Nix: canonicalisePathMetaData)
func Canonicalise(path string) error {
	c := canonicaliser{uid: os.Geteuid(), gid: os.Getegid()}
	return c.tree(path)
}

type canonicaliser struct{ uid, gid int }

func (c *canonicaliser) tree(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	typ := st.Mode & unix.S_IFMT
	if typ != unix.S_IFREG && typ != unix.S_IFDIR && typ != unix.S_IFLNK {
		return fmt.Errorf("file '%s' has an unsupported type", path)
	}
	if err := dropAttributes(path); err != nil {
		return err
	}
	// The owner first: a change of owner may clear mode bits, and needs none.
	if int(st.Uid) != c.uid && c.uid == 0 {
		if err := unix.Lchown(path, c.uid, c.gid); err != nil {
			return &os.PathError{Op: "chown", Path: path, Err: err}
		}
	}
	if typ != unix.S_IFLNK {
		want := uint32(0o444)
		if typ == unix.S_IFDIR || st.Mode&unix.S_IXUSR != 0 {
			want = 0o555
		}
		if uint32(st.Mode)&0o7777 != want {
			if err := unix.Chmod(path, want); err != nil {
				return &os.PathError{Op: "chmod", Path: path, Err: err}
			}
		}
	}
	if typ == unix.S_IFDIR {
		if err := c.children(path); err != nil {
			return err
		}
	}
	if st.Mtim.Sec != canonicalTime || st.Mtim.Nsec != 0 {
		times := []unix.Timespec{st.Atim, {Sec: canonicalTime}}
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &os.PathError{Op: "set time of", Path: path, Err: err}
		}
	}
	return nil
}

func (c *canonicaliser) children(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.tree(path + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

// keptAttributes are those that a system may put on every file and that say
// nothing about its content (Nix: the ignored-acls setting).
var keptAttributes = [...]string{"security.selinux", "system.nfs4_acl", "security.csm"}

func dropAttributes(path string) error {
	var fixed [1024]byte
	list := fixed[:]
	n, err := unix.Llistxattr(path, list)
	if err == unix.ERANGE {
		if n, err = unix.Llistxattr(path, nil); err == nil {
			list = make([]byte, n)
			n, err = unix.Llistxattr(path, list)
		}
	}
	if err == unix.ENOTSUP || err == unix.ENODATA || err == nil && n == 0 {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "list extended attributes of", Path: path, Err: err}
	}
names:
	for name := range bytes.SplitSeq(bytes.TrimSuffix(list[:n], []byte{0}), []byte{0}) {
		for _, kept := range keptAttributes {
			if string(name) == kept {
				continue names
			}
		}
		if err := removeAttribute(path, string(name)); err != nil {
			return &os.PathError{Op: "remove extended attribute " + string(name) + " of", Path: path, Err: err}
		}
	}
	return nil
}

// removeAttribute makes a file writable for a moment where its owner otherwise
// could not drop an attribute.
func removeAttribute(path, name string) error {
	err := unix.Lremovexattr(path, name)
	if err != unix.EACCES {
		return err
	}
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return err
	}
	if e := unix.Chmod(path, uint32(st.Mode)&0o7777|0o200); e != nil {
		return e
	}
	defer unix.Chmod(path, uint32(st.Mode)&0o7777)
	return unix.Lremovexattr(path, name)
}
