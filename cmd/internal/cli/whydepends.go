package cli

import (
	"context"
	"errors"
	"fmt"

	"gonix/derivation/store/graphtext"
)

// nixWhyDepends is gonix why-depends and nix why-depends.
func nixWhyDepends(ctx context.Context, w *world, name string, args []string) error {
	f, fs := newNixFlags(name, true)
	var why graphtext.Why
	fs.BoolVarP(&why.All, "all", "a", false, "show all ways, not only the shortest")
	fs.BoolVar(&why.Precise, "precise", false, "show in which files each path refers to the next")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	if len(f.args) != 2 {
		return errors.New("two paths are needed: what depends, and what it depends on")
	}
	x, shut, err := newStoreRun(ctx, w, &f.storeFlags, set, false)
	if err != nil {
		return err
	}
	defer shut()
	list, err := x.installables(f)
	if err != nil {
		return err
	}
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
	x.p.close()
	found, err := why.Depends(ctx, x.out, x.st, from[0], to[0])
	if err == nil && !found {
		fmt.Fprintf(w.stderr, "'%s' does not depend on '%s'\n", list[0].text, list[1].text)
	}
	return x.end(err)
}

// nixLog is gonix log and nix log.
func nixLog(ctx context.Context, w *world, name string, args []string) error {
	f, fs := newNixFlags(name, true)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	x, shut, err := newStoreRun(ctx, w, &f.storeFlags, set, false)
	if err != nil {
		return err
	}
	defer shut()
	list, err := x.installables(f)
	if err != nil {
		return err
	}
	x.p.close()
	for _, i := range list {
		if err := copyLog(ctx, x.out, x.st, i.path); err != nil {
			return err
		}
	}
	return x.end(nil)
}
