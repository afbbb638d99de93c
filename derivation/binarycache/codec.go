package binarycache

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	unxz "github.com/mikelolasagasti/xz"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	writebz2 "gonix/derivation/build/bzip2"
)

// codec is one way to compress archives.
type codec struct {
	name   string
	suffix string // of the archive's file
	// levels are the least and the greatest number that means something.
	levels [2]int
	reader func(io.Reader) (io.ReadCloser, error)
	// writer compresses at a level (-1: the usual one), on several processors
	// if parallel is set and the format allows it.
	writer func(w io.Writer, level int, parallel bool) (io.WriteCloser, error)
}

// maxWindow bounds the memory that a compressed stream can ask for: what
// zstd --ultra -22 and xz -9 need.
const (
	maxZstdWindow = 128 << 20
	maxXzDict     = 64 << 20
)

// codecs are the compressions by the names that Nix gives them.
var codecs = []codec{
	{name: "none", reader: func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(r), nil },
		writer: func(w io.Writer, _ int, _ bool) (io.WriteCloser, error) { return plain{w}, nil }},
	{name: "xz", suffix: ".xz", levels: [2]int{0, 9},
		reader: func(r io.Reader) (io.ReadCloser, error) {
			x, err := unxz.NewReader(lateEnd{r}, maxXzDict)
			return io.NopCloser(x), err
		},
		writer: writeXz},
	// As Nix, lzma leaves its archives without a suffix.
	{name: "lzma", levels: [2]int{0, 9},
		reader: func(r io.Reader) (io.ReadCloser, error) {
			x, err := lzma.ReaderConfig{DictCap: maxXzDict}.NewReader(bufio.NewReader(r))
			return io.NopCloser(x), err
		},
		writer: func(w io.Writer, level int, _ bool) (io.WriteCloser, error) {
			if level < 0 {
				level = 6
			}
			return lzma.WriterConfig{DictCap: xzDict[level]}.NewWriter(w)
		}},
	{name: "bzip2", suffix: ".bz2", levels: [2]int{1, 9},
		reader: func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(bzip2.NewReader(r)), nil },
		writer: func(w io.Writer, _ int, _ bool) (io.WriteCloser, error) { return writebz2.NewWriter(w), nil }},
	{name: "gzip", suffix: ".gz", levels: [2]int{0, 9},
		reader: func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
		writer: func(w io.Writer, level int, _ bool) (io.WriteCloser, error) {
			if level < 0 {
				level = gzip.DefaultCompression
			}
			return gzip.NewWriterLevel(w, level)
		}},
	{name: "zstd", suffix: ".zst", levels: [2]int{1, 22}, reader: readZstd, writer: writeZstd},
	{name: "br", suffix: ".br", levels: [2]int{0, 11},
		reader: func(r io.Reader) (io.ReadCloser, error) { return io.NopCloser(brotli.NewReader(r)), nil },
		writer: func(w io.Writer, level int, _ bool) (io.WriteCloser, error) {
			if level < 0 {
				level = brotli.DefaultCompression
			}
			return brotli.NewWriterLevel(w, level), nil
		}},
}

// findCodec returns the compression of that name.
func findCodec(name string) (codec, error) {
	i := slices.IndexFunc(codecs, func(c codec) bool { return c.name == name })
	if i < 0 {
		var names []string
		for _, c := range codecs {
			names = append(names, c.name)
		}
		return codec{}, fmt.Errorf("cannot initialize compression: unknown method '%s'; known are %v", name, names)
	}
	return codecs[i], nil
}

func (c codec) checkLevel(level int) error {
	if level == -1 || c.levels[0] <= level && level <= c.levels[1] {
		return nil
	}
	return fmt.Errorf("compression level %d: %s knows levels from %d to %d", level, c.name, c.levels[0], c.levels[1])
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

func readZstd(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

func writeZstd(w io.Writer, level int, parallel bool) (io.WriteCloser, error) {
	if level < 0 {
		// Copying waits for this encoder: its fastest level takes a third less
		// time than the one that corresponds to zstd -3, for about 10 % more bytes.
		level = 1
	}
	n := 1
	if parallel {
		n = 2
	}
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(n))
}

// xzDict are the dictionaries of the presets of xz.
var xzDict = [...]int{256 << 10, 1 << 20, 2 << 20, 4 << 20, 4 << 20, 8 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20}

func writeXz(w io.Writer, level int, parallel bool) (io.WriteCloser, error) {
	if level < 0 {
		level = 6
	}
	start := func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{DictCap: xzDict[level], CheckSum: xz.CRC64}.NewWriter(w)
	}
	if !parallel {
		return start(w)
	}
	return &pieces{w: w, start: start, size: 3 * xzDict[level]}, nil
}

// lateEnd never has data and io.EOF at the same time, at which the decoder of xz
// loses all streams of a file but the first.
type lateEnd struct{ r io.Reader }

func (l lateEnd) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// limited ends with an error once more than left bytes have come.
type limited struct {
	r    io.Reader
	left int64
	err  error
}

// errTooLong is wrapped by the error about more bytes than were announced.
var errTooLong = errors.New("more data than was announced")

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.err
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, l.err
	}
	return n, err
}
