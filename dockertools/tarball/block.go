package tarball

import (
	"context"
	"crypto/sha256"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"gonix/dockertools/image"
)

const (
	// poolMost bounds the bytes of tar that are held at a time.
	poolMost = 64 << 20
	// readAhead is how many of them wait for a processor.
	readAhead = 8 << 20
)

// block is a part of the tar of a layer on its way.
type block struct {
	data   []byte
	n      int         // it is number n of its layer
	window []byte      // end of the block before, where the compression wants it
	packed chan []byte // gets what data is compressed to
	users  atomic.Int32
	end    *ending // of the layer, at its last block
	err    error   // why there is no block
}

// ending is what is known of a tar once all of it is hashed.
type ending struct {
	known  chan struct{} // closed then
	diffID image.Digest
	size   int64
	crc    uint32
}

// pool bounds how many blocks there are, and keeps their memory.
type pool struct {
	size int // of a block
	most int
	made atomic.Int32
	free chan []byte
	outs chan []byte
	// workers is how many blocks are compressed at a time.
	workers int
}

func newPool(c Compression, cores int) *pool {
	most := min(max(cores, 1)+1+max(1, readAhead/c.block), poolMost/c.block)
	return &pool{size: c.block, most: most, workers: max(1, min(cores, most-2)), free: make(chan []byte, most), outs: make(chan []byte, most)}
}

// take waits for the memory of a block.
func (p *pool) take(ctx context.Context) ([]byte, error) {
	select {
	case b := <-p.free:
		return b[:0], nil
	default:
	}
	if int(p.made.Add(1)) <= p.most {
		return make([]byte, 0, p.size), nil
	}
	select {
	case b := <-p.free:
		return b[:0], nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// used says that one of the users of b needs its data no longer.
func (p *pool) used(b *block) {
	if b.users.Add(-1) == 0 {
		p.free <- b.data
	}
}

// keep takes back memory that [pool.out] gave.
func (p *pool) keep(packed []byte) {
	select {
	case p.outs <- packed[:0]:
	default:
	}
}

// out returns memory to compress to.
func (p *pool) out() []byte {
	select {
	case b := <-p.outs:
		return b
	default:
		return make([]byte, 0, p.size/2)
	}
}

// run fills, hashes and compresses the blocks of all layers.
func (p *Packer) run(layers []Fill) {
	defer close(p.ended)
	var wg sync.WaitGroup
	defer wg.Wait()
	hashing := make(chan *block, p.pool.most)
	defer close(hashing)
	wg.Go(func() { p.hash(hashing) })
	compressing := make(chan *block, p.pool.most)
	defer close(compressing)
	if p.c.encoder != nil {
		for range p.pool.workers {
			wg.Go(func() { p.compress(compressing) })
		}
	}
	for _, fill := range layers {
		f := &filler{p: p, hashing: hashing, compressing: compressing}
		err := fill(p.ctx, f)
		if err == nil {
			err = f.send(&ending{known: make(chan struct{})})
		}
		if err != nil {
			select {
			case p.queue <- &block{err: err}:
			case <-p.ctx.Done():
			}
			return
		}
	}
}

// hash finds what is to be known of each tar.
func (p *Packer) hash(blocks <-chan *block) {
	sum, crc, size := sha256.New(), uint32(0), int64(0)
	for b := range blocks {
		sum.Write(b.data)
		size += int64(len(b.data))
		if p.c.tail != nil {
			crc = crc32.Update(crc, crc32.IEEETable, b.data)
		}
		if b.end != nil {
			b.end.diffID, b.end.crc, b.end.size = image.FromSHA256(sum.Sum(nil)), crc, size
			close(b.end.known)
			crc, size = 0, 0
			sum.Reset()
		}
		p.pool.used(b)
	}
}

func (p *Packer) compress(blocks <-chan *block) {
	var e encoder
	for b := range blocks {
		if p.ctx.Err() != nil {
			continue
		}
		if e == nil {
			e = p.c.encoder()
		}
		packed := e.encode(p.pool.out(), b.data, b.window, b.n, b.end != nil)
		p.pool.used(b)
		b.packed <- packed
	}
}

// filler cuts what is written to it into blocks.
type filler struct {
	p                    *Packer
	data                 []byte // of the block being filled; nil before it is begun
	n                    int    // how many blocks are done
	window               []byte
	hashing, compressing chan<- *block
}

// room returns the part of the block that is not filled yet, never empty.
func (f *filler) room() ([]byte, error) {
	if f.data != nil && len(f.data) == f.p.pool.size {
		if err := f.send(nil); err != nil {
			return nil, err
		}
	}
	if f.data == nil {
		var err error
		if f.data, err = f.p.pool.take(f.p.ctx); err != nil {
			return nil, err
		}
	}
	return f.data[len(f.data):f.p.pool.size], nil
}

// Write implements [io.Writer].
func (f *filler) Write(data []byte) (int, error) {
	n := 0
	for n < len(data) {
		room, err := f.room()
		if err != nil {
			return n, err
		}
		k := copy(room, data[n:])
		f.data = f.data[:len(f.data)+k]
		n += k
	}
	return n, nil
}

// readFile takes size bytes from in without another copy.
func (f *filler) readFile(in *os.File, size int64) error {
	for size > 0 {
		room, err := f.room()
		if err != nil {
			return err
		}
		n, err := io.ReadFull(in, room[:min(int64(len(room)), size)])
		if err != nil {
			return err
		}
		f.data = f.data[:len(f.data)+n]
		size -= int64(n)
	}
	return nil
}

// send hands the block on, the last of a layer with its end.
func (f *filler) send(end *ending) error {
	if f.data == nil {
		if _, err := f.room(); err != nil {
			return err
		}
	}
	b := &block{data: f.data, n: f.n, window: f.window, packed: make(chan []byte, 1), end: end}
	f.data = nil
	f.n++
	if n := f.p.c.window; n > 0 {
		f.window = append([]byte(nil), b.data[max(0, len(b.data)-n):]...)
	}
	b.users.Store(2) // the hash, and either what compresses or what writes
	if f.p.c.encoder == nil {
		b.packed <- b.data
	}
	select {
	case f.p.queue <- b:
	case <-f.p.ctx.Done():
		return f.p.ctx.Err()
	}
	// Neither blocks: the channels have room for as many blocks as there are.
	f.hashing <- b
	if f.p.c.encoder != nil {
		f.compressing <- b
	}
	return nil
}
