package image

// Media types of the blobs of an image, as the OCI image specification names them.
const (
	MediaTypeManifest  = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeIndex     = "application/vnd.oci.image.index.v1+json"
	MediaTypeConfig    = "application/vnd.oci.image.config.v1+json"
	MediaTypeLayer     = "application/vnd.oci.image.layer.v1.tar"
	MediaTypeLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
	MediaTypeLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
)

// Media types that Docker used before the OCI took the formats over.
const (
	DockerMediaTypeManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	DockerMediaTypeManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerMediaTypeConfig       = "application/vnd.docker.container.image.v1+json"
)

// layerKind is the media type of ours for layers that are compressed as those
// that the manifest calls mediaType; "" if that is no layer.
func layerKind(mediaType string) string {
	switch mediaType {
	case MediaTypeLayer, "application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.diff.tar":
		return MediaTypeLayer
	case MediaTypeLayerGzip, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":
		return MediaTypeLayerGzip
	case MediaTypeLayerZstd, "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd":
		return MediaTypeLayerZstd
	}
	return ""
}

// Annotations that descriptors of ours carry.
const (
	// AnnotationStorePaths lists the store paths of a layer with their sizes: a
	// JSON object from the base name of the path to the bytes of its files.
	AnnotationStorePaths = "io.gonix.layer.store-paths"
	// AnnotationOtherSize is the bytes of the files of a layer that lie outside of
	// the store, absent for none.
	AnnotationOtherSize = "io.gonix.layer.other-size"
	// AnnotationUnpackedSize is the length of the layer's tar in bytes.
	AnnotationUnpackedSize = "io.gonix.layer.unpacked-size"
	// AnnotationBase marks a layer taken over from a base image.
	AnnotationBase = "io.gonix.layer.base"
	// AnnotationRefName is the tag in index.json, as the OCI layout defines it.
	AnnotationRefName = "org.opencontainers.image.ref.name"
	// AnnotationFullName is the full name of the image in index.json, the way containerd and Docker read it.
	AnnotationFullName = "io.containerd.image.name"
)

// Annotations of manifests, as the OCI image specification names them.
const (
	// AnnotationBaseName is what the base image is called, with its registry.
	AnnotationBaseName = "org.opencontainers.image.base.name"
	// AnnotationBaseDigest is the digest of its manifest.
	AnnotationBaseDigest = "org.opencontainers.image.base.digest"
)

// Descriptor points to a blob.
type Descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      Digest            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *Platform         `json:"platform,omitempty"`
}

// Platform says what an image of an index runs on.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}

// Manifest is the OCI image manifest.
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Config        Descriptor        `json:"config"`
	Layers        []Descriptor      `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Index is the OCI image index, the entry point of a layout.
type Index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Manifests     []Descriptor `json:"manifests"`
}
