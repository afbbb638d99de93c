package tarball

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"gonix/dockertools/image"
)

// Compression is how the tar of a layer is compressed.
type Compression struct {
	// Name is what a Nix expression calls it.
	Name string
	// MediaType is that of a layer so compressed.
	MediaType string
	// open returns a writer that compresses to w; nil leaves the tar as it is.
	open func(w io.Writer, cores int) (io.WriteCloser, error)
}

// Compressions has every compression that a layer can have.
var Compressions = [...]Compression{
	{Name: "none", MediaType: image.MediaTypeLayer},
	{Name: "gz", MediaType: image.MediaTypeLayerGzip, open: func(w io.Writer, cores int) (io.WriteCloser, error) {
		return newGzipWriter(w, cores), nil
	}},
	{Name: "zstd", MediaType: image.MediaTypeLayerZstd, open: func(w io.Writer, cores int) (io.WriteCloser, error) {
		// The encoder's stream is the same at every concurrency; one-shot encoding is not.
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(max(cores, 1)), zstd.WithWindowSize(4<<20))
	}},
}

// ParseCompression returns the compression of the given name.
func ParseCompression(name string) (Compression, error) {
	var names []string
	for _, c := range Compressions {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Compression{}, fmt.Errorf("compressor '%s' is unknown; there are %s", name, strings.Join(names, ", "))
}
