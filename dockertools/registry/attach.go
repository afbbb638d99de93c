package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"gonix/dockertools/image"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Document is something said about an image, such as an SBOM.
type Document struct {
	MediaType   string
	Data        []byte
	Annotations map[string]string // of the manifest
}

// emptyType and emptyConfig stand for a configuration that there is none of (OCI
// image specification 1.1, "Guidance for an Empty Descriptor").
const emptyType = "application/vnd.oci.empty.v1+json"

var emptyConfig = []byte("{}")

// artifact is the manifest of a document.
type artifact struct {
	SchemaVersion int                `json:"schemaVersion"`
	MediaType     string             `json:"mediaType"`
	ArtifactType  string             `json:"artifactType"`
	Config        image.Descriptor   `json:"config"`
	Layers        []image.Descriptor `json:"layers"`
	Subject       image.Descriptor   `json:"subject"`
	Annotations   map[string]string  `json:"annotations,omitempty"`
}

// Attach puts doc beside img, which was pushed under ref before, as an artifact
// that names it as its subject. Clients find it by the referrers API, and where a
// registry has none, in the index under the tag that the OCI distribution
// specification gives for that ("Referrers Tag Schema"). The same document
// attached again changes nothing. The digest is that of the artifact's manifest.
func (c *Client) Attach(ctx context.Context, img *image.Image, ref string, doc Document) (image.Digest, error) {
	dst, err := c.ParseReference(ref)
	if err != nil {
		return "", err
	}
	subject := img.Descriptor()
	subject.Annotations, subject.Platform = nil, nil
	a := artifact{
		SchemaVersion: 2, MediaType: image.MediaTypeManifest, ArtifactType: doc.MediaType,
		Config:      image.Descriptor{MediaType: emptyType, Digest: image.Sum(emptyConfig), Size: int64(len(emptyConfig))},
		Layers:      []image.Descriptor{{MediaType: doc.MediaType, Digest: image.Sum(doc.Data), Size: int64(len(doc.Data))}},
		Subject:     subject,
		Annotations: doc.Annotations,
	}
	manifest, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	digest := image.Sum(manifest)
	opts := c.options(ctx, c.transport())
	for _, b := range []struct {
		d    image.Descriptor
		data []byte
	}{{a.Config, emptyConfig}, {a.Layers[0], doc.Data}} {
		layer := &layerView{mediaType: types.MediaType(b.d.MediaType), layer: image.Layer{Descriptor: b.d, DiffID: b.d.Digest,
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.data)), nil }}}
		if err := remote.WriteLayer(dst.Context(), layer, opts...); err != nil {
			return "", explain("attach to", dst, err)
		}
	}
	if err := remote.Put(dst.Context().Digest(string(digest)), rawManifest(manifest), opts...); err != nil {
		return "", explain("attach to", dst, err)
	}
	return digest, nil
}

// rawManifest is a manifest as it is.
type rawManifest []byte

func (m rawManifest) RawManifest() ([]byte, error) { return m, nil }

// MediaType tells the registry what it gets.
func (m rawManifest) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// Referrer is a document that is attached to an image.
type Referrer struct {
	Digest       image.Digest
	ArtifactType string
	Annotations  map[string]string
}

// Referrers lists what is attached to the image of the digest in the repository
// that ref names.
func (c *Client) Referrers(ctx context.Context, ref string, digest image.Digest) ([]Referrer, error) {
	dst, err := c.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	index, err := remote.Referrers(dst.Context().Digest(string(digest)), c.options(ctx, c.transport())...)
	if err != nil {
		return nil, explain("list what is attached to", dst, err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, explain("list what is attached to", dst, err)
	}
	var out []Referrer
	for _, d := range m.Manifests {
		if d.ArtifactType == "" || d.ArtifactType == emptyType {
			// Some registries give the configuration's type where the manifest has one.
			if got, err := remote.Get(dst.Context().Digest(d.Digest.String()), c.options(ctx, c.transport())...); err == nil {
				var a artifact
				if json.Unmarshal(got.Manifest, &a) == nil && a.ArtifactType != "" {
					d.ArtifactType = a.ArtifactType
				}
			}
		}
		out = append(out, Referrer{image.Digest(d.Digest.String()), d.ArtifactType, d.Annotations})
	}
	return out, nil
}

// Fetch reads a document that is attached in the repository that ref names.
func (c *Client) Fetch(ctx context.Context, ref string, digest image.Digest) (Document, error) {
	dst, err := c.ParseReference(ref)
	if err != nil {
		return Document{}, err
	}
	doc, err := c.fetch(ctx, dst.Context().Digest(string(digest)))
	if err != nil {
		return Document{}, explain("read what is attached to", dst, err)
	}
	return doc, nil
}

// maxDocument bounds what is read into memory.
const maxDocument = 256 << 20

func (c *Client) fetch(ctx context.Context, at name.Digest) (Document, error) {
	opts := c.options(ctx, c.transport())
	got, err := remote.Get(at, opts...)
	if err != nil {
		return Document{}, err
	}
	m, err := v1.ParseManifest(bytes.NewReader(got.Manifest))
	if err != nil {
		return Document{}, err
	}
	if len(m.Layers) != 1 {
		return Document{}, fmt.Errorf("it has %d parts, not one", len(m.Layers))
	}
	layer, err := remote.Layer(at.Context().Digest(m.Layers[0].Digest.String()), opts...)
	if err != nil {
		return Document{}, err
	}
	r, err := layer.Compressed()
	if err != nil {
		return Document{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = fmt.Errorf("it is larger than %d MiB", maxDocument>>20)
	}
	return Document{MediaType: string(m.Layers[0].MediaType), Data: data, Annotations: m.Annotations}, err
}
