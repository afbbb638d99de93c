package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Validate reads every blob of img and checks every digest and size, that the
// configuration and the manifest agree with the layers, and that the history
// fits.
func Validate(img *Image) error {
	if _, err := img.check(); err != nil {
		return err
	}
	for i, l := range img.layers {
		if err := l.Verify(); err != nil {
			return fmt.Errorf("validate layer %d: %w", i, err)
		}
	}
	return nil
}

// Audit is [Validate] for images of others: it also holds the media types
// against the bytes, and reads the tars with the standard library, which agrees
// with package tarball by no common mistake. A layer names no file twice.
func Audit(img *Image) error {
	m, err := img.check()
	if err != nil {
		return err
	}
	switch m.MediaType {
	case "", MediaTypeManifest, DockerMediaTypeManifest:
	default:
		return fmt.Errorf("validate manifest: it says that it is a '%s'", m.MediaType)
	}
	switch m.Config.MediaType {
	case MediaTypeConfig, DockerMediaTypeConfig:
	default:
		return fmt.Errorf("validate manifest: it has a configuration of type '%s'", m.Config.MediaType)
	}
	if t := img.config.RootFS.Type; t != "layers" {
		return fmt.Errorf("validate configuration: rootfs is of type '%s', not 'layers'", t)
	}
	for i, l := range img.layers {
		kind := layerKind(m.Layers[i].MediaType)
		if kind == "" {
			return fmt.Errorf("validate layer %d: '%s' is no type of layers", i, m.Layers[i].MediaType)
		}
		if _, err := l.read(kind, checkTar); err != nil {
			return fmt.Errorf("validate layer %d: %w", i, err)
		}
	}
	return nil
}

// checkTar reads a tar to its end.
func checkTar(r io.Reader) error {
	names := map[string]bool{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case names[h.Name]:
			return fmt.Errorf("it has the file '%s' twice", h.Name)
		}
		names[h.Name] = true
	}
}

// check checks the manifest and the configuration: their digests and sizes, that
// they agree with the layers, and that the history fits.
func (img *Image) check() (m Manifest, err error) {
	if err := checkBlob("manifest", img.Descriptor(), img.rawManifest); err != nil {
		return m, err
	}
	if err := checkBlob("configuration", img.ConfigDescriptor(), img.rawConfig); err != nil {
		return m, err
	}
	if err := json.Unmarshal(img.rawManifest, &m); err != nil {
		return m, fmt.Errorf("validate manifest: %w", err)
	}
	if m.SchemaVersion != 2 {
		return m, fmt.Errorf("validate manifest: schemaVersion is %d, not 2", m.SchemaVersion)
	}
	if m.Config.Digest != img.configDesc.Digest || m.Config.Size != img.configDesc.Size {
		return m, fmt.Errorf("validate manifest: it names configuration %s, but the image has %s", m.Config.Digest, img.configDesc.Digest)
	}
	cfg, err := ParseConfig(img.rawConfig)
	if err != nil {
		return m, err
	}
	if len(m.Layers) != len(img.layers) || len(cfg.RootFS.DiffIDs) != len(img.layers) {
		return m, fmt.Errorf("validate image: %d layers, %d in the manifest, %d in the configuration", len(img.layers), len(m.Layers), len(cfg.RootFS.DiffIDs))
	}
	if n := filled(cfg.History); len(cfg.History) > 0 && n != len(img.layers) {
		return m, fmt.Errorf("validate image: the history tells of %d layers, but there are %d", n, len(img.layers))
	}
	for i, l := range img.layers {
		if m.Layers[i].Digest != l.Digest || m.Layers[i].Size != l.Size || cfg.RootFS.DiffIDs[i] != l.DiffID {
			return m, fmt.Errorf("validate layer %d: the manifest, the configuration and the layer disagree on digests", i)
		}
	}
	return m, nil
}

func checkBlob(what string, d Descriptor, data []byte) error {
	if got := Sum(data); got != d.Digest || int64(len(data)) != d.Size {
		return fmt.Errorf("validate %s: digest %s of %d bytes, expected %s of %d", what, got, len(data), d.Digest, d.Size)
	}
	return nil
}

// Verify reads the blob of l to its end and compares digest, size and DiffID.
func (l Layer) Verify() error {
	_, err := l.Read(func(io.Reader) error { return nil })
	return err
}

// Read gives the uncompressed tar of l to use, then reads what use left over
// and compares digest, size and DiffID. Whatever use did is to be thrown away
// when Read returns an error. The number is the length of the tar.
func (l Layer) Read(use func(io.Reader) error) (int64, error) { return l.read("", use) }

// read is [Layer.Read] of a layer that must begin as those of type kind do; ""
// for whatever it is.
func (l Layer) read(kind string, use func(io.Reader) error) (int64, error) {
	blob, err := l.Open()
	if err != nil {
		return 0, err
	}
	defer blob.Close()
	digest, diffID := sha256.New(), sha256.New()
	packed := &counter{r: io.LimitReader(blob, l.Size+1)}
	raw := bufio.NewReaderSize(io.TeeReader(packed, digest), 1<<17)
	if kind != "" {
		if got, err := sniff(raw); err != nil {
			return 0, err
		} else if got != kind {
			return 0, fmt.Errorf("layer begins as a '%s' does, but should be a '%s'", got, kind)
		}
	}
	tar, err := Decompress(raw)
	if err != nil {
		return 0, err
	}
	defer tar.Close()
	unpacked := &counter{r: io.TeeReader(tar, diffID), most: unpackedLimit(l.Size), packed: l.Size}
	if err := use(unpacked); err != nil {
		return 0, err
	}
	// What is left of the tar, and of the blob where the compressed stream ends
	// before it.
	for _, r := range []io.Reader{unpacked, raw} {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return 0, fmt.Errorf("read layer %s: %w", l.Digest, err)
		}
	}
	if got := FromSHA256(digest.Sum(nil)); got != l.Digest || packed.n != l.Size {
		return 0, fmt.Errorf("layer has digest %s and %d bytes, expected %s and %d", got, packed.n, l.Digest, l.Size)
	}
	if got := FromSHA256(diffID.Sum(nil)); got != l.DiffID {
		return 0, fmt.Errorf("layer %s unpacks to %s, expected %s", l.Digest, got, l.DiffID)
	}
	return unpacked.n, nil
}

// Compressions by the bytes they begin with.
var magics = []struct {
	magic     []byte
	name      string
	mediaType string
}{
	{[]byte{0x1f, 0x8b}, "gzip", MediaTypeLayerGzip},
	{[]byte{0x28, 0xb5, 0x2f, 0xfd}, "zstd", MediaTypeLayerZstd},
	{[]byte{0xfd, '7', 'z', 'X', 'Z', 0}, "xz", ""},
	{[]byte("BZh"), "bzip2", ""},
}

// SniffLayer returns the media type of a layer that begins with head.
func SniffLayer(head []byte) (string, error) {
	for _, m := range magics {
		if bytes.HasPrefix(head, m.magic) {
			if m.mediaType == "" {
				return "", fmt.Errorf("layer is compressed with %s, which images do not use", m.name)
			}
			return m.mediaType, nil
		}
	}
	return MediaTypeLayer, nil
}

// sniff is [SniffLayer] of what r is about to return.
func sniff(r *bufio.Reader) (string, error) {
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return "", err
	}
	return SniffLayer(head)
}

// Decompress returns what r unpacks to, judging by its first bytes; bytes that
// no known compression begins with are passed through.
func Decompress(r *bufio.Reader) (io.ReadCloser, error) {
	kind, err := sniff(r)
	if err != nil {
		return nil, err
	}
	switch kind {
	case MediaTypeLayerGzip:
		zr, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		return zr, nil
	case MediaTypeLayerZstd:
		// One goroutine, and a window that honest encoders stay within.
		zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, fmt.Errorf("read zstd: %w", err)
		}
		return zr.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// DecompressReader is [Decompress] for readers without a buffer.
func DecompressReader(r io.Reader) (io.ReadCloser, error) {
	return Decompress(bufio.NewReaderSize(r, 1<<17))
}
