package tarball

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

const (
	// gzipBlock is cut from the input and compressed by itself, whatever the
	// number of processors, so that the output never depends on it.
	gzipBlock = 1 << 20
	// gzipWindow is how much of the block before is given to the next one to
	// refer to.
	gzipWindow = 32 << 10
	gzipLevel  = 6
)

// gzipHeader has no name, no time and an unknown operating system.
var gzipHeader = [10]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// gzipWriter compresses blocks of its input in parallel into one gzip member.
type gzipWriter struct {
	w      io.Writer
	block  []byte // being filled
	window []byte // end of the block before
	crc    uint32
	size   uint32
	// queue has the results of blocks under way, in order.
	queue chan (<-chan []byte)
	slots chan struct{}
	done  chan error
}

func newGzipWriter(w io.Writer, cores int) *gzipWriter {
	cores = max(cores, 1)
	z := &gzipWriter{
		w:     w,
		block: make([]byte, 0, gzipBlock),
		queue: make(chan (<-chan []byte), cores+1),
		slots: make(chan struct{}, cores),
		done:  make(chan error, 1),
	}
	go func() { z.done <- z.drain() }()
	return z
}

// drain writes finished blocks in order. After an error it goes on reading, so
// that nobody waits for it for ever.
func (z *gzipWriter) drain() error {
	_, err := z.w.Write(gzipHeader[:])
	for result := range z.queue {
		data := <-result
		if err == nil {
			_, err = z.w.Write(data)
		}
	}
	return err
}

// Write implements [io.Writer]. Errors of the underlying writer show in Close.
func (z *gzipWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(z.block) == gzipBlock {
			z.submit(false)
		}
		k := min(len(p), gzipBlock-len(z.block))
		z.block = append(z.block, p[:k]...)
		p = p[k:]
	}
	return n, nil
}

// Close compresses what is left and writes the end of the member.
func (z *gzipWriter) Close() error {
	z.submit(true)
	close(z.queue)
	if err := <-z.done; err != nil {
		return err
	}
	var trailer [8]byte
	binary.LittleEndian.PutUint32(trailer[:], z.crc)
	binary.LittleEndian.PutUint32(trailer[4:], z.size)
	_, err := z.w.Write(trailer[:])
	return err
}

func (z *gzipWriter) submit(final bool) {
	block, window := z.block, z.window
	z.crc = crc32.Update(z.crc, crc32.IEEETable, block)
	z.size += uint32(len(block))
	z.window = block[max(0, len(block)-gzipWindow):]
	z.block = make([]byte, 0, gzipBlock)

	result := make(chan []byte, 1)
	z.slots <- struct{}{}
	go func() {
		defer func() { <-z.slots }()
		result <- deflate(block, window, final)
	}()
	z.queue <- result
}

// deflate returns block as a piece of a deflate stream that ends at a byte
// boundary, or ends the stream if final.
func deflate(block, window []byte, final bool) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(block)/2+64))
	w, err := flate.NewWriterDict(out, gzipLevel, window)
	if err != nil {
		panic("tarball: " + err.Error()) // the level is a constant
	}
	// Writing to memory does not fail.
	w.Write(block)
	if final {
		w.Close()
	} else {
		w.Flush()
	}
	return out.Bytes()
}
