package dockertools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gonix/derivation/build"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/layercache"
	"gonix/dockertools/rootfs"
)

// Builder builds images.
type Builder struct {
	// Run runs runAsRoot and extraCommands; nil where that is impossible.
	Run Runner
	// Now is the clock for created = "now".
	Now func() time.Time
	// Layers keeps layers for the next image that has them; nil for none.
	Layers *layercache.Cache
}

var _ build.Builder = (*Builder)(nil)

// Build makes the image of a builtin:docker-image derivation at the output
// named out.
func (b *Builder) Build(ctx context.Context, job *build.Job) error {
	data, ok := job.Drv.Structured()
	if !ok {
		return errors.New("build image: the derivation has no structured attributes")
	}
	dest, ok := job.Dest["out"]
	if !ok || len(job.Dest) != 1 {
		return errors.New("build image: the derivation must have one output, out")
	}
	spec, err := ParseSpec(data)
	if err != nil {
		return fmt.Errorf("build image: %w", err)
	}
	if spec.ImageTag == "" {
		spec.ImageTag = job.Outputs["out"].HashPart()
	}
	a := &assembly{builder: b, job: job, spec: &spec, tree: rootfs.NewTree()}
	defer a.close()
	if err := a.build(ctx, dest); err != nil {
		os.Remove(dest)
		return fmt.Errorf("build image '%s:%s': %w", spec.ImageName, spec.ImageTag, err)
	}
	return nil
}

// assembly is the state of one image being built.
type assembly struct {
	builder *Builder
	job     *build.Job
	spec    *Spec

	base      *image.Image // nil without a base
	baseName  image.Reference
	baseSizes []int64 // of the unpacked layers
	archive   *archive.Archive
	tree      *rootfs.Tree
	disk      *rootfs.Disk
}

func (a *assembly) close() {
	a.disk.Close()
	if a.archive != nil {
		a.archive.Close()
	}
}

func (a *assembly) phase(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(a.job.Log, text)
	a.job.Report(build.Event{Kind: build.Phase, Drv: a.job.DrvPath, Text: text})
}

func (a *assembly) build(ctx context.Context, dest string) error {
	created, err := a.spec.created(a.builder.Now)
	if err != nil {
		return err
	}
	if a.spec.Mtime, err = a.spec.mtime(a.builder.Now); err != nil {
		return err
	}
	if a.spec.RunAsRoot != "" {
		if a.disk, err = a.newDisk("root"); err != nil {
			return err
		}
	}
	if err := a.readBase(ctx); err != nil {
		return err
	}
	custom, err := a.customise(ctx)
	if err != nil {
		return err
	}
	paths, err := a.closure(ctx, custom)
	if err != nil {
		return err
	}
	if a.spec.IncludeNixDB {
		if custom, err = a.database(ctx, custom, paths); err != nil {
			return err
		}
	}
	plans, err := a.plan(ctx, paths, custom)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dest, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = a.write(ctx, out, created, plans)
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

// newDisk makes a directory that only this user may enter, and a place in it.
func (a *assembly) newDisk(name string) (*rootfs.Disk, error) {
	dir := filepath.Join(workDir(a.job), name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return rootfs.NewDisk(dir)
}

// readBase reads the base image: always the names in it, and where a script
// will run in it, the files too. Every digest is checked.
func (a *assembly) readBase(ctx context.Context) error {
	if a.spec.FromImage == "" {
		return nil
	}
	a.phase("reading base image %s", a.spec.FromImage)
	file, err := a.contents().Resolve(a.spec.FromImage)
	if err != nil {
		return fmt.Errorf("read base image %s: %w", a.spec.FromImage, err)
	}
	if a.archive, err = archive.Open(ctx, file, workDir(a.job)); err != nil {
		return err
	}
	found, err := a.archive.Find(a.spec.FromImageName, a.spec.FromImageTag, a.spec.Architecture)
	if err != nil {
		return err
	}
	a.base = found.Image
	if len(found.References) > 0 {
		a.baseName = found.References[0]
	}
	if arch := a.base.Config().Architecture; arch != "" && arch != a.spec.Architecture {
		fmt.Fprintf(a.job.Log, "warning: the base image is for %s, the image for %s\n", arch, a.spec.Architecture)
	}
	for i, l := range a.base.Layers() {
		size, err := l.Read(func(r io.Reader) error { return a.tree.Apply(cancelled{ctx, r}, a.disk) })
		if err != nil {
			return fmt.Errorf("base image %s, layer %d: %w", a.spec.FromImage, i+1, err)
		}
		a.baseSizes = append(a.baseSizes, size)
	}
	a.tree.MarkBase()
	return nil
}

func (a *assembly) contents() rootfs.Contents {
	return rootfs.Contents{Real: a.job.Store.RealPath, KeepLinks: a.spec.KeepContentsLinks, UID: a.spec.UID, GID: a.spec.GID}
}

// cancelled is r until ctx ends.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// write packs the layers and writes the archive.
func (a *assembly) write(ctx context.Context, out *os.File, created string, plans []layerPlan) error {
	if a.spec.Streamer != "" {
		return a.stream(ctx, out, created, plans)
	}
	w, err := archive.NewWriter(out)
	if err != nil {
		return err
	}
	p := a.newPacking(ctx, plans, true)
	defer p.close()
	img, err := a.image(created, plans, w.Copy, func(plan layerPlan) (image.Layer, error) { return p.layer(ctx, plan, w.Layer) })
	if err != nil {
		return err
	}
	ref := image.Reference{Name: a.spec.ImageName, Tag: a.spec.ImageTag}
	return w.Finish([]archive.Tagged{{Image: img, References: []image.Reference{ref}}})
}

// image makes the image of the layers of the base, which go to the archive with
// keep, and of plans, which do with pack.
func (a *assembly) image(created string, plans []layerPlan, keep func(image.Layer) error, pack func(layerPlan) (image.Layer, error)) (*image.Image, error) {
	var layers []image.Layer
	var history []image.History
	var err error
	cfg := image.Config{Architecture: a.spec.Architecture, Variant: a.spec.Variant, OS: a.spec.OS, Created: created, Settings: a.spec.Settings}
	if a.base != nil {
		baseConfig := a.base.Config()
		for i, l := range a.base.Layers() {
			l.Annotations = annotateBase(l.Annotations, a.baseSizes[i])
			if err := keep(l); err != nil {
				return nil, err
			}
			layers = append(layers, l)
		}
		history = image.FitHistory(baseConfig.History, len(layers), baseConfig.Created)
		if cfg.Settings, err = cfg.Settings.WithBase(baseConfig.Settings, a.spec.InheritConfig); err != nil {
			return nil, err
		}
	}
	for _, plan := range plans {
		l, err := pack(plan)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
		history = append(history, image.History{Created: created, Comment: storePathsComment(plan.sizes)})
	}
	if len(plans) == 0 {
		history = append(history, image.History{Created: created, EmptyLayer: true})
	}
	cfg.History = history
	img, err := image.New(cfg, layers)
	if err != nil || a.base == nil {
		return img, err
	}
	// So that registries can take the layers of the base over, and tools see
	// whether there is a newer one.
	return img.Annotate(a.base.BaseAnnotations(a.baseName))
}
