// Package build is gonix-build, which is nix-build.
package build

import (
	"context"
	"fmt"
	"slices"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/image"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/realise"
	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Command is gonix-build: it evaluates, builds, makes links, and prints
// the output paths.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"[FLAG]... [FILE]..."},
		About: "Build the derivations that Nix expressions describe (default.nix if no file is\nnamed), and leave a link to each result.",
	})
	if set == nil {
		return err
	}
	defer stop()
	if err := f.documents.Check(f.push != ""); err != nil {
		return err
	}

	p := f.Progress(w)
	p.Run()
	defer p.Close()

	m, err := realise.Open(w, f.Store, set, p)
	if err != nil {
		return err
	}
	defer m.Close()
	st := m.Store

	p.SetStage("evaluating…")
	wishes, err := evaluate(ctx, m, f)
	if err != nil {
		return err
	}
	p.SetStage("")
	if f.dryRun {
		return dryRun(ctx, m, wishes)
	}
	if err := m.Realise(ctx, goalsOf(wishes), realise.Manner{Check: f.check, Repair: f.repair}); err != nil {
		return err
	}
	p.Close()
	if err := deliver(ctx, w, f, st, wishes); err != nil || f.push == "" {
		return err
	}
	if len(wishes) != 1 {
		return fmt.Errorf("'--push' needs one image, but %d derivations were built", len(wishes))
	}
	path, err := outputPath(ctx, st, wishes[0])
	if err != nil {
		return err
	}
	f.documents.Include = f.Include
	return image.Push(ctx, w, set, st, path, f.push, &f.documents, f.Quiet)
}

// goalsOf gathers the outputs that are wanted of each derivation.
func goalsOf(wishes []expression.Wish) []build.Goal {
	var goals []build.Goal
	for _, x := range wishes {
		i := slices.IndexFunc(goals, func(g build.Goal) bool { return g.Drv == x.Drv })
		if i < 0 {
			goals = append(goals, build.Goal{Drv: x.Drv, Outputs: []string{x.Output}})
		} else if !slices.Contains(goals[i].Outputs, x.Output) {
			goals[i].Outputs = append(goals[i].Outputs, x.Output)
		}
	}
	return goals
}

func dryRun(ctx context.Context, m *realise.Maker, wishes []expression.Wish) error {
	plan, err := m.Plan(ctx, goalsOf(wishes))
	if err != nil {
		return err
	}
	m.Progress.Close()
	realise.PrintPlan(m.World, plan)
	return printOutputs(ctx, m.World, m.Store, wishes)
}

// deliver links and prints the results, and shows what is in the images.
func deliver(ctx context.Context, w *process.World, f *flags, st *store.Local, wishes []expression.Wish) error {
	if !f.noOutLink {
		var order []storepath.Path
		for _, x := range wishes {
			i := slices.Index(order, x.Drv)
			if i < 0 {
				i = len(order)
				order = append(order, x.Drv)
			}
			link := w.Abs(f.outLink)
			if i > 0 {
				link += fmt.Sprintf("-%d", i+1)
			}
			if x.Output != "out" {
				link += "-" + x.Output
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
	if f.Quiet {
		return nil
	}
	for _, x := range wishes {
		if err := image.Summarise(ctx, w, st, x.Drv, x.Output); err != nil {
			return err
		}
	}
	return nil
}

func outputPath(ctx context.Context, st *store.Local, x expression.Wish) (storepath.Path, error) {
	drv, err := st.ReadDerivation(ctx, x.Drv)
	if err != nil {
		return storepath.Path{}, err
	}
	out, ok := drv.Outputs[x.Output]
	if !ok {
		return storepath.Path{}, fmt.Errorf("derivation '%s' does not have an output named '%s'", x.Drv, x.Output)
	}
	return out.Path, nil
}

func printOutputs(ctx context.Context, w *process.World, st *store.Local, wishes []expression.Wish) error {
	for _, x := range wishes {
		path, err := outputPath(ctx, st, x)
		if err != nil {
			return err
		}
		fmt.Fprintln(w.Stdout, path)
	}
	return nil
}

// evaluate finds the derivations that the command line asks for. Language
// errors are shown here, with their traces.
func evaluate(ctx context.Context, m *realise.Maker, f *flags) ([]expression.Wish, error) {
	e := &expression.Evaluator{
		World: m.World, Flags: &f.Flags, Settings: m.Settings, Progress: m.Progress,
		Trace:     m.Progress,
		AlwaysSet: true,
		Derivation: func(arg string) (expression.Wish, bool, error) {
			return expression.DerivationArgument(ctx, m.World, m.Store, arg)
		},
	}
	e.Use(ctx, m, realise.Manner{Repair: f.repair})
	state := e.NewState(ctx)
	defer state.Close()
	wishes, err := e.FindWishes(state)
	if err != nil {
		m.Progress.Close()
		return nil, e.Report(ctx, state, err)
	}
	if err := e.Finish(state); err != nil {
		return nil, err
	}
	if len(wishes) == 0 {
		m.World.Warn("the expression holds no derivation, so there is nothing to build")
	}
	return wishes, nil
}
