package archive

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"gonix/dockertools/image"
)

// maxParents bounds the chain of an old image.
const maxParents = 256

// oldLayer is <id>/json of archives from before Docker 1.10, where every layer
// was an image with a parent.
type oldLayer struct {
	ID           string         `json:"id"`
	Parent       string         `json:"parent"`
	Created      string         `json:"created"`
	Architecture string         `json:"architecture"`
	OS           string         `json:"os"`
	Config       image.Settings `json:"config"`
}

// oldDockerSave reads an archive that has repositories but no manifest.json, as
// old versions of Docker and of nixpkgs wrote them.
func (a *Archive) oldDockerSave() ([]Tagged, error) {
	data, err := a.read("repositories")
	if err != nil {
		return nil, err
	}
	var repositories map[string]map[string]string
	if err := json.Unmarshal(data, &repositories); err != nil {
		return nil, fmt.Errorf("parse repositories: %w", err)
	}
	var images []Tagged
	for _, name := range slices.Sorted(maps.Keys(repositories)) {
		for _, tag := range slices.Sorted(maps.Keys(repositories[name])) {
			img, err := a.oldImage(repositories[name][tag])
			if err != nil {
				return nil, err
			}
			images = add(images, Tagged{Image: img, References: []image.Reference{{Name: name, Tag: tag}}})
		}
	}
	return images, nil
}

func (a *Archive) oldImage(id string) (*image.Image, error) {
	var chain []oldLayer // top first
	for next := id; next != ""; {
		if len(chain) == maxParents {
			return nil, fmt.Errorf("image %s has more than %d parents", id, maxParents)
		}
		data, err := a.read(next + "/json")
		if err != nil {
			return nil, err
		}
		var l oldLayer
		if err := json.Unmarshal(data, &l); err != nil {
			return nil, fmt.Errorf("parse %s/json: %w", next, err)
		}
		l.ID = next
		chain = append(chain, l)
		next = l.Parent
	}
	top := chain[0]
	cfg := image.Config{Created: top.Created, Architecture: top.Architecture, OS: top.OS, Settings: top.Config}
	if cfg.Architecture == "" {
		cfg.Architecture = "amd64"
	}
	if cfg.OS == "" {
		cfg.OS = "linux"
	}
	var layers []image.Layer
	for _, l := range slices.Backward(chain) {
		file, ok := a.find(l.ID + "/layer.tar")
		if !ok {
			return nil, fmt.Errorf("layer %s/layer.tar is missing", l.ID)
		}
		diffID, err := file.unpackedDigest()
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.ID, err)
		}
		layer, err := a.namedLayer(l.ID+"/layer.tar", diffID)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
		cfg.History = append(cfg.History, image.History{Created: l.Created})
	}
	return image.New(cfg, layers)
}

// packedDigest is the digest of the file as it is.
func (m member) packedDigest() (image.Digest, error) {
	return m.once(&m.sums.packed, func(r io.Reader) (image.Digest, error) { return hashReader(r, m.size) })
}

// unpackedDigest is the digest of what the file unpacks to.
func (m member) unpackedDigest() (image.Digest, error) {
	return m.once(&m.sums.unpacked, func(r io.Reader) (image.Digest, error) {
		tar, err := image.DecompressReader(r)
		if err != nil {
			return "", err
		}
		defer tar.Close()
		return hashReader(tar, m.size)
	})
}

// once finds out what known is to be, if it is not known yet: archives may name a
// layer many times.
func (m member) once(known *image.Digest, find func(io.Reader) (image.Digest, error)) (image.Digest, error) {
	if *known != "" {
		return *known, nil
	}
	r, err := m.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	*known, err = find(r)
	return *known, err
}

// hashReader reads what a file of packed bytes unpacks to.
func hashReader(r io.Reader, packed int64) (image.Digest, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, image.Bounded(r, packed)); err != nil {
		return "", err
	}
	return image.FromSHA256(sum.Sum(nil)), nil
}
