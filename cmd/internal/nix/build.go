package nix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/source"
)

// buildCommand is nix build.
func buildCommand(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	var noLink, printPaths, dry, rebuild bool
	var outLink string
	fs.StringVarP(&outLink, "out-link", "o", "result", "`name` of the link to the result")
	fs.BoolVar(&noLink, "no-link", false, "leave no link")
	fs.BoolVar(&printPaths, "print-out-paths", false, "print the output paths")
	fs.BoolVar(&dry, "dry-run", false, "say what would be built, build nothing")
	fs.BoolVar(&rebuild, "rebuild", false, "build again what is there, and compare")
	fs.BoolVar(&f.Repair, "repair", false, "make anew what has changed in the store")
	fs.BoolVar(&f.json, "json", false, "print derivations and outputs as JSON")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	x, shut, err := f.open(ctx, w, set, false)
	if err != nil {
		return err
	}
	defer shut()
	x.Flags.Check = rebuild
	list, err := x.installables(f)
	if err != nil {
		return err
	}
	if dry {
		var all []nixstore.Realisation
		for _, i := range list {
			if !i.isFile() {
				all = append(all, i.Realisation)
			}
		}
		if err := x.PlanOnly(all); err != nil {
			return err
		}
	} else if err := x.buildAll(list); err != nil {
		return err
	}
	x.Progress.Close()
	if !noLink && !dry {
		if err := x.linkAll(x.Store, list, w.Abs(outLink)); err != nil {
			return err
		}
	}
	if printPaths && !dry {
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		x.Print(paths)
	}
	if f.json {
		if err := x.printBuilt(list); err != nil {
			return err
		}
	}
	return x.End(nil)
}

// linkAll makes a link to each result, as roots of a store. (Nix: createOutLinks)
func (x *run) linkAll(st *store.Local, list []installable, link string) error {
	for n, i := range list {
		name := link
		if n > 0 {
			name += fmt.Sprintf("-%d", n)
		}
		if !i.Path.IsDerivation() || i.isFile() {
			if err := st.AddRoot(x.Context, name, i.Path); err != nil {
				return err
			}
			continue
		}
		outputs, err := x.named(i.Realisation)
		if err != nil {
			return err
		}
		for _, o := range outputs {
			root := name
			if o.name != "out" {
				root += "-" + o.name
			}
			if err := st.AddRoot(x.Context, root, o.path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *run) printBuilt(list []installable) error {
	all := []any{}
	for _, i := range list {
		if !i.Path.IsDerivation() || i.isFile() {
			all = append(all, i.Path.String())
			continue
		}
		outputs, err := x.named(i.Realisation)
		if err != nil {
			return err
		}
		byName := map[string]any{}
		for _, o := range outputs {
			byName[o.name] = o.path.String()
		}
		all = append(all, map[string]any{"drvPath": i.Path.String(), "outputs": byName})
	}
	return writeJSON(x.Out, all)
}

// writeJSON writes v as Nix does: in one line, keys sorted, nothing escaped that
// need not be.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// evalCommand is nix eval.
func evalCommand(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name, true, nil)
	var raw bool
	var apply string
	fs.BoolVar(&raw, "raw", false, "print a string as it is")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.StringVar(&apply, "apply", "", "print what this `function` makes of the value")
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case f.file != "" && set.Pure:
		return errors.New("'--file' is not compatible with '--pure-eval'")
	case raw && f.json:
		return errors.New("--raw and --json are mutually exclusive")
	case f.file == "" && f.expr == "":
		return errors.New("flakes are not supported: name an expression with --file or --expr")
	case len(f.Args) > 1:
		return errors.New("one attribute at a time")
	}
	e := f.evaluator(w, set, f.Progress(w))
	shut, err := e.Open(ctx, true) // any store will do: nothing is asked of it but to take what expressions make
	if err != nil {
		return err
	}
	defer shut()
	state := e.NewState(ctx)
	defer state.Close()
	text, err := func() (string, error) {
		v, err := f.root(e, state)
		if err != nil {
			return "", err
		}
		auto, err := e.AutoArgs(state)
		if err != nil {
			return "", err
		}
		attr := ""
		if len(f.Args) == 1 {
			attr = f.Args[0]
		}
		if v, _, err = state.Attr(auto, attr, v); err != nil {
			return "", err
		}
		th := state.Thread()
		if v, err = th.Force(v, source.NoPos); err != nil {
			return "", err
		}
		if apply != "" {
			fn, err := state.Expression(apply, w.Cwd, "«string»")
			if err != nil {
				return "", err
			}
			if v, err = th.Apply(source.NoPos, fn, v); err != nil {
				return "", err
			}
		}
		switch {
		case raw:
			s, err := th.Coerce(v, source.NoPos, value.CoerceOptions{CopyToStore: true}, "while generating the eval command output")
			if err != nil {
				return "", err
			}
			return s.S, nil
		case f.json:
			out, _, err := render.JSON(th, v, source.NoPos, true, false)
			return out + "\n", err
		}
		out, err := th.ShowAs(v, value.ShowOptions{Force: true, Derivations: true})
		return out + "\n", err
	}()
	e.Progress.Close()
	if err != nil {
		return e.Report(ctx, state, err)
	}
	if _, err := io.WriteString(w.Stdout, text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
