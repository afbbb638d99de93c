package dockertools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonix/derivation/build"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// Merger carries out builtin:docker-merge: one archive with the images of
// several, which are the attribute images.
type Merger struct{}

// Exporter carries out builtin:docker-export: the files of the image fromImage
// as a tar, all layers in one.
type Exporter struct{}

// Puller carries out builtin:docker-pull: the image imageReference of a registry
// as the archive that skopeo makes of it, under finalImageName and
// finalImageTag.
type Puller struct {
	// Pull returns an image whose layers are read when they are opened.
	Pull func(ctx context.Context, r PullRequest) (*image.Image, error)
}

// PullRequest says which image of a registry is wanted.
type PullRequest struct {
	Reference string // as in quay.io/app/redis@sha256:…
	Platform  string // os/architecture[/variant], as in linux/amd64
	// Insecure allows plain HTTP and certificates that cannot be checked.
	Insecure bool
}

var (
	_ build.Builder = Merger{}
	_ build.Builder = Exporter{}
	_ build.Builder = (*Puller)(nil)
)

// derived reads the attributes of job into spec and makes its output with write;
// nothing is left of it after an error.
func derived(job *build.Job, what string, spec any, write func(out *os.File) error) error {
	data, ok := job.Drv.Structured()
	if !ok {
		return fmt.Errorf("%s: the derivation has no structured attributes", what)
	}
	dest, ok := job.Dest["out"]
	if !ok || len(job.Dest) != 1 {
		return fmt.Errorf("%s: the derivation must have one output, out", what)
	}
	if err := json.Unmarshal(data, spec); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	out, err := os.OpenFile(dest, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	err = write(out)
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(dest)
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// openArchive opens the archive at a logical name of the store.
func openArchive(ctx context.Context, job *build.Job, logical string) (*archive.Archive, error) {
	file, err := rootfs.Contents{Real: job.Store.RealPath}.Resolve(logical)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", logical, err)
	}
	return archive.Open(ctx, file, workDir(job))
}

// Build merges archives.
func (Merger) Build(ctx context.Context, job *build.Job) error {
	var spec struct{ Images []string }
	return derived(job, "merge images", &spec, func(out *os.File) error {
		if len(spec.Images) == 0 {
			return errors.New("'images' names none")
		}
		w, err := archive.NewWriter(out)
		if err != nil {
			return err
		}
		var all []archive.Tagged
		for _, name := range spec.Images {
			a, err := openArchive(ctx, job, name)
			if err != nil {
				return err
			}
			defer a.Close()
			images, err := a.Images()
			if err != nil {
				return err
			}
			for _, t := range images {
				for _, l := range t.Image.Layers() {
					if err := ctx.Err(); err != nil {
						return err
					}
					if err := w.Copy(l); err != nil {
						return fmt.Errorf("image %s: %w", name, err)
					}
				}
			}
			all = append(all, images...)
		}
		return w.Finish(all)
	})
}

// Build unpacks an image.
func (Exporter) Build(ctx context.Context, job *build.Job) error {
	var spec struct{ FromImage, FromImageName, FromImageTag, Architecture string }
	return derived(job, "export image", &spec, func(out *os.File) error {
		a, err := openArchive(ctx, job, spec.FromImage)
		if err != nil {
			return err
		}
		defer a.Close()
		found, err := a.Find(spec.FromImageName, spec.FromImageTag, spec.Architecture)
		if err != nil {
			return err
		}
		dir := filepath.Join(workDir(job), "export")
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		disk, err := rootfs.NewDisk(dir)
		if err != nil {
			return err
		}
		defer disk.Close()
		tree := rootfs.NewTree()
		for i, l := range found.Image.Layers() {
			if _, err := l.Read(func(r io.Reader) error { return tree.Apply(cancelled{ctx, r}, disk) }); err != nil {
				return fmt.Errorf("image %s, layer %d: %w", spec.FromImage, i+1, err)
			}
		}
		return tarball.Write(ctx, out, tree.All(disk))
	})
}

// Build pulls an image.
func (p *Puller) Build(ctx context.Context, job *build.Job) error {
	var spec struct {
		ImageReference, FinalImageName, FinalImageTag, Os, Arch, Variant string
		TLSVerify                                                        *bool
	}
	return derived(job, "pull image", &spec, func(out *os.File) error {
		ref, err := image.NewReference(spec.FinalImageName, spec.FinalImageTag)
		if err != nil {
			return err
		}
		text := "pulling " + spec.ImageReference
		fmt.Fprintln(job.Log, text)
		job.Report(build.Event{Kind: build.Phase, Drv: job.DrvPath, Text: text})
		platform := spec.Os + "/" + spec.Arch
		if spec.Variant != "" {
			platform += "/" + spec.Variant
		}
		img, err := p.Pull(ctx, PullRequest{
			Reference: spec.ImageReference, Platform: platform,
			Insecure: spec.TLSVerify != nil && !*spec.TLSVerify,
		})
		if err != nil {
			return err
		}
		return archive.WriteDocker(out, img, ref, workDir(job))
	})
}
