package image

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"

	"github.com/spf13/pflag"
)

// list reads the files of the image that arg names.
func (f *flags) list(ctx context.Context, w *process.World, arg string) (*listing.Listing, error) {
	t, err := f.open(ctx, w, arg)
	if err != nil {
		return nil, err
	}
	l, err := listing.Read(ctx, t.Image)
	if err != nil {
		return nil, fmt.Errorf("read the image %s: %w", arg, err)
	}
	return l, nil
}

func lsVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	long := fs.BoolP("long", "l", false, "show modes, owners, sizes and link targets")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		l, err := f.list(ctx, w, args[0])
		if err != nil {
			return err
		}
		out := bufio.NewWriter(w.Stdout)
		for i := range l.Files {
			file := &l.Files[i]
			if *long {
				fmt.Fprintf(out, "%s %5d:%-5d %10d ", modeText(file.Kind, file.Mode), file.UID, file.GID, file.Size)
			}
			fmt.Fprint(out, terminal.Printable(path.Join("/", file.Name)))
			if *long && file.Kind == tarball.Symlink {
				fmt.Fprint(out, " -> "+terminal.Printable(file.Target))
			}
			fmt.Fprintln(out)
		}
		return out.Flush()
	}
}

// modeText writes a mode as ls -l does.
func modeText(kind tarball.Kind, mode uint32) string {
	b := []byte{"-dlhcbp"[kind]}
	for shift, special := range []struct {
		bit  uint32
		mark byte
	}{{0o4000, 's'}, {0o2000, 's'}, {0o1000, 't'}} {
		bits := mode >> (6 - 3*shift)
		x := byte('-')
		if bits&1 != 0 {
			x = 'x'
		}
		if mode&special.bit != 0 {
			if x = special.mark; bits&1 == 0 {
				x -= 'a' - 'A'
			}
		}
		r, wr := byte('-'), byte('-')
		if bits&4 != 0 {
			r = 'r'
		}
		if bits&2 != 0 {
			wr = 'w'
		}
		b = append(b, r, wr, x)
	}
	return string(b)
}

func diffVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	files := fs.Bool("files", false, "name the files of store paths that only one image has, too")
	return func(args []string) error {
		if len(args) != 2 {
			return errArguments
		}
		a, err := f.list(ctx, w, args[0])
		if err != nil {
			return err
		}
		b, err := f.list(ctx, w, args[1])
		if err != nil {
			return err
		}
		out := bufio.NewWriter(w.Stdout)
		was, is := a.StorePaths(), b.StorePaths()
		for _, p := range slices.Sorted(maps.Keys(was)) {
			if _, ok := is[p]; !ok {
				fmt.Fprintf(out, "- %9s  /nix/store/%s\n", terminal.ByteSize(was[p]), terminal.Printable(p))
			}
		}
		for _, p := range slices.Sorted(maps.Keys(is)) {
			if _, ok := was[p]; !ok {
				fmt.Fprintf(out, "+ %9s  /nix/store/%s\n", terminal.ByteSize(is[p]), terminal.Printable(p))
			}
		}
		changes := listing.Diff(a, b)
		for _, c := range changes {
			p := listing.StorePath(c.Name)
			_, inOld := was[p]
			_, inNew := is[p]
			if p != "" && inOld != inNew && !*files {
				continue
			}
			switch {
			case c.Old == nil:
				fmt.Fprintf(out, "+ %9s  /%s\n", terminal.ByteSize(c.New.Size), terminal.Printable(c.Name))
			case c.New == nil:
				fmt.Fprintf(out, "- %9s  /%s\n", terminal.ByteSize(c.Old.Size), terminal.Printable(c.Name))
			default:
				fmt.Fprintf(out, "~ %9s  /%s (%s)\n", terminal.ByteSize(c.New.Size), terminal.Printable(c.Name), changeText(c))
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if len(changes) > 0 {
			return process.Exit(1) // as diff(1)
		}
		return nil
	}
}

func changeText(c listing.Change) string {
	o, n := c.Old, c.New
	switch {
	case o.Kind != n.Kind:
		return fmt.Sprintf("%s, was %s", n.Kind, o.Kind)
	case o.Digest != n.Digest || o.Size != n.Size:
		return fmt.Sprintf("contents, was %s", terminal.ByteSize(o.Size))
	case o.Target != n.Target:
		return fmt.Sprintf("to %s, was %s", terminal.Printable(n.Target), terminal.Printable(o.Target))
	case o.Mode != n.Mode:
		return fmt.Sprintf("mode %04o, was %04o", n.Mode, o.Mode)
	case o.UID != n.UID || o.GID != n.GID:
		return fmt.Sprintf("owner %d:%d, was %d:%d", n.UID, n.GID, o.UID, o.GID)
	}
	return "attributes"
}

func verifyVerb(ctx context.Context, w *process.World, _ *pflag.FlagSet, f *flags) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		t, err := f.open(ctx, w, args[0])
		if err != nil {
			return err
		}
		l, err := listing.Read(ctx, t.Image)
		if err != nil {
			return fmt.Errorf("verify %s: %w", args[0], err)
		}
		if err := image.Audit(t.Image); err != nil {
			return fmt.Errorf("verify %s: %w", args[0], err)
		}
		if !f.quiet {
			fmt.Fprintf(w.Stdout, "%s: %d layers, %d files, all as they should be\n", t.Image.Digest(), len(l.UnpackedSizes), len(l.Files))
		}
		return nil
	}
}
