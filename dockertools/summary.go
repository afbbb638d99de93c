package dockertools

import (
	"archive/tar"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"
)

// PathSize is a store path and the bytes of its files.
type PathSize struct {
	Path  string
	Bytes int64
}

// Summary says what an image consists of.
type Summary struct {
	// Names are name:tag, as manifest.json has them.
	Names        []string
	Digest       image.Digest // of the manifest
	Architecture string
	Variant      string // of the architecture, or ""
	OS           string
	Created      string
	Settings     image.Settings
	Layers       []LayerSummary // lowest first
	// Size is the bytes of all layers as they are shipped, UnpackedSize as they
	// are loaded.
	Size         int64
	UnpackedSize int64
	// StorePaths are those of all layers, largest first.
	StorePaths []PathSize
	// OtherSize is the bytes of the files outside the store in layers of ours.
	OtherSize int64
}

// LayerSummary says what a layer consists of.
type LayerSummary struct {
	Digest       image.Digest
	MediaType    string
	Size         int64
	UnpackedSize int64
	FromBase     bool
	StorePaths   []PathSize // by name
	OtherSize    int64      // bytes of the files outside the store
}

// Inspect tells what is in the first image of the archive at name. Layers of
// our own archives say what they hold beside their digest, so nothing is
// unpacked; others are read.
func Inspect(ctx context.Context, name string) (Summary, error) {
	a, err := archive.Open(ctx, name, "")
	if err != nil {
		return Summary{}, err
	}
	defer a.Close()
	images, err := a.Images()
	if err != nil {
		return Summary{}, err
	}
	s, err := Summarise(images[0])
	if err != nil {
		return Summary{}, fmt.Errorf("inspect %s: %w", name, err)
	}
	return s, nil
}

// Summarise is [Inspect] for an image that is open already.
func Summarise(t archive.Tagged) (Summary, error) {
	cfg := t.Image.Config()
	s := Summary{
		Digest: t.Image.Digest(), Architecture: cfg.Architecture, Variant: cfg.Variant, OS: cfg.OS, Created: cfg.Created, Settings: cfg.Settings,
	}
	for _, r := range t.References {
		s.Names = append(s.Names, r.String())
	}
	for i, l := range t.Image.Layers() {
		ls, err := summariseLayer(l)
		if err != nil {
			return Summary{}, fmt.Errorf("layer %d: %w", i+1, err)
		}
		s.Layers = append(s.Layers, ls)
		s.Size += ls.Size
		s.UnpackedSize += ls.UnpackedSize
		s.StorePaths = append(s.StorePaths, ls.StorePaths...)
		if !ls.FromBase {
			s.OtherSize += ls.OtherSize
		}
	}
	slices.SortFunc(s.StorePaths, func(a, b PathSize) int {
		if c := cmp.Compare(b.Bytes, a.Bytes); c != 0 {
			return c
		}
		return cmp.Compare(a.Path, b.Path)
	})
	return s, nil
}

func summariseLayer(l image.Layer) (LayerSummary, error) {
	s := LayerSummary{Digest: l.Digest, MediaType: l.MediaType, Size: l.Size, FromBase: l.Annotations[image.AnnotationBase] != ""}
	size, err := strconv.ParseInt(l.Annotations[image.AnnotationUnpackedSize], 10, 64)
	if err != nil || size < 0 {
		return s, readLayer(l, &s)
	}
	s.UnpackedSize = size
	sizes := map[string]int64{}
	if text := l.Annotations[image.AnnotationStorePaths]; text != "" {
		if err := json.Unmarshal([]byte(text), &sizes); err != nil {
			return s, fmt.Errorf("annotation %s: %w", image.AnnotationStorePaths, err)
		}
	}
	s.StorePaths = sortedSizes(sizes)
	if text := l.Annotations[image.AnnotationOtherSize]; text != "" {
		if s.OtherSize, err = strconv.ParseInt(text, 10, 64); err != nil {
			return s, fmt.Errorf("annotation %s: %w", image.AnnotationOtherSize, err)
		}
	}
	return s, nil
}

// readLayer finds out what a layer holds from its files.
func readLayer(l image.Layer, s *LayerSummary) error {
	sizes := map[string]int64{}
	size, err := l.Read(func(r io.Reader) error {
		tr := tar.NewReader(r)
		for {
			h, err := tr.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(strings.TrimPrefix(h.Name, "./"), "/")
			if rest, ok := strings.CutPrefix(name, "nix/store/"); ok && rest != "" {
				base, _, _ := strings.Cut(rest, "/")
				sizes[base] += h.Size
				continue
			}
			s.OtherSize += h.Size
		}
	})
	s.UnpackedSize = size
	s.StorePaths = sortedSizes(sizes)
	return err
}

func sortedSizes(sizes map[string]int64) []PathSize {
	var out []PathSize
	for _, base := range slices.Sorted(maps.Keys(sizes)) {
		out = append(out, PathSize{Path: storePrefix + base, Bytes: sizes[base]})
	}
	return out
}

const storePrefix = "/nix/store/"

// annotateLayer returns the annotations that let [Inspect] do without a layer, whose
// files have that many bytes and its tar that many.
func annotateLayer(sizes []PathSize, files, unpacked int64) map[string]string {
	m := make(map[string]int64, len(sizes))
	other := files
	for _, s := range sizes {
		m[strings.TrimPrefix(s.Path, storePrefix)] = s.Bytes
		other -= s.Bytes
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic("dockertools: " + err.Error()) // a map of numbers is always JSON
	}
	out := map[string]string{
		image.AnnotationUnpackedSize: strconv.FormatInt(unpacked, 10),
		image.AnnotationStorePaths:   string(text),
	}
	if other > 0 {
		out[image.AnnotationOtherSize] = strconv.FormatInt(other, 10)
	}
	return out
}

func annotateBase(given map[string]string, unpacked int64) map[string]string {
	out := map[string]string{}
	maps.Copy(out, given)
	out[image.AnnotationUnpackedSize] = strconv.FormatInt(unpacked, 10)
	out[image.AnnotationBase] = "true"
	return out
}

// storePathsComment is what nixpkgs writes into the history of a layer.
func storePathsComment(sizes []PathSize) string {
	var b strings.Builder
	b.WriteString("store paths: [")
	for i, s := range sizes {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("'" + s.Path + "'")
	}
	b.WriteString("]")
	return b.String()
}
