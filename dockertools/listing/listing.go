// Package listing tells what files an image has: an [image.Image] goes in, each
// layer is read once, and the names, owners, sizes and digests of the files come
// out, with whiteouts applied.
//
// Names and links are checked and resolved by package rootfs, as for a base
// image; so an archive that plays tricks is refused with the entry that does.
// File contents pass by and are not kept. [Listing.Archives] reads the layers once
// more, to hash store paths as a store does.
package listing

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// File is a file of the image.
type File struct {
	// Entry has its name without a slash at the beginning; a hard link is what
	// it links to.
	tarball.Entry
	// Digest is of the contents of a regular file.
	Digest image.Digest
	// Layer is the number, from 0, of the layer that brought the file as it is;
	// -1 for a directory that no layer names.
	Layer int
	// Linked says that the layer had it as a hard link, so that its bytes are
	// there under another name too.
	Linked bool
}

// Listing is what an image consists of.
type Listing struct {
	// Files are sorted as a walk finds them; a plain root directory is left out.
	Files []File
	// UnpackedSizes are the lengths of the layers' tars in bytes.
	UnpackedSizes []int64
}

// Watcher sees the contents of regular files go by, one after the other; also
// those that a later layer replaces or deletes.
type Watcher interface {
	// Begin comes before the bytes of the file called name, size of them.
	Begin(name string, size int64)
	io.Writer
	// End comes after them. What was learnt belongs to every file with this digest.
	End(digest image.Digest)
}

// Read reads all layers of img, checks their digests, sizes and files, and shows
// the contents to watchers.
func Read(ctx context.Context, img *image.Image, watchers ...Watcher) (*Listing, error) {
	tree := rootfs.NewTree()
	out := &Listing{}
	look := looking(ctx, watchers)
	for i, l := range img.Layers() {
		size, err := l.Read(func(r io.Reader) error { return tree.ApplyLooking(r, look) })
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i+1, err)
		}
		out.UnpackedSizes = append(out.UnpackedSizes, size)
	}
	tree.Walk(func(f rootfs.Found) {
		out.Files = append(out.Files, File{Entry: f.Entry, Digest: image.Digest(f.Word), Layer: f.Layer - 1, Linked: f.Linked})
	})
	return out, nil
}

// looking hashes files and shows them to the watchers.
func looking(ctx context.Context, watchers []Watcher) rootfs.Look {
	sum := sha256.New()
	writers := []io.Writer{sum}
	for _, w := range watchers {
		writers = append(writers, w)
	}
	all := io.MultiWriter(writers...)
	buf := make([]byte, 256<<10)
	return func(name string, size int64, content io.Reader) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		for _, w := range watchers {
			w.Begin(name, size)
		}
		sum.Reset()
		if _, err := io.CopyBuffer(all, content, buf); err != nil {
			return "", err
		}
		digest := image.FromSHA256(sum.Sum(nil))
		for _, w := range watchers {
			w.End(digest)
		}
		return string(digest), nil
	}
}
