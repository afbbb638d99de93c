package cli

import (
	"context"
	"errors"
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
	if err := f.parse(fs, args); err != nil {
		return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
	}
	switch {
	case f.help:
		fmt.Fprintf(w.stdout, "Usage: %s [FLAG]... [FILE]...\n\nBuild the derivations that Nix expressions describe (default.nix if no file is\nnamed), and leave a link to each result.\n\n%s", name, fs.FlagUsages())
		return nil
	case f.version:
		fmt.Fprintf(w.stdout, "%s (gonix) %s\n", name, version)
		return nil
	}
	stop, err := f.profile()
	if err != nil {
		return err
	}
	defer stop()
	set, err := w.loadSettings(name)
	if err != nil {
		return err
	}
	if err := f.apply(&set, w.warn); err != nil {
		return err
	}

	p := newProgress(w.stderr, w.terminal && !f.quiet, w.width)
	p.quiet, p.raw = f.quiet, isOldName(name)
	p.logs = !f.noOutput && !f.quiet && (f.verbose > 0 || f.logs || !w.terminal)
	p.run()
	defer p.close()

	st, err := w.openStore(&f.evalFlags, &set, p)
	if err != nil {
		return err
	}
	defer st.Close()

	p.setStage("evaluating…")
	wishes, err := evaluate(ctx, w, f, &set, st, p)
	if err != nil {
		return err
	}
	p.setStage("")
	if f.dryRun {
		return dryRun(ctx, w, &set, st, p, wishes)
	}
	if err := realise(ctx, w, f, &set, st, p, goalsOf(wishes), f.check); err != nil {
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

func dryRun(ctx context.Context, w *world, set *settings, st *store.Local, p *progress, wishes []wish) error {
	var opts build.Options
	if err := w.substitution(set, st, p, &opts); err != nil {
		return err
	}
	plan, err := opts.Plan(ctx, st, goalsOf(wishes))
	if err != nil {
		return err
	}
	p.close()
	printPlan(w, plan)
	return printOutputs(ctx, w, st, wishes)
}

// realise makes the goals valid and shows how far it is.
func realise(ctx context.Context, w *world, f *buildFlags, set *settings, st *store.Local, p *progress, goals []build.Goal, check bool) error {
	again := build.Options{Check: check || f.repair}
	if err := w.substitution(set, st, p, &again); err != nil {
		return err
	}
	plan, err := build.SubstituteGoals(ctx, st, goals, again)
	if err != nil {
		return reportFailures(w, p, err)
	}
	if len(plan.Builds) == 0 {
		return nil
	}
	opts, err := buildOptions(ctx, w, f, set, st, p, plan)
	if err != nil {
		return err
	}
	p.setTotal(len(plan.Builds))
	opts.Check = check
	if f.repair {
		err = build.Repair(ctx, st, goals, opts, nil)
	} else {
		_, err = build.Run(ctx, st, goals, opts)
	}
	return reportFailures(w, p, err)
}

// reportFailures says which builds have failed and why; other errors are for the
// caller.
func reportFailures(w *world, p *progress, err error) error {
	var failed *build.Error
	if !errors.As(err, &failed) {
		return err
	}
	p.close()
	for _, e := range failed.Failures {
		fmt.Fprintf(w.stderr, "error: %s\n", indentRest(e.Error(), "       "))
	}
	return exitError{failed.ExitStatus()}
}

// buildOptions says how to carry out a plan; nil is one that is not known yet.
func buildOptions(ctx context.Context, w *world, f *buildFlags, set *settings, st *store.Local, p *progress, plan *build.Plan) (build.Options, error) {
	shell := ""
	if set.Sandbox && plan != nil {
		var err error
		shell, err = sandboxShell(ctx, set, st, plan, func(goals []build.Goal) error {
			plain := *f
			plain.repair = false
			return realise(ctx, w, &plain, set, st, p, goals, false)
		})
		if err != nil {
			return build.Options{}, err
		}
	}
	events := show(p, st)
	if set.JSONLogPath != "" {
		log, err := openJSONLog(w.abs(set.JSONLogPath))
		if err != nil {
			return build.Options{}, err
		}
		events = log.also(st, events)
	}
	opts := build.Options{
		Builders:   builders(w, set, st, shell),
		Jobs:       set.MaxJobs,
		Cores:      set.Cores,
		KeepGoing:  set.KeepGoing,
		KeepFailed: set.KeepFailed,
		Timeout:    set.Timeout,
		MaxSilent:  set.MaxSilent,
		MaxLogSize: set.MaxBuildLogSize,
		LogLines:   set.LogLines,
		NoLog:      !set.KeepBuildLog,
		PlainLog:   !set.CompressBuildLog,
		BuildDir:   set.BuildDir,
		System:     set.System,
		LookupEnv:  w.lookupEnv,
		Events:     events,
	}
	return opts, w.substitution(set, st, p, &opts)
}

// indentRest indents all lines but the first.
func indentRest(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }

// show turns the scheduler's events into lines.
func show(p *progress, st *store.Local) func(build.Event) {
	download := map[storepath.Path]bool{}
	return func(e build.Event) {
		id := e.Drv.String()
		switch e.Kind {
		case build.Planned:
			p.setTotal(int(e.Total))
		case build.Waiting:
			p.printf("waiting for another process that builds '%s'...", id)
		case build.Started:
			drv, err := st.ReadDerivation(context.Background(), e.Drv)
			download[e.Drv] = err == nil && drv.Builder == "builtin:fetchurl"
			p.started(id, strings.TrimSuffix(e.Drv.Name(), ".drv"), download[e.Drv])
		case build.Phase:
			p.phased(id, e.Text)
		case build.LogLine:
			if !download[e.Drv] {
				p.logged(id, e.Text)
			}
		case build.Bytes:
			p.received(id, e.Done, e.Total)
		case build.Note:
			p.printf("%s", e.Text)
		case build.Finished, build.Failed:
			p.finished(id)
		}
	}
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
