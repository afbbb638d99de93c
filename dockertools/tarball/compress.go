package tarball

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"gonix/dockertools/image"
)

// Compression is how the tar of a layer is compressed: cut into blocks of one
// size, each of which is compressed by itself, so that the output does not
// depend on how many are compressed at a time.
type Compression struct {
	// Name is what a Nix expression calls it.
	Name string
	// MediaType is that of a layer so compressed.
	MediaType string
	// Recipe names how the bytes come about. It changes whenever the same tar
	// would be compressed to other bytes than before.
	Recipe string
	block  int
	// window is how much of the block before a block may refer to.
	window int
	// head comes before the blocks, and what tail makes of the CRC-32 and the
	// length of the tar comes behind them.
	head []byte
	tail func(crc uint32, size int64) []byte
	// encoder makes what compresses blocks; nil leaves the tar as it is.
	encoder func() encoder
}

// encoder compresses blocks, one at a time.
type encoder interface {
	// encode appends the compressed block, number n of its layer, to dst. The window
	// is the end of the block before; last says that no block follows.
	encode(dst, block, window []byte, n int, last bool) []byte
}

const (
	plainBlock = 1 << 20
	gzipBlock  = 1 << 20
	gzipWindow = 32 << 10
	gzipLevel  = 6
	zstdBlock  = 5 << 20
	zstdWindow = 8 << 20
	// zstdFast is how many blocks have one among them that is compressed at the
	// fastest level. The library has nothing between that level and the default,
	// which alone takes a third longer than zstd does; so it makes 1 % more bytes than zstd.
	zstdFast = 4
)

// Compressions has every compression that a layer can have.
var Compressions = [...]Compression{
	{Name: "none", MediaType: image.MediaTypeLayer, Recipe: "none", block: plainBlock},
	{
		// One member, whose header has no name, no time and an unknown operating
		// system, of deflate blocks that end at whole bytes.
		Name: "gz", MediaType: image.MediaTypeLayerGzip, Recipe: "gz-6-1M", block: gzipBlock, window: gzipWindow,
		head: []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255},
		tail: func(crc uint32, size int64) []byte {
			return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, crc), uint32(size))
		},
		encoder: func() encoder { return new(deflater) },
	},
	{
		// Frames that follow one another. All decoders take them for one stream.
		Name: "zstd", MediaType: image.MediaTypeLayerZstd, Recipe: "zstd-default-3-fastest-1-5M", block: zstdBlock,
		encoder: newFramer,
	},
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

// deflater makes pieces of one deflate stream.
type deflater struct{ w *flate.Writer }

func (d *deflater) encode(dst, block, window []byte, _ int, last bool) []byte {
	out := appender{dst}
	if d.w == nil {
		var err error
		if d.w, err = flate.NewWriterDict(&out, gzipLevel, window); err != nil {
			panic("tarball: " + err.Error()) // the level is a constant
		}
	} else {
		d.w.ResetDict(&out, window)
	}
	// Writing to memory does not fail.
	d.w.Write(block)
	if last {
		d.w.Close()
	} else {
		d.w.Flush()
	}
	return out.data
}

// appender is a writer to memory that is given.
type appender struct{ data []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
}

// framer makes a zstd frame of each block.
type framer struct{ usual *zstd.Encoder }

func newFramer() encoder { return framer{newZstd(zstd.SpeedDefault)} }

// fastest is the encoder of the fastest level. There is one, for the sake of memory;
// those who use it at the same time wait for one another.
var fastest = sync.OnceValue(func() *zstd.Encoder { return newZstd(zstd.SpeedFastest) })

func newZstd(level zstd.EncoderLevel) *zstd.Encoder {
	// Checksums would tell what the digest of the layer tells already.
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(zstdWindow), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	if err != nil {
		panic("tarball: " + err.Error()) // the options are constants
	}
	return e
}

func (f framer) encode(dst, block, _ []byte, n int, _ bool) []byte {
	if n%zstdFast == zstdFast-1 {
		return fastest().EncodeAll(block, dst)
	}
	return f.usual.EncodeAll(block, dst)
}
