// Package tarball writes the tar files that layers are, and compresses them.
//
// A layer is a list of [Entry] values: what each file is called, who owns it,
// and where its bytes come from. [Write] turns the list into a tar whose bytes
// depend on the list and on the contents of the files only: owners, modes and
// times never come from the machine that packs. [Pack] adds compression and
// both digests of a layer in the same pass, and its output is the same whatever
// the number of processors.
//
// The tar is in POSIX ustar form; pax records appear only for a name, size,
// owner or attribute that does not fit.
package tarball

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is what an [Entry] is.
type Kind uint8

// The kinds of files that a layer can hold.
const (
	Regular Kind = iota
	Directory
	Symlink
	HardLink
	CharDevice
	BlockDevice
	Fifo
)

// String names k as an error message does.
func (k Kind) String() string {
	return [...]string{"regular file", "directory", "symbolic link", "hard link", "character device", "block device", "fifo"}[k]
}

// Times that files of an image have, in seconds since 1970.
const (
	// StoreTime is the time of every file of a Nix store.
	StoreTime = 1
	// LayerTime is 1980-01-01, the time that nixpkgs gives to the files of a
	// buildImage layer: the first one that a zip archive can hold.
	LayerTime = 315532800
)

// Entry is one file of a layer.
type Entry struct {
	// Name is relative to the root of the image, without a slash at the end; "."
	// is the root itself.
	Name string
	Kind Kind
	// Mode has the permission bits with setuid, setgid and sticky: 07777.
	Mode uint32
	UID  int
	GID  int
	// User and Group are names of the owners, or "" where the numbers say enough.
	User  string
	Group string
	// Size is the number of bytes of a regular file.
	Size int64
	// Target is what a symbolic link says, or the Name a hard link shares its file with.
	Target string
	Major  uint32
	Minor  uint32
	// Time is the modification time in seconds since 1970.
	Time int64
	// Xattrs are extended attributes, security.capability among them.
	Xattrs map[string]string
	// Source is the file that a regular file's bytes are read from. Where it is
	// empty they are Data.
	Source string
	Data   []byte
	// Origin is the base name of the store path that the file belongs to, if any.
	Origin string
}

// Compare orders names the way a walk finds them: a directory, then what is in
// it, then its next sibling, each by bytes.
func Compare(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			// A slash ends a name, so it comes before any other byte.
			switch {
			case a[i] == '/':
				return -1
			case b[i] == '/':
				return 1
			}
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Sort puts entries into the order of [Compare], the root first.
func Sort(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		switch {
		case a.Name == b.Name:
			return 0
		case a.Name == ".":
			return -1
		case b.Name == ".":
			return 1
		}
		return Compare(a.Name, b.Name)
	})
}

// Stamp says what all files of a store path get in the image.
type Stamp struct {
	UID, GID    int
	User, Group string
	Time        int64
}

func (s Stamp) mark(e *Entry) {
	e.UID, e.GID, e.User, e.Group, e.Time = s.UID, s.GID, s.User, s.Group, s.Time
}

// StoreDirs returns the entries of /nix and /nix/store, which come before every
// store path. They are 0755, so that every user of the image may enter.
func StoreDirs(s Stamp) []Entry {
	dirs := []Entry{
		{Name: "nix", Kind: Directory, Mode: 0o755},
		{Name: "nix/store", Kind: Directory, Mode: 0o755},
	}
	for i := range dirs {
		s.mark(&dirs[i])
	}
	return dirs
}

// StorePath appends the files of the store path base, physically at path, in
// order. Modes are the store's: 0555 for directories and programs, 0444 for
// other files. Files that share an inode are written as files of their own.
func StorePath(entries []Entry, base, path string, s Stamp) ([]Entry, error) {
	return walk(entries, "nix/store/"+base, path, base, s)
}

func walk(entries []Entry, name, path, origin string, s Stamp) ([]Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	e := Entry{Name: name, Origin: origin}
	s.mark(&e)
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.Mode, e.Size, e.Source = 0o444, info.Size(), path
		if mode&0o100 != 0 {
			e.Mode = 0o555
		}
		return append(entries, e), nil
	case mode&fs.ModeSymlink != 0:
		e.Kind, e.Mode = Symlink, 0o777
		if e.Target, err = os.Readlink(path); err != nil {
			return nil, err
		}
		return append(entries, e), nil
	case mode.IsDir():
		e.Kind, e.Mode = Directory, 0o555
		entries = append(entries, e)
		// ReadDir sorts by bytes, which is the order within one directory.
		children, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, c := range children {
			if entries, err = walk(entries, name+"/"+c.Name(), filepath.Join(path, c.Name()), origin, s); err != nil {
				return nil, err
			}
		}
		return entries, nil
	}
	return nil, fmt.Errorf("pack %s: a store path cannot hold a %s", path, strings.TrimLeft(info.Mode().Type().String(), "-"))
}
