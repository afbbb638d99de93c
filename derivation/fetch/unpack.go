package fetch

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"gonix/derivation/build"
	"gonix/derivation/storepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
)

// Unpack is the Builder behind builtin:unpack: it takes the archives that the
// environment's srcs names apart into the output out, one over the other; or, in
// a fixed-output derivation, the one archive that lies at any of urls.
//
// It knows Debian packages, tar files (plain or compressed with gzip, bzip2,
// xz or zstd) and zip files, told apart by their first bytes. With stripRoot =
// "1" the one folder at the top of each archive is left out. Owners, times and
// special mode bits are dropped; device nodes are refused; no archive can
// write outside its output, whatever its names and links say.
type Unpack struct {
	// URL downloads; nil refuses urls.
	URL *URL
}

var _ build.Builder = (*Unpack)(nil)

// Build unpacks.
func (u *Unpack) Build(ctx context.Context, job *build.Job) error {
	dest, ok := job.Dest["out"]
	if !ok {
		return errors.New("builtin:unpack: the derivation has no output 'out'")
	}
	srcs, urls := strings.Fields(job.Drv.Env["srcs"]), strings.Fields(job.Drv.Env["urls"])
	switch {
	case len(srcs) == 0 && len(urls) == 0:
		return errors.New("builtin:unpack: the derivation names neither 'srcs' nor 'urls'")
	case len(urls) > 0 && (u.URL == nil || !job.Drv.IsFixedOutput()):
		return errors.New("builtin:unpack: only a derivation with an 'outputHash' may download 'urls'")
	}
	if err := os.Mkdir(dest, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		return err
	}
	defer root.Close()
	t := &tree{ctx: ctx, root: root, strip: job.Drv.Env["stripRoot"] == "1"}
	for i, src := range srcs {
		p, err := storepath.Parse(src)
		if err != nil {
			return fmt.Errorf("builtin:unpack: %w", err)
		}
		job.Report(build.Event{Kind: build.Bytes, Done: int64(i), Total: int64(len(srcs)), Text: p.Name()})
		t.top = ""
		if err := t.unpack(job.Store.RealPath(p)); err != nil {
			return fmt.Errorf("unpack '%s': %w", src, err)
		}
	}
	if len(urls) == 0 {
		return nil
	}
	// What is fixed is the content, so no hash of the archive is known.
	file, done, err := u.URL.fetch(ctx, job, urls, nil)
	if err != nil {
		return err
	}
	defer done()
	t.top = ""
	if err := t.unpack(file.Name()); err != nil {
		return fmt.Errorf("unpack '%s': %w", urls[0], err)
	}
	return nil
}

// tree is an output that grows.
type tree struct {
	ctx   context.Context
	root  *os.Root
	strip bool
	top   string // the folder that strip leaves out, once seen
	// newest is the time of the youngest entry so far.
	newest time.Time
	buf    [256 << 10]byte
}

func (t *tree) unpack(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	br := bufio.NewReaderSize(f, 256<<10)
	magic, err := br.Peek(8)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("!<arch>\n")):
		return t.deb(br)
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		st, err := f.Stat()
		if err != nil {
			return err
		}
		return t.zip(f, st.Size())
	}
	return t.compressedTar(br)
}

// deb unpacks the data.tar member of a Debian package (deb(5)).
func (t *tree) deb(r io.Reader) error {
	ar := newArReader(r)
	for {
		name, body, err := ar.next()
		if err == io.EOF {
			return errors.New("the package holds no data.tar")
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "data.tar") {
			return t.compressedTar(bufio.NewReaderSize(body, 256<<10))
		}
	}
}

func (t *tree) compressedTar(br *bufio.Reader) error {
	r, closeFn, err := decompress(br)
	if err != nil {
		return err
	}
	defer closeFn()
	return t.tar(r)
}

// decompress recognises the compression by its first bytes.
func decompress(br *bufio.Reader) (io.Reader, func(), error) {
	magic, err := br.Peek(6)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	nothing := func() {}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		return z, nothing, err
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bzip2.NewReader(br), nothing, nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		z, err := xz.NewReader(br, 0)
		return z, nothing, err
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br)
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return br, nothing, nil
}

func (t *tree) tar(r io.Reader) error {
	tr := tar.NewReader(r)
	for seen := false; ; seen = true {
		if err := t.ctx.Err(); err != nil {
			return context.Cause(t.ctx)
		}
		h, err := tr.Next()
		if err == io.EOF {
			if !seen {
				return errors.New("neither a Debian package nor a tar or zip archive with files in it")
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if h.ModTime.After(t.newest) && h.Typeflag != tar.TypeXGlobalHeader {
			t.newest = h.ModTime
		}
		name, err := t.place(h.Name)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = t.dir(name)
		case tar.TypeReg:
			err = t.file(name, tr, h.Mode&0o111 != 0)
		case tar.TypeSymlink:
			err = t.symlink(h.Linkname, name)
		case tar.TypeLink:
			err = t.link(h.Linkname, name)
		case tar.TypeXGlobalHeader:
		default:
			err = fmt.Errorf("an entry of type '%c' (a device or pipe) cannot be part of a store path", h.Typeflag)
		}
		if err != nil {
			return fmt.Errorf("entry '%s': %w", h.Name, err)
		}
	}
}

func (t *tree) zip(f io.ReaderAt, size int64) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	for _, e := range z.File {
		if err := t.ctx.Err(); err != nil {
			return context.Cause(t.ctx)
		}
		if e.Modified.After(t.newest) {
			t.newest = e.Modified
		}
		name, err := t.place(e.Name)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		if err := t.zipEntry(e, name); err != nil {
			return fmt.Errorf("entry '%s': %w", e.Name, err)
		}
	}
	return nil
}

func (t *tree) zipEntry(e *zip.File, name string) error {
	mode := e.Mode()
	if mode.IsDir() {
		return t.dir(name)
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if mode&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(r, 4096))
		if err != nil {
			return err
		}
		return t.symlink(string(target), name)
	}
	return t.file(name, r, mode&0o111 != 0)
}

// place turns an entry's name into a path below the root; "" is the root
// itself.
func (t *tree) place(name string) (string, error) {
	if strings.Contains(name, "\x00") {
		return "", fmt.Errorf("entry '%q': a name with a zero byte", name)
	}
	clean := path.Clean("/" + name)[1:]
	for _, part := range strings.Split(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("entry '%s': leads outside the archive", name)
		}
	}
	if !t.strip || clean == "" {
		return clean, nil
	}
	first, rest, _ := strings.Cut(clean, "/")
	switch {
	case t.top == "":
		t.top = first
	case t.top != first:
		return "", fmt.Errorf("the archive has more than one file or folder at its top ('%s' and '%s'); set stripRoot = false to keep them all", t.top, first)
	}
	return rest, nil
}

func (t *tree) dir(name string) error {
	if st, err := t.root.Lstat(name); err == nil && !st.IsDir() {
		// A package may spell as a folder what another made a link to one.
		if target, err := t.root.Stat(name); err == nil && target.IsDir() {
			return nil
		}
		if err := t.root.Remove(name); err != nil {
			return err
		}
	}
	return t.root.MkdirAll(name, 0o755)
}

// make clears the way for a new file called name.
func (t *tree) make(name string) error {
	if dir := path.Dir(name); dir != "." {
		if err := t.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	st, err := t.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case st.IsDir():
		return errors.New("a folder of that name is there already")
	}
	return t.root.Remove(name)
}

func (t *tree) file(name string, r io.Reader, executable bool) error {
	if err := t.make(name); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	f, err := t.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, r, t.buf[:]); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (t *tree) symlink(target, name string) error {
	if err := t.make(name); err != nil {
		return err
	}
	return t.root.Symlink(target, name)
}

func (t *tree) link(target, name string) error {
	from, err := t.place(target)
	if err != nil {
		return err
	}
	if from == name {
		return nil
	}
	if err := t.make(name); err != nil {
		return err
	}
	return t.root.Link(from, name)
}
