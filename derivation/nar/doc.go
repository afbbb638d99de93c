// Package nar reads and writes Nix archives: a file tree goes in, one stream
// of bytes comes out, and the other way round.
//
// The format knows three kinds of nodes (regular files with an executable bit,
// directories, symbolic links) and nothing else: no owner, time, or mode. A tree
// has exactly one archive, since names are sorted by their bytes; a hash of the
// archive is therefore a hash of the tree. The format is defined in the thesis
// "The Purely Functional Software Deployment Model", figure 5.2, and by Nix's
// libutil/archive.cc (dumpPath, parseDump).
//
// [Dump] and [DumpFS] write whole trees, [Restore] makes one on disk; [Writer]
// and [Reader] go entry by entry, in the manner of archive/tar. Nothing here
// holds a file in memory, whatever its size, and the reader accepts only the one
// canonical spelling, so a hostile archive can neither leave its directory nor
// name a file twice.
package nar

import (
	"errors"
	"fmt"
)

const (
	magic = "nix-archive-1"

	// maxPath bounds the path of an entry and the target of a symbolic link,
	// as Linux's PATH_MAX does; it bounds the depth of the tree too.
	maxPath = 4096
)

// ErrFormat is wrapped by every error about bytes that are not an archive.
var ErrFormat = errors.New("bad archive")

// ErrUnsupported is wrapped by the error about a file that is neither regular
// nor a directory nor a symbolic link.
var ErrUnsupported = errors.New("unsupported type")

// Type says which kind of node an entry is.
type Type byte

// The three kinds of nodes.
const (
	Regular Type = 1 + iota
	Directory
	Symlink
)

// String returns the word that the archive itself uses.
func (t Type) String() string {
	switch t {
	case Regular:
		return "regular"
	case Directory:
		return "directory"
	case Symlink:
		return "symlink"
	}
	return "unknown"
}

// Header describes one entry of an archive.
type Header struct {
	Path       string // names joined by slashes; empty for the root
	Type       Type
	Executable bool   // regular files only
	Size       int64  // regular files only: bytes of content
	Offset     int64  // regular files that are read: where in the archive the content begins
	Target     string // symbolic links only
}

// unsupported words the refusal of a device, socket or pipe as Nix does.
func unsupported(path string) error {
	return &unsupportedError{path}
}

type unsupportedError struct{ path string }

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("file '%s' has an unsupported type", e.path)
}

func (e *unsupportedError) Unwrap() error { return ErrUnsupported }

// CheckName reports whether name can stand for one file in a directory of an
// archive.
func CheckName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > maxPath {
		return badName(name)
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return badName(name)
		}
	}
	return nil
}

func badName(name string) error {
	if len(name) > 256 {
		name = name[:256] + "..."
	}
	return fmt.Errorf("%w: NAR contains invalid file name '%s'", ErrFormat, name)
}
