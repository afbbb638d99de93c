package tarball

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"gonix/dockertools/image"
)

// Packed is what was written of a layer.
type Packed struct {
	// Digest and Size are of the bytes written.
	Digest image.Digest
	Size   int64
	// DiffID and UnpackedSize are of the tar before compression.
	DiffID       image.Digest
	UnpackedSize int64
}

// Fill writes the tar of a layer.
type Fill func(context.Context, io.Writer) error

// Packer packs layers. It works on the next ones, as far as its memory goes,
// while the earlier ones are being written.
type Packer struct {
	c      Compression
	ctx    context.Context
	cancel context.CancelFunc
	// queue has the blocks of all layers in order; what they are compressed to
	// comes when it is ready.
	queue chan *block
	ended chan struct{} // closed when no goroutine is left
	pool  *pool
}

// NewPacker begins to pack layers, each of which is the tar that a Fill writes,
// compressed by c on the given number of cores. The bytes do not depend on that
// number, nor on the sizes in which a Fill writes. The packer must be closed.
func NewPacker(ctx context.Context, c Compression, cores int, layers []Fill) *Packer {
	ctx, cancel := context.WithCancel(ctx)
	p := &Packer{c: c, ctx: ctx, cancel: cancel, ended: make(chan struct{}), pool: newPool(c, cores)}
	p.queue = make(chan *block, p.pool.most)
	go p.run(layers)
	return p
}

// Pack is for a single layer, which it writes to w.
func Pack(ctx context.Context, w io.Writer, c Compression, cores int, fill Fill) (Packed, error) {
	p := NewPacker(ctx, c, cores, []Fill{fill})
	defer p.Close()
	return p.Next(w)
}

// Close ends whatever is under way and waits for it.
func (p *Packer) Close() {
	p.cancel()
	<-p.ended
}

// Next writes the next layer to w and says what it is. After an error there is
// nothing more to come.
func (p *Packer) Next(w io.Writer) (Packed, error) {
	out := hashedOutput{w: w}
	if p.c.encoder != nil {
		// Otherwise the bytes are the tar, whose digest comes with them.
		out.sum = sha256.New()
	}
	err := out.write(p.c.head)
	for err == nil {
		var b *block
		select {
		case b = <-p.queue:
		case <-p.ctx.Done():
			return Packed{}, p.ctx.Err()
		}
		if b.err != nil {
			return Packed{}, b.err
		}
		var data []byte
		select {
		case data = <-b.packed:
		case <-p.ctx.Done():
			return Packed{}, p.ctx.Err()
		}
		err = out.write(data)
		end := b.end
		if p.c.encoder == nil {
			p.pool.used(b)
		} else {
			p.pool.keep(data)
		}
		if end != nil && err == nil {
			return p.finish(&out, end)
		}
	}
	p.cancel()
	return Packed{}, err
}

func (p *Packer) finish(out *hashedOutput, end *ending) (Packed, error) {
	select {
	case <-end.known:
	case <-p.ctx.Done():
		return Packed{}, p.ctx.Err()
	}
	if p.c.tail != nil {
		if err := out.write(p.c.tail(end.crc, end.size)); err != nil {
			p.cancel()
			return Packed{}, err
		}
	}
	packed := Packed{DiffID: end.diffID, UnpackedSize: end.size, Digest: end.diffID, Size: out.size}
	if out.sum != nil {
		packed.Digest = image.FromSHA256(out.sum.Sum(nil))
	}
	return packed, nil
}

// hashedOutput counts and, with a sum, hashes what is written.
type hashedOutput struct {
	w    io.Writer
	sum  hash.Hash
	size int64
}

func (o *hashedOutput) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if o.sum != nil {
		o.sum.Write(data)
	}
	n, err := o.w.Write(data)
	o.size += int64(n)
	if err == nil && n < len(data) {
		err = fmt.Errorf("write layer: %w", io.ErrShortWrite)
	}
	return err
}
