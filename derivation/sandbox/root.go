package sandbox

import (
	"io"
)

// Bind makes a physical file or directory visible below the root, read-only.
type Bind struct {
	Source string // physical
	Target string // absolute, in the root
}

// RootCommand is a program that runs as root of a directory tree.
type RootCommand struct {
	// Root is the physical directory that becomes /. The program may change it
	// as it likes; mount points that are made in it for the run are removed
	// again.
	Root string

	// Binds are read-only; those below /nix/store are all that is there.
	Binds []Bind

	Args []string // Args[0] is the program, absolute
	Env  []string
	Dir  string // working directory; "" for /

	Log io.Writer // standard output and standard error

	// Owners are owners of files in Root that real root would have had to set.
	// Files that are not in the table belong to 0:0.
	Owners OwnerTable
}

// Ino identifies a file of a machine, as stat tells.
type Ino struct {
	Dev, Ino uint64
}

// Owner is what is recorded of a file. Permission bits are never part of it:
// those of the file itself count, setuid and setgid included.
type Owner struct {
	UID, GID uint32

	// Type is 0 or, for a device made with mknod, S_IFCHR or S_IFBLK. On disk
	// an empty regular file stands for the device.
	Type uint32
	Rdev uint64 // the device's number, encoded as by stat
}

// OwnerTable says of files to whom they belong. Files that are not in it belong
// to 0:0.
type OwnerTable map[Ino]Owner
