// Package image describes container images: configuration, manifest, layers
// and the digests that tie them together.
//
// An [Image] never changes once made; [Image.Append] returns another one. Its
// configuration and manifest are bytes fixed by [New], written with sorted keys
// and no spaces, so the same configuration and layers have the same digest
// everywhere. A [Layer] is a descriptor and a way to open the bytes; nothing is
// read until somebody asks.
//
// The formats follow the OCI image specification 1.0, in the subset that Docker
// reads too.
package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// MaxLayers is the number of layers beyond which Docker refuses an image.
const MaxLayers = 125

// Layer is one layer of an image.
type Layer struct {
	// Descriptor is of the blob as it is stored and shipped, compressed or not.
	Descriptor
	// DiffID is the digest of the uncompressed tar.
	DiffID Digest
	// Open returns the bytes of the blob from their beginning. Each call is
	// independent of the others.
	Open func() (io.ReadCloser, error)
}

// Image is a configuration and its layers, lowest first. It is immutable.
type Image struct {
	config       Config
	rawConfig    []byte
	configDesc   Descriptor
	rawManifest  []byte
	manifestDesc Descriptor
	layers       []Layer
	// ownManifest is whether the manifest was made here of an archive without one.
	ownManifest bool
}

// New makes an image of cfg and layers. It fills in cfg.RootFS; cfg.History
// must already have one entry a layer, or none at all.
func New(cfg Config, layers []Layer) (*Image, error) {
	if len(layers) > MaxLayers {
		return nil, fmt.Errorf("make image: %d layers, but clients take no more than %d", len(layers), MaxLayers)
	}
	cfg.RootFS = RootFS{Type: "layers", DiffIDs: make([]Digest, len(layers))}
	descs := make([]Descriptor, len(layers))
	for i, l := range layers {
		cfg.RootFS.DiffIDs[i] = l.DiffID
		descs[i] = l.Descriptor
	}
	if n := filled(cfg.History); len(cfg.History) > 0 && n != len(layers) {
		return nil, fmt.Errorf("make image: the history tells of %d layers, but there are %d", n, len(layers))
	}
	if cfg.Settings == nil {
		cfg.Settings = Settings{}
	}
	cfg.History = slices.Clone(cfg.History)
	rawConfig, err := encode(cfg)
	if err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	configDesc := Descriptor{MediaType: MediaTypeConfig, Digest: Sum(rawConfig), Size: int64(len(rawConfig))}
	rawManifest, err := encode(Manifest{SchemaVersion: 2, MediaType: MediaTypeManifest, Config: configDesc, Layers: descs})
	if err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	return &Image{
		config:       cfg,
		rawConfig:    rawConfig,
		configDesc:   configDesc,
		rawManifest:  rawManifest,
		manifestDesc: Descriptor{MediaType: MediaTypeManifest, Digest: Sum(rawManifest), Size: int64(len(rawManifest))},
		layers:       slices.Clone(layers),
	}, nil
}

// Load makes an image of blobs that exist already, keeping their bytes. Without
// a manifest, as in archives of docker save, it makes one.
func Load(rawConfig, rawManifest []byte, layers []Layer) (*Image, error) {
	cfg, err := ParseConfig(rawConfig)
	if err != nil {
		return nil, err
	}
	if len(cfg.RootFS.DiffIDs) != len(layers) {
		return nil, fmt.Errorf("load image: %d layers, but the configuration has %d diff_ids", len(layers), len(cfg.RootFS.DiffIDs))
	}
	configDesc := Descriptor{MediaType: MediaTypeConfig, Digest: Sum(rawConfig), Size: int64(len(rawConfig))}
	own := rawManifest == nil
	if own {
		descs := make([]Descriptor, len(layers))
		for i, l := range layers {
			descs[i] = l.Descriptor
		}
		if rawManifest, err = encode(Manifest{SchemaVersion: 2, MediaType: MediaTypeManifest, Config: configDesc, Layers: descs}); err != nil {
			return nil, fmt.Errorf("load image: %w", err)
		}
	}
	return &Image{
		config:       cfg,
		rawConfig:    bytes.Clone(rawConfig),
		configDesc:   configDesc,
		rawManifest:  bytes.Clone(rawManifest),
		manifestDesc: Descriptor{MediaType: MediaTypeManifest, Digest: Sum(rawManifest), Size: int64(len(rawManifest))},
		layers:       slices.Clone(layers),
		ownManifest:  own,
	}, nil
}

// Annotate returns the image with annotations added to its manifest.
func (img *Image) Annotate(annotations map[string]string) (*Image, error) {
	var m Manifest
	if err := json.Unmarshal(img.rawManifest, &m); err != nil {
		return nil, fmt.Errorf("annotate image: %w", err)
	}
	all := maps.Clone(annotations)
	for k, v := range m.Annotations {
		if _, ok := all[k]; !ok {
			all[k] = v
		}
	}
	m.Annotations = all
	raw, err := encode(m)
	if err != nil {
		return nil, fmt.Errorf("annotate image: %w", err)
	}
	out := *img
	out.rawManifest = raw
	out.manifestDesc.Digest, out.manifestDesc.Size = Sum(raw), int64(len(raw))
	return &out, nil
}

// BaseAnnotations are those of images on top of img, which is called ref; an
// empty one says nothing.
func (img *Image) BaseAnnotations(ref Reference) map[string]string {
	out := map[string]string{}
	if ref.Name != "" {
		out[AnnotationBaseName] = ref.Full()
	}
	if !img.ownManifest {
		out[AnnotationBaseDigest] = string(img.Digest())
	}
	return out
}

// Append returns an image with layer on top of those of img.
func (img *Image) Append(layer Layer, h History) (*Image, error) {
	cfg := img.config
	cfg.History = append(slices.Clone(cfg.History), h)
	return New(cfg, append(slices.Clone(img.layers), layer))
}

// Config returns the configuration; the caller must not change what it refers to.
func (img *Image) Config() Config { return img.config }

// RawConfig returns the bytes of the configuration blob.
func (img *Image) RawConfig() []byte { return bytes.Clone(img.rawConfig) }

// ConfigDescriptor points to the configuration blob.
func (img *Image) ConfigDescriptor() Descriptor { return img.configDesc }

// RawManifest returns the bytes of the manifest.
func (img *Image) RawManifest() []byte { return bytes.Clone(img.rawManifest) }

// Descriptor points to the manifest; its digest is the digest of the image.
func (img *Image) Descriptor() Descriptor { return img.manifestDesc }

// Digest returns the digest of the manifest.
func (img *Image) Digest() Digest { return img.manifestDesc.Digest }

// Layers returns the layers, lowest first.
func (img *Image) Layers() []Layer { return slices.Clone(img.layers) }

func filled(history []History) int {
	n := 0
	for _, h := range history {
		if !h.EmptyLayer {
			n++
		}
	}
	return n
}

// FitHistory returns history if it tells of exactly n layers, and otherwise n
// entries that say nothing, as tools write images without a history.
func FitHistory(history []History, n int, created string) []History {
	if filled(history) == n {
		return slices.Clone(history)
	}
	out := make([]History, n)
	for i := range out {
		out[i] = History{Created: created}
	}
	return out
}
