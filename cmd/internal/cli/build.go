package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// wish is one derivation that the command line asks for, in its order.
type wish struct {
	drv    storepath.Path
	output string
}

// buildCommand is gonix-build: it evaluates, builds, makes links, and prints
// the output paths.
func buildCommand(ctx context.Context, w *world, name string, args []string) error {
	f, fs := newBuildFlags(name)
	set, stop, err := begin(w, f, fs, args, usage{
		forms: []string{"[FLAG]... [FILE]..."},
		about: "Build the derivations that Nix expressions describe (default.nix if no file is\nnamed), and leave a link to each result.",
	})
	if set == nil {
		return err
	}
	defer stop()

	p := f.progress(w)
	p.raw = isOldName(name)
	p.run()
	defer p.close()

	m, err := openMaker(w, f.store, set, p)
	if err != nil {
		return err
	}
	defer m.close()
	st := m.st

	p.setStage("evaluating…")
	wishes, err := evaluate(ctx, m, f)
	if err != nil {
		return err
	}
	p.setStage("")
	if f.dryRun {
		return dryRun(ctx, m, wishes)
	}
	if err := m.realise(ctx, goalsOf(wishes), manner{check: f.check, repair: f.repair}); err != nil {
		return err
	}
	p.close()
	if err := deliver(ctx, w, f, st, wishes); err != nil || f.push == "" {
		return err
	}
	return pushResults(ctx, w, f, st, wishes)
}

// isOldName reports whether the program is called as one of Nix's old commands,
// which scripts read the output of.
func isOldName(name string) bool { return strings.HasPrefix(name, "nix-") }

// goalsOf gathers the outputs that are wanted of each derivation.
func goalsOf(wishes []wish) []build.Goal {
	var goals []build.Goal
	for _, x := range wishes {
		i := slices.IndexFunc(goals, func(g build.Goal) bool { return g.Drv == x.drv })
		if i < 0 {
			goals = append(goals, build.Goal{Drv: x.drv, Outputs: []string{x.output}})
		} else if !slices.Contains(goals[i].Outputs, x.output) {
			goals[i].Outputs = append(goals[i].Outputs, x.output)
		}
	}
	return goals
}

func dryRun(ctx context.Context, m *maker, wishes []wish) error {
	plan, err := m.plan(ctx, goalsOf(wishes))
	if err != nil {
		return err
	}
	m.p.close()
	printPlan(m.w, plan)
	return printOutputs(ctx, m.w, m.st, wishes)
}

// deliver links and prints the results, and shows what is in the images.
func deliver(ctx context.Context, w *world, f *buildFlags, st *store.Local, wishes []wish) error {
	if !f.noOutLink {
		var order []storepath.Path
		for _, x := range wishes {
			i := slices.Index(order, x.drv)
			if i < 0 {
				i = len(order)
				order = append(order, x.drv)
			}
			link := w.abs(f.outLink)
			if i > 0 {
				link += fmt.Sprintf("-%d", i+1)
			}
			if x.output != "out" {
				link += "-" + x.output
			}
			path, err := outputPath(ctx, st, x)
			if err != nil {
				return err
			}
			if err := st.AddRoot(ctx, link, path); err != nil {
				return err
			}
		}
	}
	if err := printOutputs(ctx, w, st, wishes); err != nil {
		return err
	}
	if !f.quiet {
		return summarise(ctx, w, st, wishes)
	}
	return nil
}

func outputPath(ctx context.Context, st *store.Local, x wish) (storepath.Path, error) {
	drv, err := st.ReadDerivation(ctx, x.drv)
	if err != nil {
		return storepath.Path{}, err
	}
	out, ok := drv.Outputs[x.output]
	if !ok {
		return storepath.Path{}, fmt.Errorf("derivation '%s' does not have an output named '%s'", x.drv, x.output)
	}
	return out.Path, nil
}

func printOutputs(ctx context.Context, w *world, st *store.Local, wishes []wish) error {
	for _, x := range wishes {
		path, err := outputPath(ctx, st, x)
		if err != nil {
			return err
		}
		fmt.Fprintln(w.stdout, path)
	}
	return nil
}

// defaultFiles is what is evaluated when no file is named.
func defaultFiles(w *world) []string {
	return []string{filepath.Join(w.cwd, "default.nix")}
}
