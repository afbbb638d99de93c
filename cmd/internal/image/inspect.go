package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/dockertools"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/spf13/pflag"
)

// layerJSON is a layer as --json shows it.
type layerJSON struct {
	Digest       image.Digest     `json:"digest"`
	DiffID       image.Digest     `json:"diffId"`
	MediaType    string           `json:"mediaType"`
	Size         int64            `json:"size"`
	UnpackedSize int64            `json:"unpackedSize"`
	FromBase     bool             `json:"fromBase"`
	StorePaths   map[string]int64 `json:"storePaths"`
}

// imageJSON is an image as --json shows it; sizes are bytes.
type imageJSON struct {
	Names        []string        `json:"names"`
	Digest       image.Digest    `json:"digest"`
	ConfigDigest image.Digest    `json:"configDigest"`
	Config       json.RawMessage `json:"config"`
	Size         int64           `json:"size"`
	UnpackedSize int64           `json:"unpackedSize"`
	Layers       []layerJSON     `json:"layers"`
}

// describe gathers what inspect and layers show.
func (f *flags) describe(ctx context.Context, w *process.World, arg string) (imageJSON, dockertools.Summary, error) {
	t, err := f.open(ctx, w, arg)
	if err != nil {
		return imageJSON{}, dockertools.Summary{}, err
	}
	s, err := dockertools.Summarise(t)
	if err != nil {
		return imageJSON{}, s, fmt.Errorf("inspect %s: %w", arg, err)
	}
	out := imageJSON{
		Names: slices.Concat([]string{}, s.Names), Digest: s.Digest, ConfigDigest: t.Image.ConfigDescriptor().Digest, Config: t.Image.RawConfig(),
		Size: s.Size, UnpackedSize: s.UnpackedSize, Layers: []layerJSON{},
	}
	layers := t.Image.Layers()
	for i, l := range s.Layers {
		j := layerJSON{l.Digest, layers[i].DiffID, l.MediaType, l.Size, l.UnpackedSize, l.FromBase, map[string]int64{}}
		for _, p := range l.StorePaths {
			j.StorePaths[p.Path] = p.Bytes
		}
		out.Layers = append(out.Layers, j)
	}
	return out, s, nil
}

// writeIndented writes v as JSON for people.
func writeIndented(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func inspectVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		j, s, err := f.describe(ctx, w, args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return writeIndented(w.Stdout, j)
		}
		var b strings.Builder
		for _, n := range s.Names {
			fmt.Fprintf(&b, "name      %s\n", terminal.Printable(n))
		}
		fmt.Fprintf(&b, "digest    %s\nconfig    %s\nplatform  %s\ncreated   %s\nsize      %s in %s, %s loaded\n",
			j.Digest, j.ConfigDigest, terminal.Printable(registry.PlatformString(image.Platform{OS: s.OS, Architecture: s.Architecture, Variant: s.Variant})), terminal.Printable(s.Created), terminal.ByteSize(s.Size), layerCount(len(s.Layers)), terminal.ByteSize(s.UnpackedSize))
		keys := make([]string, 0, len(s.Settings))
		for k := range s.Settings {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			fmt.Fprintf(&b, "%-9s %s\n", terminal.Printable(k), terminal.Printable(string(s.Settings[k])))
		}
		for i, l := range s.Layers {
			fmt.Fprintf(&b, "layer %-3d %s  %9s  %d store paths\n", i+1, l.Digest, terminal.ByteSize(l.Size), len(l.StorePaths))
		}
		_, err = io.WriteString(w.Stdout, b.String())
		return err
	}
}

func layersVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		j, s, err := f.describe(ctx, w, args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			return writeIndented(w.Stdout, j.Layers)
		}
		var b strings.Builder
		for i, l := range s.Layers {
			base := ""
			if l.FromBase {
				base = ", of the base image"
			}
			fmt.Fprintf(&b, "layer %d: %s compressed, %s loaded%s\n  digest  %s\n  diff id %s\n", i+1, terminal.ByteSize(l.Size), terminal.ByteSize(l.UnpackedSize), base, l.Digest, j.Layers[i].DiffID)
			for _, p := range l.StorePaths {
				fmt.Fprintf(&b, "  %9s  %s\n", terminal.ByteSize(p.Bytes), terminal.Printable(p.Path))
			}
		}
		_, err = io.WriteString(w.Stdout, b.String())
		return err
	}
}
