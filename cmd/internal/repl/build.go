package repl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"gonix/cmd/internal/realise"
	"gonix/derivation/build"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/value"
)

// derivation evaluates an expression to a derivation.
func (r *session) derivation(text string) (storepath.Path, error) {
	v, err := r.forced(text)
	if err != nil {
		return storepath.Path{}, err
	}
	is, err := r.state.Thread().IsDerivation(v)
	if err != nil {
		return storepath.Path{}, err
	}
	var found []eval.Package
	if is {
		found, err = r.state.Packages(value.EmptyAttrs, v)
	}
	if err != nil {
		return storepath.Path{}, err
	}
	if len(found) == 0 {
		return storepath.Path{}, errors.New("expression does not evaluate to a derivation, so I can't build it")
	}
	drv, err := found[0].DrvPath()
	if err == nil && r.Maker == nil {
		err = errors.New("there is no store to build in; name a folder with --store")
	}
	return drv, err
}

func (r *session) build(arg string) error {
	return r.buildAll(arg, func(output string, path storepath.Path) error {
		fmt.Fprintf(r.World.Stdout, "  %s -> %s\n", output, path)
		return nil
	})
}

func (r *session) buildLinked(arg string) error {
	return r.buildAll(arg, func(output string, path storepath.Path) error {
		link := "repl-result-" + output
		if err := r.Maker.Store.AddRoot(r.ctx, r.World.Abs(link), path); err != nil {
			return err
		}
		fmt.Fprintf(r.World.Stdout, "  ./%s -> %s\n", link, path)
		return nil
	})
}

// buildAll builds all outputs of a derivation and tells deliver of each.
func (r *session) buildAll(arg string, deliver func(output string, path storepath.Path) error) error {
	drv, err := r.derivation(arg)
	if err != nil {
		return err
	}
	r.Progress.Run()
	err = r.Maker.Realise(r.ctx, []build.Goal{{Drv: drv}}, realise.Manner{})
	r.Progress.Rest()
	if err != nil {
		return err
	}
	d, err := r.Maker.Store.ReadDerivation(r.ctx, drv)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.World.Stdout, "\nThis derivation produced the following outputs:")
	for _, output := range slices.Sorted(maps.Keys(d.Outputs)) {
		if err := deliver(output, d.Outputs[output].Path); err != nil {
			return err
		}
	}
	return nil
}

// log prints the log of a build.
func (r *session) log(arg string) error {
	drv, err := r.derivation(arg)
	if err != nil {
		return err
	}
	log, err := build.OpenLog(r.Maker.Store, drv)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("build log of '%s' is not available", drv)
	}
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := io.Copy(r.World.Stdout, log); err != nil {
		return fmt.Errorf("read the build log of '%s': %w", drv, err)
	}
	return nil
}
