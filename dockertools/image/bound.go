package image

import (
	"fmt"
	"io"
)

const (
	// maxUnpacked bounds what anything may unpack to.
	maxUnpacked = 64 << 30
	// honestRatio is how often its size a file of an image may unpack to, beyond
	// honestExtra bytes. Layers of programs and texts reach 10, logs 30; deflate
	// can reach 1030, and zstd has no such limit.
	honestRatio = 200
	honestExtra = 1 << 30
)

// Bounded returns r, which unpacks a file of packed bytes, with an end: what
// unpacks to far more than it can have been made of is an error, long before it
// fills a disk.
func Bounded(r io.Reader, packed int64) io.Reader {
	return &counter{r: r, most: unpackedLimit(packed), packed: packed}
}

func unpackedLimit(packed int64) int64 {
	if packed >= maxUnpacked/honestRatio {
		return maxUnpacked
	}
	return min(maxUnpacked, honestExtra+honestRatio*packed)
}

// counter counts what is read, and stops at most bytes unless that is 0.
type counter struct {
	r               io.Reader
	n, most, packed int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.most > 0 && c.n > c.most {
		return 0, fmt.Errorf("its %d bytes unpack to more than %d MiB; what is meant to be so large must be stored uncompressed", c.packed, c.most>>20)
	}
	return n, err
}
