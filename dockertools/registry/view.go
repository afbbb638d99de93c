package registry

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"gonix/dockertools/image"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// show shows img to go-containerregistry. Nothing is read before a layer is
// opened.
func show(img *image.Image) (v1.Image, error) {
	m, err := v1.ParseManifest(bytes.NewReader(img.RawManifest()))
	if err != nil {
		return nil, fmt.Errorf("parse manifest: %w", err)
	}
	if len(m.Layers) != len(img.Layers()) {
		return nil, fmt.Errorf("parse manifest: it names %d layers, the image has %d", len(m.Layers), len(img.Layers()))
	}
	return &view{img: img, manifest: m}, nil
}

// view is an image as go-containerregistry sees it.
type view struct {
	img      *image.Image
	manifest *v1.Manifest
}

var _ v1.Image = (*view)(nil)

func (v *view) MediaType() (types.MediaType, error) {
	if v.manifest.MediaType == "" {
		return types.OCIManifestSchema1, nil
	}
	return v.manifest.MediaType, nil
}

func (v *view) Size() (int64, error)     { return v.img.Descriptor().Size, nil }
func (v *view) Digest() (v1.Hash, error) { return v1.NewHash(string(v.img.Digest())) }
func (v *view) ConfigName() (v1.Hash, error) {
	return v1.NewHash(string(v.img.ConfigDescriptor().Digest))
}
func (v *view) RawConfigFile() ([]byte, error)  { return v.img.RawConfig(), nil }
func (v *view) RawManifest() ([]byte, error)    { return v.img.RawManifest(), nil }
func (v *view) Manifest() (*v1.Manifest, error) { return v.manifest.DeepCopy(), nil }
func (v *view) ConfigFile() (*v1.ConfigFile, error) {
	return v1.ParseConfigFile(bytes.NewReader(v.img.RawConfig()))
}

func (v *view) Layers() ([]v1.Layer, error) {
	var out []v1.Layer
	for i, l := range v.img.Layers() {
		out = append(out, &layerView{layer: l, mediaType: v.manifest.Layers[i].MediaType})
	}
	return out, nil
}

func (v *view) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if string(v.img.ConfigDescriptor().Digest) == h.String() {
		raw := v.img.RawConfig()
		return &layerView{mediaType: v.manifest.Config.MediaType, layer: image.Layer{
			Descriptor: v.img.ConfigDescriptor(), DiffID: v.img.ConfigDescriptor().Digest,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
		}}, nil
	}
	return v.find(h, func(l image.Layer) image.Digest { return l.Digest })
}

func (v *view) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	return v.find(h, func(l image.Layer) image.Digest { return l.DiffID })
}

func (v *view) find(h v1.Hash, digest func(image.Layer) image.Digest) (v1.Layer, error) {
	for i, l := range v.img.Layers() {
		if string(digest(l)) == h.String() {
			return &layerView{layer: l, mediaType: v.manifest.Layers[i].MediaType}, nil
		}
	}
	return nil, fmt.Errorf("the image has no layer %s", h)
}

// layerView is a layer as go-containerregistry sees it.
type layerView struct {
	layer     image.Layer
	mediaType types.MediaType
}

var _ v1.Layer = (*layerView)(nil)

func (l *layerView) Digest() (v1.Hash, error)            { return v1.NewHash(string(l.layer.Digest)) }
func (l *layerView) DiffID() (v1.Hash, error)            { return v1.NewHash(string(l.layer.DiffID)) }
func (l *layerView) Size() (int64, error)                { return l.layer.Size, nil }
func (l *layerView) MediaType() (types.MediaType, error) { return l.mediaType, nil }

// Compressed returns the blob. Where its bytes are not those that the
// descriptor promises, reading ends in an error, so that a damaged archive is
// told from a registry that refuses what it gets.
func (l *layerView) Compressed() (io.ReadCloser, error) {
	r, err := l.layer.Open()
	if err != nil {
		return nil, &SourceError{fmt.Errorf("open layer %s: %w", l.layer.Digest, err)}
	}
	return &checkedReader{r: r, sum: sha256.New(), want: l.layer.Descriptor}, nil
}

// Uncompressed returns the tar.
func (l *layerView) Uncompressed() (io.ReadCloser, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	tar, err := image.DecompressReader(r)
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("layer %s: %w", l.layer.Digest, err)
	}
	return &both{tar, r}, nil
}

type both struct {
	io.ReadCloser
	under io.Closer
}

func (b *both) Close() error { return errors.Join(b.ReadCloser.Close(), b.under.Close()) }

// SourceError is an error of reading the image, not of the registry.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *SourceError) Unwrap() error { return e.Err }

// checkedReader compares length and digest of what is read with a descriptor.
type checkedReader struct {
	r    io.ReadCloser
	sum  hash.Hash
	n    int64
	want image.Descriptor
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	switch {
	case c.n > c.want.Size:
		return 0, c.damaged()
	case err == io.EOF && (c.n != c.want.Size || image.FromSHA256(c.sum.Sum(nil)) != c.want.Digest):
		return 0, c.damaged()
	case err != nil && err != io.EOF:
		return n, &SourceError{fmt.Errorf("read layer %s: %w", c.want.Digest, err)}
	case err == nil && c.n == c.want.Size && image.FromSHA256(c.sum.Sum(nil)) != c.want.Digest:
		// A sender that knows the length does not ask for the end.
		return 0, c.damaged()
	}
	return n, err
}

func (c *checkedReader) damaged() error {
	return &SourceError{fmt.Errorf("layer %s is damaged: its bytes do not have that digest", c.want.Digest)}
}

func (c *checkedReader) Close() error { return c.r.Close() }
