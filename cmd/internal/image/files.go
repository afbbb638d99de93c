package image

import (
	"bufio"
	"context"
	"fmt"
	"path"

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
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		l, err := f.list(ctx, w, args[0])
		if err != nil {
			return err
		}
		if *asJSON {
			all := []*fileJSON{}
			for i := range l.Files {
				all = append(all, newFileJSON(&l.Files[i]))
			}
			return writeIndented(w.Stdout, all)
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

// fileJSON is a file as --json shows it.
type fileJSON struct {
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`
	Mode   string            `json:"mode"`
	UID    int               `json:"uid"`
	GID    int               `json:"gid"`
	Size   int64             `json:"size"`
	Target string            `json:"target,omitempty"`
	Digest image.Digest      `json:"digest,omitempty"`
	Xattrs map[string][]byte `json:"xattrs,omitempty"`
	Layer  int               `json:"layer,omitempty"` // from 1
}

// newFileJSON is nil for none.
func newFileJSON(f *listing.File) *fileJSON {
	if f == nil {
		return nil
	}
	j := &fileJSON{path.Join("/", f.Name), f.Kind.String(), fmt.Sprintf("%04o", f.Mode), f.UID, f.GID, f.Size, f.Target, f.Digest, nil, f.Layer + 1}
	for name, value := range f.Xattrs {
		if j.Xattrs == nil {
			j.Xattrs = map[string][]byte{}
		}
		j.Xattrs[name] = []byte(value)
	}
	return j
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

func verifyVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	asJSON := fs.Bool("json", false, "write JSON")
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
		if *asJSON {
			return writeIndented(w.Stdout, struct {
				Digest image.Digest `json:"digest"`
				Layers int          `json:"layers"`
				Files  int          `json:"files"`
			}{t.Image.Digest(), len(l.UnpackedSizes), len(l.Files)})
		}
		if !f.quiet {
			fmt.Fprintf(w.Stdout, "%s: %s, %d files, all as they should be\n", t.Image.Digest(), layerCount(len(l.UnpackedSizes)), len(l.Files))
		}
		return nil
	}
}
