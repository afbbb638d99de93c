package binarycache

import (
	"bytes"
	"io"
)

// maxPieces is how many pieces are in the making at once.
const maxPieces = 2

// pieces compresses a stream in pieces of equal size, several at a time, each a
// whole compressed file: one after another they are a file of the format again.
type pieces struct {
	w     io.Writer
	start func(io.Writer) (io.WriteCloser, error)
	size  int

	piece []byte
	queue []chan piece // in their order
	err   error
}

// piece is compressed data or why there is none.
type piece struct {
	data []byte
	err  error
}

// Write implements io.Writer.
func (z *pieces) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 && z.err == nil {
		if z.piece == nil {
			z.piece = make([]byte, 0, z.size)
		}
		n := min(z.size-len(z.piece), len(p))
		z.piece = append(z.piece, p[:n]...)
		p = p[n:]
		written += n
		if len(z.piece) == z.size {
			z.send()
		}
	}
	return written, z.err
}

// send gives a piece to a goroutine of its own, and waits for the oldest one if
// there are enough.
func (z *pieces) send() {
	data, done := z.piece, make(chan piece, 1)
	z.piece = nil
	z.queue = append(z.queue, done)
	go func() {
		var out bytes.Buffer
		c, err := z.start(&out)
		if err == nil {
			_, err = c.Write(data)
		}
		if err == nil {
			err = c.Close()
		}
		done <- piece{out.Bytes(), err}
	}()
	if len(z.queue) == maxPieces {
		z.collect()
	}
}

func (z *pieces) collect() {
	done := <-z.queue[0]
	z.queue = z.queue[1:]
	if z.err == nil {
		z.err = done.err
	}
	if z.err == nil {
		_, z.err = z.w.Write(done.data)
	}
}

// Close writes what is left. A stream of nothing is one empty piece.
func (z *pieces) Close() error {
	z.send()
	for len(z.queue) > 0 {
		z.collect()
	}
	return z.err
}
