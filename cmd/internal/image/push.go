package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/spf13/pflag"
)

func pushVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	from := fs.String("mount-from", "", "take blobs over from this `repository` of the same registry")
	jobs := fs.Int("jobs", 0, "send this `number` of blobs at a time (0: 4)")
	d := &Documents{}
	d.DeclareAttach(fs)
	d.declareInclude(fs)
	return func(args []string) error {
		if len(args) != 2 {
			return errArguments
		}
		ref := remoteName(args[1])
		img, err := f.open(ctx, w, args[0])
		if err != nil {
			return err
		}
		docs, err := f.documents(ctx, w, d, args[0], img)
		if err != nil {
			return err
		}
		c, err := f.client(w)
		if err != nil {
			return err
		}
		c.Jobs = *jobs
		if err := f.pushing(w, c, ref, func() (registry.Report, error) { return c.Push(ctx, img.Image, ref, *from) }); err != nil {
			return err
		}
		return f.attach(ctx, w, c, img, ref, docs)
	}
}

func indexVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	ref := fs.StringP("tag", "t", "", "`name` of the index in a registry")
	from := fs.String("mount-from", "", "take blobs over from this `repository` of the same registry")
	return func(args []string) error {
		if len(args) == 0 || *ref == "" {
			return errArguments
		}
		var images []*image.Image
		for _, arg := range args {
			img, err := f.open(ctx, w, arg)
			if err != nil {
				return err
			}
			images = append(images, img.Image)
		}
		c, err := f.client(w)
		if err != nil {
			return err
		}
		name := remoteName(*ref)
		return f.pushing(w, c, name, func() (registry.Report, error) { return c.PushIndex(ctx, images, name, *from) })
	}
}

// pushing runs a push with its progress on a terminal, and says what it did.
// The name with the digest goes to standard output.
func (f *flags) pushing(w *process.World, c *registry.Client, ref string, push func() (registry.Report, error)) error {
	dst, err := c.ParseReference(ref)
	if err != nil {
		return err
	}
	line := ""
	if w.Terminal && !f.quiet {
		last := time.Time{}
		c.Progress = func(p registry.Progress) {
			if time.Since(last) < 100*time.Millisecond && p.Done < p.Total {
				return
			}
			last = time.Now()
			line = "\r\x1b[2K" + terminal.Clip(fmt.Sprintf("pushing %s  %s of %s", ref, terminal.ByteSize(p.Done), terminal.ByteSize(p.Total)), w.Width()-1)
			io.WriteString(w.Stderr, line)
		}
	}
	r, err := push()
	if line != "" {
		io.WriteString(w.Stderr, "\r\x1b[2K")
	}
	if err != nil {
		return err
	}
	if !f.quiet {
		fmt.Fprintf(w.Stderr, "pushed %s: %d blobs uploaded (%s), %d mounted, %d there already\n", ref, r.Uploaded, terminal.ByteSize(r.Bytes), r.Mounted, r.Present)
	}
	fmt.Fprintf(w.Stdout, "%s@%s\n", dst.Context().Name(), r.Digest)
	return nil
}

// Push writes the image that lies at a store path to a registry, with the
// documents that d asks for.
func Push(ctx context.Context, w *process.World, set *config.Settings, st *store.Local, path storepath.Path, ref string, d *Documents, quiet bool) error {
	g := &flags{platform: "linux/amd64", quiet: quiet, settings: set}
	defer g.close()
	ref = remoteName(ref)
	img, err := g.open(ctx, w, st.RealPath(path))
	if err != nil {
		return fmt.Errorf("push '%s': %w", path, err)
	}
	docs, err := g.documents(ctx, w, d, st.RealPath(path), img)
	if err != nil {
		return err
	}
	c, err := g.client(w)
	if err != nil {
		return err
	}
	// Standard output has the output paths alone.
	silent := *w
	silent.Stdout = io.Discard
	if err := g.pushing(&silent, c, ref, func() (registry.Report, error) { return c.Push(ctx, img.Image, ref, "") }); err != nil {
		return err
	}
	return g.attach(ctx, w, c, img, ref, docs)
}

func pullVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	out := fs.StringP("output", "o", "", "write the archive to this `file`")
	return func(args []string) error {
		if len(args) != 1 || *out == "" {
			return errArguments
		}
		name := remoteName(args[0])
		img, err := f.pull(ctx, w, name)
		if err != nil {
			return err
		}
		ref := image.SplitReference(name)
		if _, err := image.NewReference(ref.Name, ref.Tag); err != nil {
			ref = image.Reference{} // by digest: an archive has no place for that
		}
		if err := writeArchive(w.Abs(*out), archive.Tagged{Image: img, References: named(ref)}); err != nil {
			return fmt.Errorf("pull %s: %w", name, err)
		}
		if !f.quiet {
			fmt.Fprintf(w.Stderr, "pulled %s: %s\n", name, layerCount(len(img.Layers())))
		}
		fmt.Fprintln(w.Stdout, img.Digest())
		return nil
	}
}

func named(ref image.Reference) []image.Reference {
	if ref.Name == "" {
		return nil
	}
	return []image.Reference{ref}
}

// writeArchive writes the image to a file, all or nothing. What is there already and
// is no regular file, such as a pipe, is written to and stays what it is.
func writeArchive(name string, img archive.Tagged) (err error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeInto(name, img)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".gonix-image-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	aw, err := archive.NewWriter(f)
	if err != nil {
		return err
	}
	for _, l := range img.Image.Layers() {
		if err := aw.Copy(l); err != nil {
			return err
		}
	}
	if err := aw.Finish([]archive.Tagged{img}); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// writeInto writes the image to a device or pipe.
func writeInto(name string, img archive.Tagged) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(streamArchive(f, "", img), f.Close())
}
