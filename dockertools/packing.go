package dockertools

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gonix/derivation/build"
	"gonix/dockertools/image"
	"gonix/dockertools/layercache"
	"gonix/dockertools/tarball"
)

// packing packs the layers of an image, or takes them from the cache. Layers are
// asked for in their order.
type packing struct {
	a      *assembly
	packer *tarball.Packer
	cached map[string]*layercache.Entry // by key, those found
	blobs  bool                         // the bytes of layers are wanted, not only what they are
	added  bool
}

// newPacking begins to pack those of plans that the cache does not have. An image
// that is built to be compared with what is there is packed anew.
func (a *assembly) newPacking(ctx context.Context, plans []layerPlan, blobs bool) *packing {
	p := &packing{a: a, cached: map[string]*layercache.Entry{}, blobs: blobs}
	var fills []tarball.Fill
	for _, plan := range plans {
		if plan.key != "" && !a.job.Check {
			if e := a.builder.Layers.Get(plan.key, blobs); e != nil {
				p.cached[plan.key] = e
				continue
			}
		}
		fills = append(fills, p.fill(plan))
	}
	p.packer = tarball.NewPacker(ctx, a.spec.Compression, a.job.Cores, fills)
	return p
}

func (p *packing) close() {
	p.packer.Close()
	for _, e := range p.cached {
		e.Close()
	}
	if p.added {
		p.a.builder.Layers.Trim()
	}
}

func (p *packing) fill(plan layerPlan) tarball.Fill {
	progress := &progress{job: p.a.job, total: plan.bytes(), text: p.a.spec.ImageName + ":" + p.a.spec.ImageTag}
	return tarball.Files(plan.entries, progress.add)
}

// layer brings a layer to the output, which write hands to what it is given. An
// error of that takes the output back to where it was.
func (p *packing) layer(ctx context.Context, plan layerPlan, write func(func(io.Writer) (image.Layer, error)) (image.Layer, error)) (image.Layer, error) {
	if e := p.cached[plan.key]; e != nil {
		delete(p.cached, plan.key)
		p.a.phase("layer of %d files, %d bytes, of %d store paths is in the cache", len(plan.entries), plan.bytes(), len(plan.sizes))
		l, err := write(func(dst io.Writer) (image.Layer, error) {
			if !p.blobs {
				return p.a.describe(plan, e.Packed), nil
			}
			return p.a.describe(plan, e.Packed), e.CopyTo(dst)
		})
		if !errors.Is(err, layercache.ErrDamaged) {
			e.Close()
			return l, err
		}
		e.Discard()
		fmt.Fprintf(p.a.job.Log, "%v; packing it again\n", err)
		return write(func(dst io.Writer) (image.Layer, error) {
			packed, err := tarball.Pack(ctx, dst, p.a.spec.Compression, p.a.job.Cores, p.fill(plan))
			return p.a.describe(plan, packed), err
		})
	}
	p.a.phase("packing %d files, %d bytes, of %d store paths", len(plan.entries), plan.bytes(), len(plan.sizes))
	return write(func(dst io.Writer) (image.Layer, error) {
		if plan.key == "" {
			packed, err := p.packer.Next(dst)
			return p.a.describe(plan, packed), err
		}
		keep := p.a.builder.Layers.Add(plan.key)
		if p.blobs {
			dst = io.MultiWriter(dst, keep)
		}
		packed, err := p.packer.Next(dst)
		if err != nil {
			keep.Abort()
			return image.Layer{}, err
		}
		keep.Commit(packed)
		p.added = true
		return p.a.describe(plan, packed), nil
	})
}

// describe says what a layer is.
func (a *assembly) describe(plan layerPlan, packed tarball.Packed) image.Layer {
	return image.Layer{
		Descriptor: image.Descriptor{
			MediaType:   a.spec.Compression.MediaType,
			Digest:      packed.Digest,
			Size:        packed.Size,
			Annotations: annotateLayer(plan.sizes, plan.bytes(), packed.UnpackedSize),
		},
		DiffID: packed.DiffID,
	}
}

// progressStep is how many bytes pass between two reports.
const progressStep = 4 << 20

// progress reports how much was packed.
type progress struct {
	job            *build.Job
	text           string
	done, reported int64
	total          int64
}

func (p *progress) add(bytes int64) {
	p.done += bytes
	if p.done-p.reported >= progressStep {
		p.reported = p.done
		p.job.Report(build.Event{Kind: build.Bytes, Drv: p.job.DrvPath, Done: min(p.done, p.total), Total: p.total, Text: p.text})
	}
}
