// Package listing tells what files an image has: an [image.Image] goes in, each
// layer is read once, and the names, owners, sizes and digests of the files come
// out, with whiteouts applied.
//
// Names and links are checked and resolved by package rootfs, as for a base
// image; so an archive that plays tricks is refused with the entry that does.
// File contents pass by and are not kept.
package listing

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// maxFiles bounds what a hostile layer can fill memory with.
const maxFiles = 4_000_000

// File is a file of the image.
type File struct {
	// Entry has its name without a slash at the beginning; a hard link is what
	// it links to.
	tarball.Entry
	// Digest is of the contents of a regular file; "" where a layer wrote it
	// through a symbolic link to a directory.
	Digest image.Digest
}

// Listing is what an image consists of.
type Listing struct {
	// Files are sorted as a walk finds them; a plain root directory is left out.
	Files []File
	// UnpackedSizes are the lengths of the layers' tars in bytes.
	UnpackedSizes []int64
}

// Read reads all layers of img and checks their digests, sizes and files.
func Read(ctx context.Context, img *image.Image) (*Listing, error) {
	tree := rootfs.NewTree()
	digests := map[string]image.Digest{}
	out := &Listing{}
	for i, l := range img.Layers() {
		size, err := l.Read(func(r io.Reader) error { return readLayer(ctx, r, tree, digests) })
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i+1, err)
		}
		out.UnpackedSizes = append(out.UnpackedSizes, size)
	}
	for _, e := range tree.Added() {
		f := File{Entry: e}
		if e.Kind == tarball.Regular {
			f.Digest = digests[e.Name]
		}
		out.Files = append(out.Files, f)
	}
	return out, nil
}

// readLayer gives the tar to the tree and hashes the files meanwhile.
func readLayer(ctx context.Context, r io.Reader, tree *rootfs.Tree, digests map[string]image.Digest) error {
	pr, pw := io.Pipe()
	applied := make(chan error, 1)
	go func() {
		err := tree.Apply(pr, nil)
		if err == nil {
			// What follows the end of the tar.
			_, err = io.Copy(io.Discard, pr)
		}
		pr.CloseWithError(err)
		applied <- err
	}()
	err := hashFiles(ctx, io.TeeReader(r, pw), digests)
	pw.CloseWithError(err)
	if e := <-applied; e != nil {
		// The tree's error says which entry; ours may only say that it stopped.
		return e
	}
	return err
}

func hashFiles(ctx context.Context, r io.Reader, digests map[string]image.Digest) error {
	tr := tar.NewReader(r)
	buf := make([]byte, 256<<10)
	sum := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if err == io.EOF {
			_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf)
			return err
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		if len(digests) >= maxFiles {
			return fmt.Errorf("read layer: more than %d files", maxFiles)
		}
		name := clean(h.Name)
		delete(digests, name)
		switch h.Typeflag {
		case tar.TypeReg:
			sum.Reset()
			if _, err := io.CopyBuffer(struct{ io.Writer }{sum}, tr, buf); err != nil {
				return fmt.Errorf("read layer: %s: %w", h.Name, err)
			}
			digests[name] = image.FromSHA256(sum.Sum(nil))
		case tar.TypeLink:
			if d, ok := digests[clean(h.Linkname)]; ok {
				digests[name] = d
			}
		}
	}
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }
