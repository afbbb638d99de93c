package cli

import (
	"errors"
	"fmt"

	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

func (x *storeRun) gc() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	action := gc.DeleteDead
	switch f := x.f; {
	case f.printLive:
		action = gc.ReturnLive
	case f.printDead:
		action = gc.ReturnDead
	}
	limit := int64(gc.Unlimited)
	if x.f.maxFreed != "" {
		if action != gc.DeleteDead || x.f.printRoots {
			return errors.New("option --max-freed cannot be combined with --print-live, --print-dead, or --print-roots")
		}
		var err error
		if limit, err = byteCount(x.f.maxFreed); err != nil {
			return fmt.Errorf("'--max-freed': %w", err)
		}
	}
	if x.f.printRoots {
		roots, err := x.gcRoots()
		for _, r := range roots {
			fmt.Fprintf(x.out, "%s -> %s\n", r.Link, r.Path)
		}
		return err
	}
	return x.collect(gc.Options{Action: action, MaxFreed: limit})
}

// collect runs the collector and says what it did.
func (x *storeRun) collect(opts gc.Options) error {
	opts.Bonds, opts.Info = bonds(x.set), x.info
	result, err := gc.Collect(x.ctx, x.st, opts)
	if result == nil {
		return err
	}
	if opts.Action == gc.DeleteDead || opts.Action == gc.DeleteSpecific {
		fmt.Fprintf(x.out, "%d store paths deleted, %s freed\n", len(result.Paths), gc.Size(result.Freed))
		return err
	}
	for _, p := range result.Paths {
		x.println(p)
	}
	return err
}

func (x *storeRun) delete() error {
	paths, err := x.followAll()
	if err != nil {
		return err
	}
	return x.deletePaths(paths)
}

func (x *storeRun) deletePaths(paths []storepath.Path) error {
	return x.collect(gc.Options{Action: gc.DeleteSpecific, Paths: paths, IgnoreLiveness: x.f.ignoreLiveness})
}

func (x *storeRun) optimise() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	saved, err := x.st.Optimise(x.ctx, func(text string) { x.p.printf("warning: %s", text) })
	if err != nil {
		return err
	}
	x.info(fmt.Sprintf("%s freed by hard-linking %d files", gc.Size(saved.Bytes), saved.Files))
	return nil
}
