package listing

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// Archive is the Nix archive (NAR) that a store path of an image would be.
type Archive struct {
	Hash nixhash.Hash // SHA-256
	Size int64
}

// maxOpen bounds the archives that are made at the same time, and so their buffers.
const maxOpen = 64

// Archives hashes the store paths of img with these base names as a store hashes
// them, of which l is the listing. The layers are read once more. Most have files
// in the order of archives; what comes in another order, or is needed again for a
// hard link, waits in a file below the folder spool ("" for the usual one), never
// in memory. A path is left out that no store can have, or whose contents a layer
// has under no name that is left.
func (l *Listing) Archives(ctx context.Context, img *image.Image, bases []string, spool string) (map[string]Archive, error) {
	a := &archiver{ctx: ctx, names: map[string]*wanted{}, links: map[image.Digest]bool{}, spooled: map[image.Digest]int64{}, buf: make([]byte, 128<<10)}
	want := map[string]bool{}
	for _, b := range bases {
		want[b] = true
	}
	var last *path
	for i := range l.Files {
		base := StorePath(l.Files[i].Name)
		if base == "" || !want[base] {
			continue
		}
		if last == nil || last.base != base {
			last = &path{base: base, sum: sha256.New()}
			a.paths = append(a.paths, last)
		}
		f := &l.Files[i]
		if f.Kind == tarball.Regular && f.Size > 0 {
			if f.Linked {
				a.links[f.Digest] = true
			} else {
				a.names[f.Name] = &wanted{f, last, len(last.files)}
			}
		}
		last.files = append(last.files, f)
	}
	for i := range l.Files { // hard links to files elsewhere
		f := &l.Files[i]
		if f.Kind == tarball.Regular && !f.Linked && a.links[f.Digest] && a.names[f.Name] == nil {
			a.names[f.Name] = &wanted{file: f}
		}
	}
	defer a.close()
	tree := rootfs.NewTree()
	for i, layer := range img.Layers() {
		a.layer = i
		_, err := layer.Read(func(r io.Reader) error {
			return tree.ApplyLooking(r, func(name string, size int64, content io.Reader) (string, error) {
				return "", a.look(name, content, spool)
			})
		})
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	out := map[string]Archive{}
	for _, p := range a.paths {
		if err := a.advance(p); err != nil {
			return nil, err
		}
		if !p.failed && p.at == len(p.files) {
			out[p.base] = Archive{nixhash.Of(nixhash.SHA256, p.sum), p.size}
		}
	}
	return out, nil
}

// path is a store path whose archive is being made.
type path struct {
	base   string
	files  []*File
	at     int         // the first of files that the archive does not have yet
	w      *nar.Writer // nil before it begins and when it has ended
	sum    hash.Hash
	size   int64
	failed bool // there is no archive of it
}

// hashing takes the bytes of an archive, contents those of a file in it, of which
// there may turn out to be too many.
type (
	hashing  struct{ *path }
	contents struct{ *path }
)

func (h hashing) Write(b []byte) (int, error) {
	h.size += int64(len(b))
	return h.sum.Write(b)
}

func (c contents) Write(b []byte) (int, error) {
	if !c.failed {
		_, err := c.w.Write(b)
		c.failed = err != nil
	}
	return len(b), nil
}

// header begins the next file.
func (p *path) header() {
	f := p.files[p.at]
	h := nar.Header{Path: strings.TrimPrefix(strings.TrimPrefix(f.Name, "nix/store/"+p.base), "/")}
	switch f.Kind {
	case tarball.Regular:
		h.Type, h.Size, h.Executable = nar.Regular, f.Size, f.Mode&0o100 != 0
	case tarball.Directory:
		h.Type = nar.Directory
	case tarball.Symlink:
		h.Type, h.Target = nar.Symlink, f.Target
	}
	if p.w == nil {
		p.w = nar.NewWriter(hashing{p})
	}
	p.failed = p.w.WriteHeader(&h) != nil
}

// wanted is a file of a layer whose contents are needed: in the archive of path,
// if that is not nil, and at the latest for hard links to it.
type wanted struct {
	file *File
	path *path
	at   int
}

type archiver struct {
	ctx     context.Context
	layer   int
	paths   []*path
	names   map[string]*wanted
	links   map[image.Digest]bool
	spool   *os.File
	end     int64
	spooled map[image.Digest]int64 // where their bytes begin
	buf     []byte
}

// look takes a file of a layer.
func (a *archiver) look(name string, content io.Reader, spool string) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	want := a.names[name]
	if want == nil || want.file.Layer != a.layer {
		return nil
	}
	f, p, fits := want.file, want.path, false
	sum := sha256.New()
	to := []io.Writer{sum}
	if p != nil && (p.w != nil || a.open() < maxOpen) {
		if err := a.advance(p); err != nil {
			return err
		}
		if fits = !p.failed && p.at == want.at; fits {
			p.header()
			to = append(to, contents{p})
		}
	}
	_, have := a.spooled[f.Digest]
	keep := !have && (a.links[f.Digest] || p != nil && !fits && !p.failed && p.at <= want.at)
	if keep {
		if a.spool == nil {
			var err error
			if a.spool, err = os.CreateTemp(spool, "gonix-image-"); err != nil {
				return err
			}
			// It goes when it is closed, also if the process is killed.
			if err := os.Remove(a.spool.Name()); err != nil {
				return err
			}
		}
		to = append(to, io.NewOffsetWriter(a.spool, a.end))
	}
	if _, err := io.CopyBuffer(io.MultiWriter(to...), content, a.buf); err != nil {
		return err
	}
	right := image.FromSHA256(sum.Sum(nil)) == f.Digest // not an earlier file of that name
	if keep && right {
		a.spooled[f.Digest] = a.end
		a.end += f.Size
	}
	if !fits {
		return nil
	}
	p.failed = p.failed || !right
	p.at++
	return a.advance(p)
}

// open is the number of archives that have begun and not ended.
func (a *archiver) open() int {
	n := 0
	for _, p := range a.paths {
		if p.w != nil {
			n++
		}
	}
	return n
}

// advance writes what the archive of p goes on with, up to contents that have not
// come yet.
func (a *archiver) advance(p *path) error {
	for ; !p.failed && p.at < len(p.files); p.at++ {
		f, at := p.files[p.at], int64(0)
		if filled := f.Kind == tarball.Regular && f.Size > 0; filled {
			var have bool
			if at, have = a.spooled[f.Digest]; !have {
				return nil
			}
			p.header()
			if _, err := io.CopyBuffer(contents{p}, io.NewSectionReader(a.spool, at, f.Size), a.buf); err != nil {
				return err
			}
		} else {
			p.header()
		}
	}
	if p.w != nil {
		p.failed = p.w.Close() != nil || p.failed
		p.w = nil
	}
	return nil
}

func (a *archiver) close() {
	if a.spool != nil {
		a.spool.Close()
	}
}
