package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// maker makes store paths valid, as the settings say: it builds them or fetches
// them from binary caches, and shows what goes on.
type maker struct {
	w      *world
	set    *settings
	st     *store.Local
	p      *progress
	caches *caches
}

// openMaker opens the store that a word as after --store names, to write to it.
func openMaker(w *world, word string, set *settings, p *progress) (*maker, error) {
	st, err := openStore(w, word, set, p)
	if err != nil {
		return nil, err
	}
	return &maker{w: w, set: set, st: st, p: p, caches: &caches{w: w, set: set, p: p}}, nil
}

func (m *maker) close() {
	m.caches.close()
	m.st.Close()
}

// manner is how goals are made valid.
type manner struct {
	check  bool // build again what is there, and compare
	repair bool // make anew what has changed
}

// plan says what making the goals valid would take.
func (m *maker) plan(ctx context.Context, goals []build.Goal) (*build.Plan, error) {
	var opts build.Options
	if err := m.caches.substitution(m.st, &opts); err != nil {
		return nil, err
	}
	return opts.Plan(ctx, m.st, goals)
}

// realise makes the goals valid and shows how far it is.
func (m *maker) realise(ctx context.Context, goals []build.Goal, how manner) error {
	again := build.Options{Check: how.check || how.repair}
	if err := m.caches.substitution(m.st, &again); err != nil {
		return err
	}
	plan, err := build.SubstituteGoals(ctx, m.st, goals, again)
	if err != nil {
		return m.reportFailures(err)
	}
	if len(plan.Builds) == 0 {
		return nil
	}
	opts, err := m.options(ctx, plan)
	if err != nil {
		return err
	}
	m.p.setTotal(len(plan.Builds))
	opts.Check = how.check
	if how.repair {
		err = build.Repair(ctx, m.st, goals, opts, nil)
	} else {
		_, err = build.Run(ctx, m.st, goals, opts)
	}
	return m.reportFailures(err)
}

// reportFailures says which builds have failed and why; other errors are for the
// caller.
func (m *maker) reportFailures(err error) error {
	var failed *build.Error
	if !errors.As(err, &failed) {
		return err
	}
	m.p.close()
	for _, e := range failed.Failures {
		fmt.Fprintf(m.w.stderr, "error: %s\n", indentRest(e.Error(), "       "))
	}
	return exitError{failed.ExitStatus()}
}

// options says how to carry out a plan; nil is one that is not known yet.
func (m *maker) options(ctx context.Context, plan *build.Plan) (build.Options, error) {
	set := m.set
	shell := ""
	if set.Sandbox && plan != nil {
		var err error
		shell, err = m.sandboxShell(ctx, plan)
		if err != nil {
			return build.Options{}, err
		}
	}
	events := m.show()
	if set.JSONLogPath != "" {
		log, err := openJSONLog(m.w.abs(set.JSONLogPath))
		if err != nil {
			return build.Options{}, err
		}
		events = log.also(m.st, events)
	}
	opts := build.Options{
		Builders:   builders(m.w, set, m.st, shell),
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
		LookupEnv:  m.w.lookupEnv,
		Events:     events,
	}
	return opts, m.caches.substitution(m.st, &opts)
}

// indentRest indents all lines but the first.
func indentRest(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }

// show turns the scheduler's events into lines.
func (m *maker) show() func(build.Event) {
	p, st := m.p, m.st
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

// fetch gets a path from the substituters, if one of them has it.
func (m *maker) fetch(ctx context.Context, p storepath.Path) (ok bool, err error) {
	var opts build.Options
	if err := m.caches.substitution(m.st, &opts); err != nil || opts.Substituter == nil {
		return false, err
	}
	found, err := opts.Substituter.Find(ctx, []storepath.Path{p})
	if _, ok := found[p]; !ok || err != nil {
		return false, err
	}
	if err := opts.Substituter.Fetch(ctx, []storepath.Path{p})[p]; err != nil {
		return false, err
	}
	return true, nil
}

// mend makes one path whole again.
func (m *maker) mend(ctx context.Context, p storepath.Path) error {
	opts, err := m.options(ctx, nil)
	if err != nil {
		return err
	}
	return m.reportFailures(build.RepairPath(ctx, m.st, p, opts, nil))
}

// contextGoals says what must be built before a string with this context can
// be read.
func contextGoals(elems []value.ContextElem) ([]build.Goal, error) {
	var goals []build.Goal
	for _, e := range elems {
		if e.Kind != value.Built {
			continue
		}
		drv, err := storepath.Parse(e.Path)
		if err != nil {
			return nil, err
		}
		goals = append(goals, build.Goal{Drv: drv, Outputs: []string{e.Output}})
	}
	return goals, nil
}

// importGoals is contextGoals where the settings let evaluation build.
func importGoals(set *settings, elems []value.ContextElem) ([]build.Goal, error) {
	goals, err := contextGoals(elems)
	if len(goals) > 0 && !set.ImportFromDerivation {
		return nil, &value.Error{Kind: value.EvalError, Recoverable: true, Msg: fmt.Sprintf(
			"cannot build '%s^%s' during evaluation because the option 'allow-import-from-derivation' is disabled",
			goals[0].Drv, goals[0].Outputs[0])}
	}
	return goals, err
}
