package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"gonix/dockertools/image"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Pull returns the image that ref names, for platform where it names several:
// os/architecture or os/architecture/variant. Manifest and configuration are
// read and checked; layers are read from the registry when they are opened.
func (c *Client) Pull(ctx context.Context, ref, platform string) (*image.Image, error) {
	src, err := c.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	p, err := ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	opts := append(c.options(ctx, c.transport()), remote.WithPlatform(v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}))
	desc, err := remote.Get(src, opts...)
	if err != nil {
		return nil, explain("pull", src, err)
	}
	if desc.MediaType.IsIndex() {
		if err := hasPlatform(desc, p); err != nil {
			return nil, fmt.Errorf("pull %s: %w", ref, err)
		}
	}
	img, err := desc.Image()
	if err != nil {
		return nil, explain("pull", src, err)
	}
	out, err := load(img)
	if err != nil {
		return nil, explain("pull", src, err)
	}
	return out, nil
}

// hasPlatform says which platforms there are where the one asked for is not.
func hasPlatform(desc *remote.Descriptor, want image.Platform) error {
	index, err := desc.ImageIndex()
	if err != nil {
		return err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return err
	}
	var have []string
	for _, d := range m.Manifests {
		p := image.Platform{OS: "linux", Architecture: "amd64"} // what go-containerregistry supposes
		if d.Platform != nil {
			p = image.Platform{OS: d.Platform.OS, Architecture: d.Platform.Architecture, Variant: d.Platform.Variant}
		}
		if p.OS == "unknown" {
			continue
		}
		if p.OS == want.OS && p.Architecture == want.Architecture && (want.Variant == "" || want.Variant == p.Variant) {
			return nil
		}
		have = append(have, PlatformString(p))
	}
	if have == nil {
		return fmt.Errorf("there is no image for %s; the index names none at all", PlatformString(want))
	}
	return fmt.Errorf("there is no image for %s; there are %s", PlatformString(want), strings.Join(have, ", "))
}

// ParsePlatform reads os/architecture[/variant].
func ParsePlatform(s string) (image.Platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" {
		return image.Platform{}, fmt.Errorf("'%s' is not a platform such as linux/amd64 or linux/arm/v7", s)
	}
	p := image.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// load turns an image of the registry into one of ours.
func load(img v1.Image) (*image.Image, error) {
	manifest, err := img.RawManifest()
	if err != nil {
		return nil, err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	if !m.Config.MediaType.IsConfig() {
		return nil, fmt.Errorf("it is no container image but a '%s'", m.Config.MediaType)
	}
	if m.Config.Size > image.MaxMetadata {
		return nil, fmt.Errorf("its configuration has %d bytes, but clients take no more than %d MiB", m.Config.Size, image.MaxMetadata>>20)
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return nil, err
	}
	cfg, err := image.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	if len(cfg.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("its manifest has %d layers, its configuration %d", len(m.Layers), len(cfg.RootFS.DiffIDs))
	}
	remotes, err := img.Layers()
	if err != nil {
		return nil, err
	}
	if len(remotes) != len(m.Layers) {
		return nil, errors.New("its manifest is not in order")
	}
	layers := make([]image.Layer, len(m.Layers))
	for i, d := range m.Layers {
		digest, err := image.ParseDigest(d.Digest.String())
		if err != nil {
			return nil, err
		}
		if d.Size < 0 {
			return nil, fmt.Errorf("layer %s has a negative size", digest)
		}
		layers[i] = image.Layer{
			Descriptor: image.Descriptor{MediaType: string(d.MediaType), Digest: digest, Size: d.Size, Annotations: d.Annotations},
			DiffID:     cfg.RootFS.DiffIDs[i],
			Open:       func() (io.ReadCloser, error) { return remotes[i].Compressed() },
		}
	}
	return image.Load(config, manifest, layers)
}
