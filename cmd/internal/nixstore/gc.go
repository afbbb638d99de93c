package nixstore

import (
	"errors"
	"fmt"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/stores"
	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

func (x *Run) gc() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	action := gc.DeleteDead
	switch f := x.Flags; {
	case f.printLive:
		action = gc.ReturnLive
	case f.printDead:
		action = gc.ReturnDead
	}
	limit := int64(gc.Unlimited)
	if x.Flags.maxFreed != "" {
		if action != gc.DeleteDead || x.Flags.printRoots {
			return errors.New("option --max-freed cannot be combined with --print-live, --print-dead, or --print-roots")
		}
		var err error
		if limit, err = config.ByteCount(x.Flags.maxFreed); err != nil {
			return fmt.Errorf("'--max-freed': %w", err)
		}
	}
	if x.Flags.printRoots {
		roots, err := x.gcRoots()
		for _, r := range roots {
			fmt.Fprintf(x.Out, "%s -> %s\n", r.Link, r.Path)
		}
		return err
	}
	return x.Collect(gc.Options{Action: action, MaxFreed: limit})
}

// Collect runs the collector and says what it did.
func (x *Run) Collect(opts gc.Options) error {
	opts.Bonds, opts.Info = stores.Bonds(x.Settings), x.Info
	result, err := gc.Collect(x.Context, x.Store, opts)
	if result == nil {
		return err
	}
	if opts.Action == gc.DeleteDead || opts.Action == gc.DeleteSpecific {
		fmt.Fprintf(x.Out, "%d store paths deleted, %s freed\n", len(result.Paths), gc.Size(result.Freed))
		return err
	}
	for _, p := range result.Paths {
		x.Println(p)
	}
	return err
}

func (x *Run) delete() error {
	paths, err := x.followAll()
	if err != nil {
		return err
	}
	return x.DeletePaths(paths)
}

func (x *Run) DeletePaths(paths []storepath.Path) error {
	return x.Collect(gc.Options{Action: gc.DeleteSpecific, Paths: paths, IgnoreLiveness: x.Flags.IgnoreLiveness})
}

func (x *Run) Optimise() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	saved, err := x.Store.Optimise(x.Context, func(text string) { x.Progress.Printf("warning: %s", text) })
	if err != nil {
		return err
	}
	x.Info(fmt.Sprintf("%s freed by hard-linking %d files", gc.Size(saved.Bytes), saved.Files))
	return nil
}
