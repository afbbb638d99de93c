package image

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/dockertools/explain"

	"github.com/spf13/pflag"
)

// explainVerb says why a store path or file is in an image.
func explainVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	page := fs.String("html", "", "write a page for a browser to this `file`: sizes, graph, search")
	all := fs.BoolP("all", "a", false, "show a chain from each root, and all that would leave")
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return errArguments
		}
		t, err := f.open(ctx, w, args[0])
		if err != nil {
			return err
		}
		g, err := explain.Read(ctx, t)
		if err != nil {
			return fmt.Errorf("read the image %s: %w", args[0], err)
		}
		if *page != "" {
			var b bytes.Buffer
			if err := g.Page(&b, t); err != nil {
				return err
			}
			if err := writeWhole(w.Abs(*page), b.Bytes()); err != nil {
				return fmt.Errorf("write the page: %w", err)
			}
			if len(args) == 1 {
				return nil
			}
		}
		if len(args) == 1 && *asJSON {
			all := []explain.Report{}
			for _, n := range g.Nodes {
				all = append(all, g.Report(explain.Subject{Node: n}))
			}
			return writeIndented(w.Stdout, all)
		}
		text := explain.Text{Graph: g, Size: terminal.ByteSize, Clean: terminal.Printable, All: *all}
		if len(args) == 1 {
			return text.Table(w.Stdout)
		}
		s, err := g.Find(args[1])
		if err != nil {
			return err
		}
		if *asJSON {
			return writeIndented(w.Stdout, g.Report(s))
		}
		return text.Subject(w.Stdout, s)
	}
}

// writeWhole writes a file, all or nothing.
func writeWhole(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".gonix-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
