package image

import (
	"context"
	"fmt"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools"
)

// shownPaths is how many store paths a summary names before it counts the
// rest.
const shownPaths = 8

// Summarise says, if what the derivation makes is an image, what it is called, how
// large it is, and what takes the space.
func Summarise(ctx context.Context, w *process.World, st *store.Local, p storepath.Path, output string) error {
	drv, err := st.ReadDerivation(ctx, p)
	if err != nil {
		return err
	}
	if drv.Builder != "builtin:docker-image" {
		return nil
	}
	if data, ok := drv.Structured(); ok {
		if spec, err := dockertools.ParseSpec(data); err == nil && spec.Streamer != "" {
			return nil // a program that writes the image, not the image
		}
	}
	s, err := dockertools.Inspect(ctx, st.RealPath(drv.Outputs[output].Path))
	if err != nil {
		return fmt.Errorf("inspect the image '%s': %w", drv.Outputs[output].Path, err)
	}
	fmt.Fprint(w.Stderr, summaryText(s))
	return nil
}

// layerCount is n layers in words.
func layerCount(n int) string {
	if n == 1 {
		return "1 layer"
	}
	return fmt.Sprintf("%d layers", n)
}

func summaryText(s dockertools.Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "image %s: %s, %s compressed, %s loaded\n", strings.Join(s.Names, " "), layerCount(len(s.Layers)), terminal.ByteSize(s.Size), terminal.ByteSize(s.UnpackedSize))
	base := int64(0)
	for _, l := range s.Layers {
		if l.FromBase {
			base += l.UnpackedSize
		}
	}
	if base > 0 {
		fmt.Fprintf(&b, "  %9s  base image\n", terminal.ByteSize(base))
	}
	rest, count := int64(0), 0
	for i, p := range s.StorePaths {
		if i < shownPaths {
			fmt.Fprintf(&b, "  %9s  %s\n", terminal.ByteSize(p.Bytes), storeName(p.Path))
			continue
		}
		rest += p.Bytes
		count++
	}
	if count > 0 {
		fmt.Fprintf(&b, "  %9s  %d more store paths\n", terminal.ByteSize(rest), count)
	}
	if s.OtherSize > 0 {
		fmt.Fprintf(&b, "  %9s  files outside the store\n", terminal.ByteSize(s.OtherSize))
	}
	return b.String()
}

// storeName is a store path without its folder and digest.
func storeName(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	if len(base) > 33 && base[32] == '-' {
		return base[33:]
	}
	return base
}
