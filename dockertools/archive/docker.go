package archive

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"gonix/dockertools/image"
)

// WriteDocker writes img as the archive that skopeo's docker-archive transport
// makes of it, byte for byte: layers unpacked, one directory a layer for clients
// of long ago, manifest.json and repositories last. So files that name the hash
// of a pulled image keep it. Each layer waits in spoolDir until its length is
// known; its digests are checked.
func WriteDocker(out io.Writer, img *image.Image, ref image.Reference, spoolDir string) error {
	w := dockerWriter{tar: tar.NewWriter(out), spoolDir: spoolDir, written: map[image.Digest]bool{}}
	entry := dockerArchiveImage{Config: img.ConfigDescriptor().Digest.Hex() + ".json", RepoTags: []string{}, Layers: []string{}}
	for i, l := range img.Layers() {
		entry.Layers = append(entry.Layers, l.DiffID.Hex()+".tar")
		if err := w.layer(l); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	if err := w.bytes(entry.Config, img.RawConfig()); err != nil {
		return err
	}
	top, err := w.legacy(img)
	if err != nil {
		return err
	}
	// The name is written with its registry.
	full := strings.TrimSuffix(ref.Full(), ":"+ref.Tag)
	entry.RepoTags = append(entry.RepoTags, full+":"+ref.Tag)
	repositories := map[string]map[string]string{}
	if top != "" {
		repositories[full] = map[string]string{ref.Tag: top}
	}
	for _, m := range []struct {
		name  string
		value any
	}{{"manifest.json", []dockerArchiveImage{entry}}, {"repositories", repositories}} {
		data, err := json.Marshal(m.value)
		if err != nil {
			return err
		}
		if err := w.bytes(m.name, data); err != nil {
			return err
		}
	}
	return w.tar.Close()
}

// dockerArchiveImage is an element of manifest.json; the order of its fields is
// part of the bytes.
type dockerArchiveImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

type dockerWriter struct {
	tar      *tar.Writer
	spoolDir string
	written  map[image.Digest]bool
}

func (w *dockerWriter) header(h tar.Header) error {
	h.ModTime = time.Unix(0, 0)
	return w.tar.WriteHeader(&h)
}

func (w *dockerWriter) bytes(name string, data []byte) error {
	if err := w.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o444}); err != nil {
		return err
	}
	_, err := w.tar.Write(data)
	return err
}

func (w *dockerWriter) layer(l image.Layer) error {
	if w.written[l.DiffID] {
		return nil
	}
	w.written[l.DiffID] = true
	spool, err := newSpool(w.spoolDir, "layer")
	if err != nil {
		return err
	}
	defer spool.Close()
	size, err := l.Read(func(r io.Reader) error {
		_, err := io.Copy(spool, r)
		return err
	})
	if err != nil {
		return err
	}
	if err := w.header(tar.Header{Typeflag: tar.TypeReg, Name: l.DiffID.Hex() + ".tar", Size: size, Mode: 0o444}); err != nil {
		return err
	}
	_, err = io.Copy(w.tar, io.NewSectionReader(spool, 0, size))
	return err
}

// legacyFields of the configuration are repeated for the topmost layer, null
// where they are missing.
var legacyFields = [...]string{"architecture", "config", "container", "container_config", "created", "docker_version", "os"}

// legacy writes the directory of each layer and returns the name of the last
// one. Names are digests of what the layer is, chained to those below.
func (w *dockerWriter) legacy(img *image.Image) (string, error) {
	var chain image.Digest
	id := ""
	layers := img.Layers()
	for i, l := range layers {
		fields := map[string]any{}
		if id != "" {
			fields["parent"] = id
		}
		if i == len(layers)-1 {
			var config map[string]*json.RawMessage
			if err := json.Unmarshal(img.RawConfig(), &config); err != nil {
				return "", fmt.Errorf("parse image configuration: %w", err)
			}
			for _, name := range legacyFields {
				fields[name] = config[name]
			}
		}
		if chain == "" {
			chain = l.DiffID
		} else {
			chain = image.Sum([]byte(chain + " " + l.DiffID))
		}
		fields["layer_id"] = chain
		data, err := json.Marshal(fields)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(data)
		id = hex.EncodeToString(sum[:])
		delete(fields, "layer_id")
		fields["id"] = id
		if data, err = json.Marshal(fields); err != nil {
			return "", err
		}
		if err := w.header(tar.Header{Typeflag: tar.TypeSymlink, Name: id + "/layer.tar", Linkname: "../" + l.DiffID.Hex() + ".tar"}); err != nil {
			return "", err
		}
		if err := w.bytes(id+"/VERSION", []byte("1.0")); err != nil {
			return "", err
		}
		if err := w.bytes(id+"/json", data); err != nil {
			return "", err
		}
	}
	return id, nil
}
