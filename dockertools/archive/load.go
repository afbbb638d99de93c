package archive

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonix/dockertools/image"
)

// maxIndexDepth bounds indexes inside indexes.
const maxIndexDepth = 4

// Images returns what the archive holds, in its order. Configurations and
// manifests are verified; layers are when they are read.
func (a *Archive) Images() ([]Tagged, error) {
	images, err := a.images()
	if err != nil {
		return nil, fmt.Errorf("read image archive %s: %w", a.name, err)
	}
	return images, nil
}

func (a *Archive) images() ([]Tagged, error) {
	a.unread = maxMetadata
	var images []Tagged
	var err error
	if _, ok := a.find("index.json"); ok {
		if images, err = a.layout(); err != nil {
			return nil, err
		}
	}
	if _, ok := a.find("manifest.json"); ok {
		if images, err = a.dockerSave(images); err != nil {
			return nil, err
		}
	} else if _, ok := a.find("repositories"); ok && images == nil {
		images, err = a.oldDockerSave()
		if err != nil {
			return nil, err
		}
	}
	if len(images) == 0 && a.other != "" {
		return nil, fmt.Errorf("it holds no image that can be read but a '%s'", a.other)
	}
	if _, ok := a.members["etc/passwd"]; ok && len(images) == 0 {
		return nil, errors.New("it holds no image but a root file system; 'podman import' or 'docker import' makes an image of that")
	}
	if len(images) == 0 {
		return nil, errors.New("it holds no image: neither index.json nor manifest.json names one")
	}
	return images, nil
}

// namesImages reports whether there is a file that says which images there are.
func (a *Archive) namesImages() bool {
	for _, name := range []string{"index.json", "manifest.json", "repositories"} {
		if _, ok := a.members[name]; ok {
			return true
		}
	}
	return false
}

// layout reads index.json and what it leads to.
func (a *Archive) layout() ([]Tagged, error) {
	data, err := a.read("index.json")
	if err != nil {
		return nil, err
	}
	return a.indexed(nil, data, 0)
}

func (a *Archive) indexed(images []Tagged, data []byte, depth int) ([]Tagged, error) {
	if depth > maxIndexDepth {
		return nil, errors.New("indexes are nested too deeply")
	}
	var index image.Index
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("parse index: %w", err)
	}
	for _, desc := range index.Manifests {
		if desc.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			continue
		}
		switch desc.MediaType {
		case image.MediaTypeIndex, image.DockerMediaTypeManifestList:
			raw, err := a.blob(desc)
			if err != nil {
				return nil, err
			}
			before := len(images)
			if images, err = a.indexed(images, raw, depth+1); err != nil {
				return nil, err
			}
			for i := range images[before:] {
				img := &images[before+i]
				img.References = append(img.References, references(desc.Annotations)...)
			}
		case image.MediaTypeManifest, image.DockerMediaTypeManifest, "":
			img, err := a.manifest(desc)
			if err != nil {
				return nil, err
			}
			if img != nil {
				images = add(images, Tagged{Image: img, References: references(desc.Annotations)})
			}
		default:
			a.other = desc.MediaType
		}
	}
	return images, nil
}

// add appends t, or only its names where the image is there already.
func add(images []Tagged, t Tagged) []Tagged {
	for i := range images {
		if images[i].Image.ConfigDescriptor().Digest == t.Image.ConfigDescriptor().Digest {
			for _, ref := range t.References {
				if !slices.Contains(images[i].References, ref) {
					images[i].References = append(images[i].References, ref)
				}
			}
			return images
		}
	}
	return append(images, t)
}

// references returns the names that the annotations of an index give.
func references(annotations map[string]string) []image.Reference {
	if full := annotations[image.AnnotationFullName]; full != "" {
		full = strings.TrimPrefix(full, "docker.io/")
		return []image.Reference{image.SplitReference(strings.TrimPrefix(full, "library/"))}
	}
	ref := annotations[image.AnnotationRefName]
	switch {
	case ref == "":
		return nil
	case strings.ContainsAny(ref, ":/"):
		return []image.Reference{image.SplitReference(ref)}
	}
	return []image.Reference{{Tag: ref}}
}

// manifest reads one image; it is nil for a manifest of something else.
func (a *Archive) manifest(desc image.Descriptor) (*image.Image, error) {
	raw, err := a.blob(desc)
	if err != nil {
		return nil, err
	}
	var m image.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("parse manifest %s: %w", desc.Digest, err)
	}
	if m.Config.MediaType != image.MediaTypeConfig && m.Config.MediaType != image.DockerMediaTypeConfig {
		a.other = m.Config.MediaType
		return nil, nil
	}
	config, err := a.blob(m.Config)
	if err != nil {
		return nil, err
	}
	cfg, err := image.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	if len(cfg.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("manifest %s has %d layers, its configuration %d", desc.Digest, len(m.Layers), len(cfg.RootFS.DiffIDs))
	}
	layers := make([]image.Layer, len(m.Layers))
	for i, d := range m.Layers {
		if _, err := image.ParseDigest(string(d.Digest)); err != nil {
			return nil, err
		}
		file, ok := a.find(blobDir + d.Digest.Hex())
		if !ok {
			return nil, fmt.Errorf("layer %s is missing", d.Digest)
		}
		if file.size != d.Size {
			return nil, fmt.Errorf("layer %s has %d bytes, expected %d", d.Digest, file.size, d.Size)
		}
		if d.MediaType, err = sniff(file); err != nil {
			return nil, fmt.Errorf("layer %s: %w", d.Digest, err)
		}
		layers[i] = image.Layer{Descriptor: d, DiffID: cfg.RootFS.DiffIDs[i], Open: file.open}
	}
	return image.Load(config, raw, layers)
}

// blob reads a small blob and checks its digest.
func (a *Archive) blob(desc image.Descriptor) ([]byte, error) {
	if _, err := image.ParseDigest(string(desc.Digest)); err != nil {
		return nil, err
	}
	data, err := a.read(blobDir + desc.Digest.Hex())
	if err != nil {
		return nil, err
	}
	if got := image.Sum(data); got != desc.Digest {
		return nil, fmt.Errorf("blob %s has digest %s", desc.Digest, got)
	}
	return data, nil
}

// dockerSave adds the images of manifest.json to those found already.
func (a *Archive) dockerSave(images []Tagged) ([]Tagged, error) {
	data, err := a.read("manifest.json")
	if err != nil {
		return nil, err
	}
	var entries []dockerImage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("parse manifest.json: %w", err)
	}
	for i, e := range entries {
		if e.Config == "" {
			return nil, fmt.Errorf("entry %d of manifest.json names no configuration", i+1)
		}
		config, err := a.read(e.Config)
		if err != nil {
			return nil, err
		}
		if err := checkName(e.Config, config); err != nil {
			return nil, err
		}
		var refs []image.Reference
		for _, t := range e.RepoTags {
			refs = append(refs, image.SplitReference(t))
		}
		if known := slices.IndexFunc(images, func(t Tagged) bool { return t.Image.ConfigDescriptor().Digest == image.Sum(config) }); known >= 0 {
			// Names of manifest.json are as the user wrote them.
			if len(refs) > 0 {
				images[known].References = refs
			}
			continue
		}
		cfg, err := image.ParseConfig(config)
		if err != nil {
			return nil, err
		}
		if len(cfg.RootFS.DiffIDs) != len(e.Layers) {
			return nil, fmt.Errorf("manifest.json names %d layers for %s, its configuration %d", len(e.Layers), e.Config, len(cfg.RootFS.DiffIDs))
		}
		layers := make([]image.Layer, len(e.Layers))
		for i, name := range e.Layers {
			if layers[i], err = a.namedLayer(name, cfg.RootFS.DiffIDs[i]); err != nil {
				return nil, err
			}
		}
		img, err := image.Load(config, nil, layers)
		if err != nil {
			return nil, err
		}
		images = add(images, Tagged{Image: img, References: refs})
	}
	return images, nil
}

// checkName compares a configuration with the digest that its file is called by.
func checkName(name string, data []byte) error {
	base := strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], ".json")
	if _, err := image.ParseDigest("sha256:" + base); err != nil {
		return nil
	}
	if got := image.Sum(data); got.Hex() != base {
		return fmt.Errorf("configuration %s has digest %s", name, got)
	}
	return nil
}

// namedLayer describes a layer that manifest.json names. A layer that is not
// compressed has the digest of its contents; of another one it is computed.
func (a *Archive) namedLayer(name string, diffID image.Digest) (image.Layer, error) {
	file, ok := a.find(name)
	if !ok {
		return image.Layer{}, fmt.Errorf("layer %s is missing", name)
	}
	mediaType, err := sniff(file)
	if err != nil {
		return image.Layer{}, fmt.Errorf("layer %s: %w", name, err)
	}
	digest := diffID
	if mediaType != image.MediaTypeLayer {
		if digest, err = file.packedDigest(); err != nil {
			return image.Layer{}, fmt.Errorf("layer %s: %w", name, err)
		}
	}
	return image.Layer{
		Descriptor: image.Descriptor{MediaType: mediaType, Digest: digest, Size: file.size},
		DiffID:     diffID,
		Open:       file.open,
	}, nil
}

func sniff(file member) (string, error) {
	r, err := file.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	head, err := bufio.NewReaderSize(r, 16).Peek(6)
	if err != nil && err != io.EOF {
		return "", err
	}
	return image.SniffLayer(head)
}

// Find returns the one image of the archive that has the given name and tag;
// an empty one stands for any. Where several remain, that for the architecture
// is taken.
func (a *Archive) Find(name, tag, architecture string) (Tagged, error) {
	images, err := a.Images()
	if err != nil {
		return Tagged{}, err
	}
	var found []Tagged
	for _, t := range images {
		if name == "" && tag == "" || slices.ContainsFunc(t.References, func(r image.Reference) bool { return matches(r, name, tag) }) {
			found = append(found, t)
		}
	}
	if len(found) > 1 {
		if same := slices.DeleteFunc(slices.Clone(found), func(t Tagged) bool { return t.Image.Config().Architecture != architecture }); len(same) > 0 {
			found = same
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return Tagged{}, fmt.Errorf("image archive %s holds no %s; it holds %s", a.name, wanted(name, tag), list(images))
	}
	return Tagged{}, fmt.Errorf("image archive %s holds several images: %s; choose one with fromImageName and fromImageTag", a.name, list(found))
}

func matches(r image.Reference, name, tag string) bool {
	if tag != "" && r.Tag != tag {
		return false
	}
	return name == "" || r.Name == name || image.Reference{Name: r.Name, Tag: "x"}.Full() == image.Reference{Name: name, Tag: "x"}.Full()
}

func wanted(name, tag string) string {
	switch {
	case name == "":
		return "image with tag " + tag
	case tag == "":
		return "image " + name
	}
	return "image " + name + ":" + tag
}

func list(images []Tagged) string {
	var names []string
	for _, t := range images {
		if len(t.References) == 0 {
			names = append(names, "one without a name for "+t.Image.Config().Architecture)
		}
		for _, r := range t.References {
			names = append(names, r.String())
		}
	}
	return strings.Join(names, ", ")
}
