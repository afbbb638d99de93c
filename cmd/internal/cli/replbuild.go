package cli

import (
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

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
	if err == nil && r.maker == nil {
		err = errors.New("there is no store to build in; name a folder with --store")
	}
	return drv, err
}

func (r *session) build(arg string) error {
	return r.buildAll(arg, func(output string, path storepath.Path) error {
		fmt.Fprintf(r.w.stdout, "  %s -> %s\n", output, path)
		return nil
	})
}

func (r *session) buildLinked(arg string) error {
	return r.buildAll(arg, func(output string, path storepath.Path) error {
		link := "repl-result-" + output
		if err := r.maker.st.AddRoot(r.ctx, r.w.abs(link), path); err != nil {
			return err
		}
		fmt.Fprintf(r.w.stdout, "  ./%s -> %s\n", link, path)
		return nil
	})
}

// buildAll builds all outputs of a derivation and tells deliver of each.
func (r *session) buildAll(arg string, deliver func(output string, path storepath.Path) error) error {
	drv, err := r.derivation(arg)
	if err != nil {
		return err
	}
	r.progress.run()
	err = r.maker.realise(r.ctx, []build.Goal{{Drv: drv}}, manner{})
	r.progress.rest()
	if err != nil {
		return err
	}
	d, err := r.maker.st.ReadDerivation(r.ctx, drv)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.w.stdout, "\nThis derivation produced the following outputs:")
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
	file, err := os.Open(build.LogFile(r.maker.st, drv))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("build log of '%s' is not available", drv)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(r.w.stdout, bzip2.NewReader(file)); err != nil {
		return fmt.Errorf("read the build log %s: %w", file.Name(), err)
	}
	return nil
}
