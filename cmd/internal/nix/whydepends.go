package nix

import (
	"context"
	"errors"
	"fmt"

	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/derivation/store/graphtext"
)

// whyDepends is gonix why-depends and nix why-depends.
func whyDepends(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	var why graphtext.Why
	fs.BoolVarP(&why.All, "all", "a", false, "show all ways, not only the shortest")
	fs.BoolVar(&why.Precise, "precise", false, "show in which files each path refers to the next")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	if len(f.Args) != 2 {
		return errors.New("two paths are needed: what depends, and what it depends on")
	}
	return f.withInstallables(ctx, w, set, func(x *run, list []installable) error {
		if len(list) != 2 {
			return errors.New("two paths are needed, and the arguments name another number of them")
		}
		if !f.derivation {
			if err := x.buildAll(list[:1]); err != nil {
				return err
			}
		}
		from, err := x.pathsOf(f, list[:1])
		if err != nil {
			return err
		}
		to, err := x.pathsOf(f, list[1:])
		if err != nil {
			return err
		}
		if len(from) != 1 || len(to) != 1 {
			return errors.New("an argument has several outputs: name one as in ARGUMENT^OUTPUT")
		}
		x.Progress.Close()
		found, err := why.Depends(ctx, x.Out, x.Store, from[0], to[0])
		if err == nil && !found {
			fmt.Fprintf(w.Stderr, "'%s' does not depend on '%s'\n", list[0].text, list[1].text)
		}
		return x.End(err)
	})
}

// logCommand is gonix log and nix log.
func logCommand(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	return f.withInstallables(ctx, w, set, func(x *run, list []installable) error {
		x.Progress.Close()
		for _, i := range list {
			if err := nixstore.CopyLog(ctx, x.Out, x.Store, i.Path); err != nil {
				return err
			}
		}
		return x.End(nil)
	})
}
