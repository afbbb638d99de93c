package dockertools

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/tarball"
)

// stream writes a program that writes the archive: the streamer with a recipe
// behind it. The recipe names files of the store, so that the image takes no
// room; digests are known, so that nothing is read twice when it runs.
func (a *assembly) stream(ctx context.Context, out *os.File, created string, plans []layerPlan) error {
	program, err := a.contents().Resolve(a.spec.Streamer)
	if err != nil {
		return fmt.Errorf("read %s: %w", a.spec.Streamer, err)
	}
	in, err := os.Open(program)
	if err != nil {
		return err
	}
	defer in.Close()
	start, err := io.Copy(out, in)
	if err != nil {
		return err
	}
	if err := out.Chmod(0o755); err != nil {
		return err
	}
	ref := image.Reference{Name: a.spec.ImageName, Tag: a.spec.ImageTag}
	r := newRecipe(out, start, ref.String())
	w, err := archive.NewPlacingWriter(r, r.names)
	if err != nil {
		return err
	}
	p := a.newPacking(ctx, plans, false)
	defer p.close()
	digest := func(fill func(io.Writer) (image.Layer, error)) (image.Layer, error) { return fill(io.Discard) }
	img, err := a.image(created, plans,
		func(l image.Layer) error { return w.Place(l, func() error { return a.placeBase(r, l) }) },
		func(plan layerPlan) (image.Layer, error) {
			l, err := p.layer(ctx, plan, digest)
			if err != nil {
				return l, err
			}
			return l, w.Place(l, func() error { return a.placeFiles(r, plan.entries) })
		})
	if err != nil {
		return err
	}
	if err := w.Finish([]archive.Tagged{{Image: img, References: []image.Reference{standIn}}}); err != nil {
		return err
	}
	return r.finish()
}

// inStore returns the name of a file relative to the store, if it lies there.
func (a *assembly) inStore(real string) (string, bool) {
	return strings.CutPrefix(real, a.job.Store.Dir()+"/")
}

// placeBase adds a layer of the base image: as part of its archive where that is
// a plain one in the store, else its bytes.
func (a *assembly) placeBase(r *recipeWriter, l image.Layer) error {
	in, err := l.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if part, ok := in.(interface {
		Outer() (io.ReaderAt, int64, int64)
	}); ok {
		at, offset, size := part.Outer()
		if f, ok := at.(*os.File); ok {
			if name, ok := a.inStore(f.Name()); ok {
				r.file(name, offset, size)
				return nil
			}
		}
	}
	_, err = io.Copy(r, in)
	return err
}

// placeFiles adds the tar of entries.
func (a *assembly) placeFiles(r *recipeWriter, entries []tarball.Entry) error {
	return tarball.Pieces(entries, func(p tarball.Piece) error {
		if p.Source == "" {
			_, err := r.Write(p.Data)
			return err
		}
		if name, ok := a.inStore(p.Source); ok && p.Origin != "" {
			r.file(name, 0, p.Size)
			return nil
		}
		f, err := os.Open(p.Source)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(r, f)
		if err == nil && n != p.Size {
			err = fmt.Errorf("%s changed while it was packed: %d bytes, expected %d", p.Source, n, p.Size)
		}
		return err
	})
}
