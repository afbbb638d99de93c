package cli

import (
	"context"
	"fmt"
	"strings"

	"gonix/derivation/store"
	"gonix/dockertools"
)

// shownPaths is how many store paths a summary names before it counts the
// rest.
const shownPaths = 8

// summarise says of each image that was asked for what it is called, how large
// it is, and what takes the space.
func summarise(ctx context.Context, w *world, st *store.Local, wishes []wish) error {
	for _, x := range wishes {
		drv, err := st.ReadDerivation(ctx, x.drv)
		if err != nil {
			return err
		}
		if drv.Builder != "builtin:docker-image" {
			continue
		}
		if data, ok := drv.Structured(); ok {
			if spec, err := dockertools.ParseSpec(data); err == nil && spec.Streamer != "" {
				continue // a program that writes the image, not the image
			}
		}
		s, err := dockertools.Inspect(st.RealPath(drv.Outputs[x.output].Path))
		if err != nil {
			return fmt.Errorf("inspect the image '%s': %w", drv.Outputs[x.output].Path, err)
		}
		fmt.Fprint(w.stderr, imageText(s))
	}
	return nil
}

func imageText(s dockertools.Summary) string {
	var b strings.Builder
	layers := "1 layer"
	if n := len(s.Layers); n != 1 {
		layers = fmt.Sprintf("%d layers", n)
	}
	fmt.Fprintf(&b, "image %s: %s, %s compressed, %s loaded\n", strings.Join(s.Names, " "), layers, byteSize(s.Size), byteSize(s.UnpackedSize))
	base := int64(0)
	for _, l := range s.Layers {
		if l.FromBase {
			base += l.UnpackedSize
		}
	}
	if base > 0 {
		fmt.Fprintf(&b, "  %9s  base image\n", byteSize(base))
	}
	rest, count := int64(0), 0
	for i, p := range s.StorePaths {
		if i < shownPaths {
			fmt.Fprintf(&b, "  %9s  %s\n", byteSize(p.Bytes), storeName(p.Path))
			continue
		}
		rest += p.Bytes
		count++
	}
	if count > 0 {
		fmt.Fprintf(&b, "  %9s  %d more store paths\n", byteSize(rest), count)
	}
	if s.OtherSize > 0 {
		fmt.Fprintf(&b, "  %9s  files outside the store\n", byteSize(s.OtherSize))
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
