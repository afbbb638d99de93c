package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gonix/dockertools/image"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Report says what a push did. Blobs are layers and configurations.
type Report struct {
	Reference string       // with tag or digest, as given
	Digest    image.Digest // of the manifest or index
	// Uploaded, Mounted and Present count blobs: sent, taken over from another
	// repository of the registry, and there already.
	Uploaded, Mounted, Present int
	// Bytes is how much of layers and configurations was sent.
	Bytes int64
}

// Push writes img to the registry under ref. Blobs that are in mountFrom, a
// repository of the same registry ("" for none), are taken over from there, and
// so are those of the base that the manifest names. The manifest comes last: a
// push that fails leaves what had the name before.
func (c *Client) Push(ctx context.Context, img *image.Image, ref, mountFrom string) (Report, error) {
	return c.push(ctx, ref, func(dst name.Reference, total *int64) (remote.Taggable, error) {
		return c.pushable(img, dst, mountFrom, total)
	})
}

// PushIndex writes several images, each of another platform, and an index of
// them under ref.
func (c *Client) PushIndex(ctx context.Context, images []*image.Image, ref, mountFrom string) (Report, error) {
	return c.push(ctx, ref, func(dst name.Reference, total *int64) (remote.Taggable, error) {
		return c.index(images, dst, mountFrom, total)
	})
}

func (c *Client) push(ctx context.Context, ref string, what func(dst name.Reference, total *int64) (remote.Taggable, error)) (Report, error) {
	dst, err := c.ParseReference(ref)
	if err != nil {
		return Report{}, err
	}
	var total int64
	t, err := what(dst, &total)
	if err != nil {
		return Report{}, fmt.Errorf("push %s: %w", ref, err)
	}
	report := Report{Reference: ref}
	raw, err := t.RawManifest()
	if err != nil {
		return Report{}, err
	}
	report.Digest = image.Sum(raw)
	if by, ok := dst.(name.Digest); ok && by.DigestStr() != string(report.Digest) {
		return Report{}, fmt.Errorf("push %s: the image has digest %s", ref, report.Digest)
	}
	count := &counting{base: c.transport()}
	opts := c.options(ctx, count)
	var wg sync.WaitGroup
	if c.Progress != nil {
		updates := make(chan v1.Update, 64)
		opts = append(opts, remote.WithProgress(updates))
		wg.Go(func() {
			for u := range updates {
				if u.Error == nil {
					c.Progress(Progress{Done: min(u.Complete, total), Total: total})
				}
			}
		})
	}
	err = remote.Push(dst, t, opts...)
	wg.Wait()
	if err != nil {
		return Report{}, explain("push", dst, err)
	}
	report.Uploaded, report.Mounted, report.Present, report.Bytes = count.totals()
	if count.empty() { // the registry had the manifest, and so all that it names
		report.Present = blobCount(t)
	}
	return report, nil
}

func blobCount(t remote.Taggable) int {
	switch m := t.(type) {
	case *mountable:
		return len(m.manifest.Layers) + 1
	case v1.ImageIndex:
		im, err := m.IndexManifest()
		if err != nil {
			return 0
		}
		n := 0
		for _, d := range im.Manifests {
			if img, err := m.Image(d.Digest); err == nil {
				if mm, err := img.Manifest(); err == nil {
					n += len(mm.Layers) + 1
				}
			}
		}
		return n
	}
	return 0
}

// pushable is the view of img whose layers say from where they may be mounted.
func (c *Client) pushable(img *image.Image, dst name.Reference, mountFrom string, total *int64) (*mountable, error) {
	shown, err := show(img)
	if err != nil {
		return nil, err
	}
	v := shown.(*view)
	out := &mountable{view: v}
	*total += img.ConfigDescriptor().Size
	for _, l := range img.Layers() {
		*total += l.Size
	}
	if mountFrom != "" {
		repo, err := c.ParseRepository(mountFrom)
		if err != nil {
			return nil, err
		}
		if repo.RegistryStr() != dst.Context().RegistryStr() {
			return nil, fmt.Errorf("blobs of %s cannot be mounted: it is not on registry %s", repo, dst.Context().RegistryStr())
		}
		out.from = &repo
	}
	if base := v.manifest.Annotations[image.AnnotationBaseName]; base != "" && out.from == nil {
		// What is not on this registry, or is no name at all, is of no use.
		if repo, err := c.ParseRepository(base); err == nil && repo.RegistryStr() == dst.Context().RegistryStr() {
			out.from = &repo
		}
	}
	if out.from != nil && out.from.Name() == dst.Context().Name() {
		out.from = nil
	}
	return out, nil
}

// mountable is a view whose layers may lie in another repository.
type mountable struct {
	*view
	from *name.Repository
}

func (m *mountable) Layers() ([]v1.Layer, error) {
	layers, err := m.view.Layers()
	if err != nil || m.from == nil {
		return layers, err
	}
	for i, l := range layers {
		layers[i] = &remote.MountableLayer{Layer: l, Reference: m.from.Tag("latest")}
	}
	return layers, nil
}

// index makes the index of images.
func (c *Client) index(images []*image.Image, dst name.Reference, mountFrom string, total *int64) (v1.ImageIndex, error) {
	if len(images) == 0 {
		return nil, errors.New("an index needs an image")
	}
	seen := map[image.Platform]bool{}
	var adds []mutate.IndexAddendum
	for _, img := range images {
		cfg := img.Config()
		p := image.Platform{Architecture: cfg.Architecture, OS: cfg.OS, Variant: cfg.Variant}
		if seen[p] {
			return nil, fmt.Errorf("two of the images are for %s; clients would only ever take the first", PlatformString(p))
		}
		seen[p] = true
		m, err := c.pushable(img, dst, mountFrom, total)
		if err != nil {
			return nil, err
		}
		mt, err := m.MediaType()
		if err != nil {
			return nil, err
		}
		digest, err := m.Digest()
		if err != nil {
			return nil, err
		}
		adds = append(adds, mutate.IndexAddendum{Add: m, Descriptor: v1.Descriptor{
			MediaType: mt, Digest: digest, Size: img.Descriptor().Size,
			Platform: &v1.Platform{Architecture: p.Architecture, OS: p.OS, Variant: p.Variant},
		}})
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), adds...), nil
}

// PlatformString writes p as clients do: linux/arm64/v8.
func PlatformString(p image.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
