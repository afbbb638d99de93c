// Package archive writes and reads the files that images travel in.
//
// A [Writer] makes one tar that is an OCI image layout and an archive of docker
// save at once: blobs/sha256/* holds every manifest, configuration and layer;
// index.json names the manifests for readers of the layout, and manifest.json
// names configurations and layers for Docker. Layers are written as they are
// made: the header of a blob has a fixed length whatever its digest, so it is
// written last. Where the output cannot seek, a layer waits in a file until its
// digest is known.
//
// [Open] reads such archives and those of other tools: docker save old and new,
// OCI layouts, and what skopeo writes. Nothing in an archive is trusted: every
// digest is checked, names are only looked up, never opened, and sizes are
// bounded.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gonix/dockertools/image"
)

const (
	blobDir    = "blobs/sha256/"
	blockSize  = 512
	layoutFile = `{"imageLayoutVersion":"1.0.0"}`
)

// Tagged is an image of an archive with its names.
type Tagged struct {
	Image      *image.Image
	References []image.Reference
}

// Writer writes an archive. After an error the output is not an archive.
type Writer struct {
	out      io.Writer
	file     *os.File // nil if out cannot seek
	spoolDir string
	offset   int64
	blobs    map[image.Digest]bool
	// named writes the two members that have the image's name; nil for the usual way.
	named func(head, data []byte) error
}

// NewWriter starts an archive in f, which must be empty and seekable.
func NewWriter(f *os.File) (*Writer, error) { return start(&Writer{out: f, file: f}) }

// NewStreamWriter starts an archive on an output that cannot seek, such as a
// pipe. Layers of unknown digest wait in files in spoolDir.
func NewStreamWriter(out io.Writer, spoolDir string) (*Writer, error) {
	return start(&Writer{out: out, spoolDir: spoolDir})
}

// NewPlacingWriter starts an archive whose layers are brought to out by others,
// with [Writer.Place]. The members that have names of images in them are given
// to named, with the block before them, instead of being written.
func NewPlacingWriter(out io.Writer, named func(head, data []byte) error) (*Writer, error) {
	return start(&Writer{out: out, named: named})
}

// Place adds a layer whose digest is known; place brings its bytes to the output.
func (w *Writer) Place(layer image.Layer, place func() error) error {
	if w.blobs[layer.Digest] {
		return nil
	}
	head, err := header(blobDir+layer.Digest.Hex(), layer.Size)
	if err != nil {
		return err
	}
	if err := w.write(head); err != nil {
		return err
	}
	if err := place(); err != nil {
		return err
	}
	w.offset += layer.Size
	w.blobs[layer.Digest] = true
	return w.pad()
}

func start(w *Writer) (*Writer, error) {
	w.blobs = map[image.Digest]bool{}
	if err := w.member("oci-layout", []byte(layoutFile)); err != nil {
		return nil, err
	}
	// Where the directories are not named, skopeo makes them and gives them to
	// root, which fails for other users.
	for _, dir := range []string{"blobs/", blobDir} {
		if err := w.member(dir, nil); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// Layer adds the layer that fill writes. What fill returns must describe the
// bytes it wrote; after an error of its own the archive is as it was before. The
// returned layer can be opened while the archive's file is open; on an output that
// cannot seek it cannot.
func (w *Writer) Layer(fill func(io.Writer) (image.Layer, error)) (image.Layer, error) {
	if w.file == nil {
		return w.spooled(fill)
	}
	begin := w.offset
	// The header's place is taken by zeros, which no reader takes for one.
	if err := w.write(make([]byte, blockSize)); err != nil {
		return image.Layer{}, err
	}
	layer, err := fill(w.file)
	if err != nil {
		return image.Layer{}, errors.Join(err, w.backTo(begin))
	}
	end, err := w.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return image.Layer{}, err
	}
	w.offset = end
	if got := end - begin - blockSize; got != layer.Size {
		return image.Layer{}, fmt.Errorf("write layer: %d bytes, expected %d", got, layer.Size)
	}
	if w.blobs[layer.Digest] {
		return layer, w.backTo(begin)
	}
	head, err := header(blobDir+layer.Digest.Hex(), layer.Size)
	if err != nil {
		return image.Layer{}, err
	}
	if _, err := w.file.WriteAt(head, begin); err != nil {
		return image.Layer{}, err
	}
	w.blobs[layer.Digest] = true
	layer.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(w.file, begin+blockSize, layer.Size)), nil
	}
	return layer, w.pad()
}

// backTo forgets what was written since the output was that long.
func (w *Writer) backTo(length int64) error {
	err := w.file.Truncate(length)
	if err == nil {
		w.offset, err = w.file.Seek(length, io.SeekStart)
	}
	return err
}

func (w *Writer) spooled(fill func(io.Writer) (image.Layer, error)) (image.Layer, error) {
	spool, err := newSpool(w.spoolDir, "layer")
	if err != nil {
		return image.Layer{}, err
	}
	defer spool.Close()
	layer, err := fill(spool)
	if err != nil {
		return image.Layer{}, err
	}
	layer.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(spool, 0, layer.Size)), nil
	}
	if err := w.Copy(layer); err != nil {
		return image.Layer{}, err
	}
	layer.Open = func() (io.ReadCloser, error) {
		return nil, fmt.Errorf("open layer %s: it was written to a stream", layer.Digest)
	}
	return layer, nil
}

// Copy adds a layer whose digest is known, checking it on the way.
func (w *Writer) Copy(layer image.Layer) error {
	if w.blobs[layer.Digest] {
		return nil
	}
	r, err := layer.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	head, err := header(blobDir+layer.Digest.Hex(), layer.Size)
	if err != nil {
		return err
	}
	if err := w.write(head); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(w.out, io.TeeReader(io.LimitReader(r, layer.Size+1), sum))
	w.offset += n
	if err != nil {
		return fmt.Errorf("copy layer %s: %w", layer.Digest, err)
	}
	if got := image.FromSHA256(sum.Sum(nil)); n != layer.Size || got != layer.Digest {
		return fmt.Errorf("copy layer %s: its bytes have digest %s", layer.Digest, got)
	}
	w.blobs[layer.Digest] = true
	return w.pad()
}

// dockerImage is one element of Docker's manifest.json.
type dockerImage struct {
	Config   string   `json:"Config"`
	RepoTags []string `json:"RepoTags"`
	Layers   []string `json:"Layers"`
}

// Finish writes configurations, manifests and the two indexes. Every layer must
// have been added. The output is not closed.
func (w *Writer) Finish(images []Tagged) error {
	index := image.Index{SchemaVersion: 2, MediaType: image.MediaTypeIndex, Manifests: []image.Descriptor{}}
	docker := []dockerImage{}
	for _, t := range images {
		entry := dockerImage{Config: blobDir + t.Image.ConfigDescriptor().Digest.Hex(), Layers: []string{}}
		for _, l := range t.Image.Layers() {
			if !w.blobs[l.Digest] {
				return fmt.Errorf("finish archive: layer %s was not written", l.Digest)
			}
			entry.Layers = append(entry.Layers, blobDir+l.Digest.Hex())
		}
		if err := w.blob(t.Image.ConfigDescriptor().Digest, t.Image.RawConfig()); err != nil {
			return err
		}
		if err := w.blob(t.Image.Digest(), t.Image.RawManifest()); err != nil {
			return err
		}
		cfg := t.Image.Config()
		desc := t.Image.Descriptor()
		desc.Platform = &image.Platform{Architecture: cfg.Architecture, OS: cfg.OS, Variant: cfg.Variant}
		if len(t.References) == 0 {
			index.Manifests = append(index.Manifests, desc)
		}
		for _, ref := range t.References {
			entry.RepoTags = append(entry.RepoTags, ref.String())
			named := desc
			named.Annotations = map[string]string{image.AnnotationFullName: ref.Full(), image.AnnotationRefName: ref.Tag}
			index.Manifests = append(index.Manifests, named)
		}
		docker = append(docker, entry)
	}
	for _, m := range []struct {
		name  string
		value any
	}{{"index.json", index}, {"manifest.json", docker}} {
		data, err := json.Marshal(m.value)
		if err != nil {
			return fmt.Errorf("finish archive: %w", err)
		}
		if err := w.nameMember(m.name, data); err != nil {
			return err
		}
	}
	return w.write(make([]byte, 2*blockSize))
}

func (w *Writer) blob(d image.Digest, data []byte) error {
	if w.blobs[d] {
		return nil
	}
	w.blobs[d] = true
	return w.member(blobDir+d.Hex(), data)
}

func (w *Writer) nameMember(name string, data []byte) error {
	if w.named == nil {
		return w.member(name, data)
	}
	head, err := header(name, int64(len(data)))
	if err != nil {
		return err
	}
	return w.named(head, data)
}

func (w *Writer) member(name string, data []byte) error {
	head, err := header(name, int64(len(data)))
	if err != nil {
		return err
	}
	if err := w.write(head); err != nil {
		return err
	}
	if err := w.write(data); err != nil {
		return err
	}
	return w.pad()
}

func (w *Writer) write(p []byte) error {
	n, err := w.out.Write(p)
	w.offset += int64(n)
	return err
}

func (w *Writer) pad() error {
	if rest := w.offset % blockSize; rest != 0 {
		return w.write(make([]byte, blockSize-rest))
	}
	return nil
}

// header returns the one block before a member. The form of GNU tar also holds
// sizes above 8 GiB in one block.
func header(name string, size int64) ([]byte, error) {
	var buf bytes.Buffer
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o444, ModTime: time.Unix(0, 0)}
	if strings.HasSuffix(name, "/") {
		h.Typeflag, h.Mode = tar.TypeDir, 0o755
	}
	if size >= 1<<33 {
		h.Format = tar.FormatGNU
	}
	if err := tar.NewWriter(&buf).WriteHeader(h); err != nil {
		return nil, err
	}
	if buf.Len() != blockSize {
		return nil, errors.New("header of " + name + " takes more than one block")
	}
	return buf.Bytes(), nil
}
