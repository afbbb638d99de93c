package archive

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"gonix/dockertools/image"
)

const (
	// maxMembers bounds the files of an archive; an image has a few a layer.
	maxMembers = 100_000
	// maxMetadata bounds what is read of configurations, manifests and indexes
	// together, however often they name each other; each counts readCost more.
	maxMetadata = 64 << 20
	readCost    = 4 << 10
)

// Archive is an image archive opened for reading.
type Archive struct {
	ctx     context.Context
	name    string
	members map[string]member
	closers []func() error
	// unread is what is left of maxMetadata.
	unread int64
	other  string // media type of something that is no image, "" for none
}

// member is a file of the archive, or a link to another.
type member struct {
	size int64
	open func() (io.ReadCloser, error)
	link string // another member's name
	sums *sums
}

// sums are digests of a file, "" until they are wanted.
type sums struct{ packed, unpacked image.Digest }

// Open opens the image archive at name: a tar, compressed or not, or a
// directory with an OCI layout. A compressed archive is unpacked to a file in
// spoolDir, whose name is removed at once. When ctx ends, so does all reading,
// that of layers too.
func Open(ctx context.Context, name, spoolDir string) (*Archive, error) {
	a := &Archive{ctx: ctx, name: name, members: map[string]member{}}
	if err := a.open(spoolDir); err != nil {
		a.Close()
		return nil, fmt.Errorf("read image archive %s: %w", name, err)
	}
	return a, nil
}

// Close releases the files of a. Layers of its images cannot be opened afterwards.
func (a *Archive) Close() error {
	var errs []error
	for _, c := range a.closers {
		errs = append(errs, c())
	}
	a.closers = nil
	return errors.Join(errs...)
}

func (a *Archive) open(spoolDir string) error {
	// To open a pipe would wait for whoever writes to it.
	info, err := os.Stat(a.name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return a.indexDir()
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is neither a file nor a directory")
	}
	f, err := os.Open(a.name)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, f.Close)
	tarFile, err := a.plain(f, spoolDir)
	if err != nil {
		return err
	}
	return a.indexTar(tarFile)
}

// unpackers has the compressions that a whole archive may have.
var unpackers = []struct {
	magic string
	open  func(io.Reader) (io.Reader, error)
}{
	{"\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	}},
	{"\xfd7zXZ\x00", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, 0) }},
	{"BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
}

// plain returns f, or a file that holds what it unpacks to.
func (a *Archive) plain(f *os.File, spoolDir string) (*os.File, error) {
	head := make([]byte, 6)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if text := string(head[:n]); strings.HasPrefix(text, "\x7fELF") || strings.HasPrefix(text, "#!") {
		return nil, errors.New("it is a program, not an archive; one that streamLayeredImage made writes the archive to its standard output")
	}
	for _, u := range unpackers {
		if !strings.HasPrefix(string(head[:n]), u.magic) {
			continue
		}
		r, err := u.open(bufio.NewReaderSize(f, 1<<17))
		if err != nil {
			return nil, err
		}
		spool, err := newSpool(spoolDir, "archive")
		if err != nil {
			return nil, err
		}
		a.closers = append(a.closers, spool.Close)
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(spool, whileWanted{a.ctx, image.Bounded(r, info.Size())}); err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		_, err = spool.Seek(0, io.SeekStart)
		return spool, err
	}
	return f, nil
}

// newSpool makes a file that nobody else sees and that goes when it is closed,
// also if that is because the process was killed.
func newSpool(dir, name string) (*os.File, error) {
	f, err := os.CreateTemp(dir, name)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// whileWanted is r until ctx ends.
type whileWanted struct {
	ctx context.Context
	io.Reader
}

func (w whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Reader.Read(p)
}

func (a *Archive) indexTar(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tr := tar.NewReader(f)
	var odd error // the first member that no image archive has
	for {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if err == io.EOF {
			if !a.namesImages() {
				return nil // which will be said
			}
			return odd
		}
		if err != nil && len(a.members) == 0 {
			return fmt.Errorf("it is no tar archive, compressed or not: %w", err)
		}
		if err != nil {
			return fmt.Errorf("read tar: %w", err)
		}
		if len(a.members) >= maxMembers {
			return fmt.Errorf("it has more than %d files", maxMembers)
		}
		// The reader takes exactly the header's blocks, so the data begins here.
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg && h.Size > info.Size()-at {
			return fmt.Errorf("%s is cut short: %d bytes of %d", h.Name, max(0, info.Size()-at), h.Size)
		}
		if err := a.add(h, f, at); err != nil && odd == nil {
			odd = err
		}
	}
}

// add enters a member of the tar f whose data begin at the offset.
func (a *Archive) add(h *tar.Header, f *os.File, at int64) error {
	name, err := memberName(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		for record := range h.PAXRecords {
			if strings.HasPrefix(record, "GNU.sparse.") {
				return fmt.Errorf("%s is a sparse file, which image archives do not have", h.Name)
			}
		}
		size := h.Size
		a.members[name] = member{size: size, sums: &sums{}, open: func() (io.ReadCloser, error) {
			return section{a.ctx, io.NewSectionReader(f, at, size)}, nil
		}}
	case tar.TypeSymlink, tar.TypeLink:
		target := h.Linkname
		if h.Typeflag == tar.TypeSymlink && !path.IsAbs(target) {
			// docker save links layers that several images share.
			target = path.Join(path.Dir(name), target)
		}
		if target, err = memberName(target); err != nil {
			return err
		}
		a.members[name] = member{link: target}
	case tar.TypeDir, tar.TypeXGlobalHeader:
	default:
		return fmt.Errorf("%s is of a kind that image archives do not have (%q)", h.Name, h.Typeflag)
	}
	return nil
}

// section is a member of a tar; whoever knows [io.SectionReader.Outer] finds out
// where in the file it is.
type section struct {
	ctx context.Context
	*io.SectionReader
}

func (s section) Read(p []byte) (int, error) { return whileWanted{s.ctx, s.SectionReader}.Read(p) }
func (section) Close() error                 { return nil }

func (a *Archive) indexDir() error {
	root, err := os.OpenRoot(a.name)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, root.Close)
	add := func(name string) error {
		info, err := root.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			a.members[name] = member{size: info.Size(), sums: &sums{}, open: func() (io.ReadCloser, error) {
				f, err := root.Open(name)
				return blobFile{a.ctx, f}, err
			}}
		}
		return nil
	}
	for _, name := range []string{"oci-layout", "index.json", "manifest.json"} {
		if err := add(name); err != nil {
			return err
		}
	}
	blobs, err := os.ReadDir(filepath.Join(a.name, blobDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, b := range blobs {
		if err := add(blobDir + b.Name()); err != nil {
			return err
		}
	}
	return nil
}

// blobFile is a file of a directory.
type blobFile struct {
	ctx context.Context
	*os.File
}

func (b blobFile) Read(p []byte) (int, error) { return whileWanted{b.ctx, b.File}.Read(p) }

// memberName cleans a name of the archive; one that leads out of it is refused.
func memberName(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			if clean := path.Clean(name); clean == ".." || strings.HasPrefix(clean, "../") || path.IsAbs(name) {
				return "", fmt.Errorf("member '%s' leads out of the archive", name)
			}
		}
	}
	if path.IsAbs(name) {
		return "", fmt.Errorf("member '%s' has an absolute name", name)
	}
	return path.Clean(name), nil
}

// find returns the file called name, following links.
func (a *Archive) find(name string) (member, bool) {
	for range 8 {
		m, ok := a.members[path.Clean(name)]
		if !ok || m.link == "" {
			return m, ok
		}
		name = m.link
	}
	return member{}, false
}

// read returns the whole of a small file.
func (a *Archive) read(name string) ([]byte, error) {
	m, ok := a.find(name)
	if !ok {
		return nil, fmt.Errorf("it has no %s", name)
	}
	if m.size > image.MaxMetadata {
		return nil, fmt.Errorf("%s has %d bytes, but clients take no more than %d MiB", name, m.size, image.MaxMetadata>>20)
	}
	if a.unread -= m.size + readCost; a.unread < 0 {
		return nil, fmt.Errorf("its indexes, manifests and configurations take more than %d MiB together", maxMetadata>>20)
	}
	r, err := m.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
