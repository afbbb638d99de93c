package eval

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"gonix/derivation/nar"
	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// Mount makes the files of FS appear below the absolute directory Path.
type Mount struct {
	Path string
	FS   fs.FS
}

// Files is the file system that expressions see: mounts, the files of <nix/…>,
// the store at its logical place, and this machine's files everywhere else. It
// implements [nar.FileSystem]: no method follows a symbolic link. The zero value
// has no mounts.
type Files struct {
	Mounts []Mount
	// Physical maps a path below /nix/store to where the store keeps it; nil
	// takes it as it is.
	Physical func(logical string) string

	dirs map[string]struct{} // what was seen to be a directory; nil remembers none
}

var _ nar.FileSystem = Files{}

//go:embed corepkgs
var core embed.FS

// coreMount has the files of <nix/…>. It is in all Files: they may be copied to
// the store as any other.
var coreMount = Mount{Path: value.CoreDir, FS: sub(core, "corepkgs")}

// sub is fs.Sub for a directory that is known to exist.
func sub(f fs.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic("eval: " + err.Error())
	}
	return s
}

// holds reports whether p lies in the mount, and returns its name there.
func (m *Mount) holds(p string) (name string, ok bool) {
	if p == m.Path {
		return ".", true
	}
	rest, ok := strings.CutPrefix(p, m.Path)
	if !ok || rest[0] != '/' {
		return "", false
	}
	return rest[1:], true
}

// mount returns the mount that holds p and p's name in it.
func (f Files) mount(p string) (m *Mount, name string) {
	for i := range f.Mounts {
		m := &f.Mounts[i]
		if name, ok := m.holds(p); ok {
			return m, name
		}
	}
	if name, ok := coreMount.holds(p); ok {
		return &coreMount, name
	}
	return nil, ""
}

// aboveMount reports whether a mount lies below p.
func (f Files) aboveMount(p string) bool {
	if p == "/" {
		return true
	}
	for i := range f.Mounts {
		if strings.HasPrefix(f.Mounts[i].Path, p+"/") {
			return true
		}
	}
	return false
}

// local is where this machine keeps p.
func (f Files) local(p string) string {
	if f.Physical != nil && (p == storepath.Dir || strings.HasPrefix(p, storepath.Dir+"/")) {
		return f.Physical(p)
	}
	return p
}

// Local returns where this machine keeps what lies at p; "" if that is part of a
// mount.
func (f Files) Local(p string) string {
	if m, _ := f.mount(p); m != nil {
		return ""
	}
	return f.local(p)
}

// aboveStore reports whether p is the store or a directory above it: they are
// there even if nothing was put into the store yet.
func aboveStore(p string) bool { return below(storepath.Dir, p) }

// Lstat returns what lies at p. The directories above a mount exist.
func (f Files) Lstat(p string) (fs.FileInfo, error) {
	if m, name := f.mount(p); m != nil {
		return fs.Lstat(m.FS, name)
	}
	info, err := os.Lstat(f.local(p))
	if err != nil && errors.Is(err, fs.ErrNotExist) && (f.aboveMount(p) || aboveStore(p)) {
		return directoryInfo(path.Base(p)), nil
	}
	return info, err
}

// directoryInfo describes a directory that exists only because of a mount.
type directoryInfo string

func (d directoryInfo) Name() string     { return string(d) }
func (directoryInfo) Size() int64        { return 0 }
func (directoryInfo) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (directoryInfo) ModTime() time.Time { return time.Time{} }
func (directoryInfo) IsDir() bool        { return true }
func (directoryInfo) Sys() any           { return nil }

// ReadDir returns the names in the directory p.
func (f Files) ReadDir(p string) ([]string, error) {
	entries, err := f.Entries(p)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Entries returns what is in the directory p, sorted by name.
func (f Files) Entries(p string) ([]fs.DirEntry, error) {
	if m, name := f.mount(p); m != nil {
		return fs.ReadDir(m.FS, name)
	}
	entries, err := os.ReadDir(f.local(p))
	if p == storepath.Dir && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Open opens the regular file at p.
func (f Files) Open(p string) (io.ReadCloser, error) {
	if m, name := f.mount(p); m != nil {
		return m.FS.Open(name)
	}
	return os.Open(f.local(p))
}

// Readlink returns the target of the symbolic link at p.
func (f Files) Readlink(p string) (string, error) {
	if m, name := f.mount(p); m != nil {
		return fs.ReadLink(m.FS, name)
	}
	return os.Readlink(f.local(p))
}

// maxLinks bounds how many symbolic links one path may lead through.
const maxLinks = 1024

// Resolve follows the symbolic links in the directories on the way to p, and p
// itself if last is set. A target that is missing is an error for which
// errors.Is(err, fs.ErrNotExist) holds, unless it is p itself and last is not
// set.
func (f Files) Resolve(p string, last bool) (string, error) {
	done := ""
	rest := strings.TrimPrefix(path.Clean(p), "/")
	for links := 0; rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		next := done + "/" + name
		if more == "" && !last {
			return next, nil
		}
		if _, known := f.dirs[next]; known {
			done, rest = next, more
			continue
		}
		info, err := f.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.IsDir() && f.dirs != nil {
			f.dirs[next] = struct{}{}
		}
		if info.Mode().Type() != fs.ModeSymlink {
			done, rest = next, more
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("infinite symlink recursion in path '%s'", p)
		}
		target, err := f.Readlink(next)
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(target, "/") {
			target = done + "/" + target
		}
		done, rest = "", strings.TrimPrefix(path.Clean(target+"/"+more), "/")
	}
	if done == "" {
		return "/", nil
	}
	return done, nil
}

// ReadFile returns the content of the file at p, following symbolic links.
func (f Files) ReadFile(p string) ([]byte, error) {
	var b bytes.Buffer
	err := f.readInto(&b, p)
	return b.Bytes(), err
}

// ReadText is ReadFile for what is wanted as a string.
func (f Files) ReadText(p string) (string, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	err := f.readInto(b, p)
	return b.String(), err
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (f Files) readInto(b *bytes.Buffer, p string) error {
	p, err := f.Resolve(p, true)
	if err != nil {
		return err
	}
	r, err := f.Open(p)
	if err != nil {
		return err
	}
	defer r.Close()
	if file, ok := r.(fs.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			b.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	_, err = b.ReadFrom(r)
	return err
}
