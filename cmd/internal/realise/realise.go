// Package realise makes store paths valid for commands: it plans, builds, fetches,
// repairs, and says what has failed.
package realise

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// Maker makes store paths valid, as the settings say: it builds them or fetches
// them from binary caches, and shows what goes on.
type Maker struct {
	World    *process.World
	Settings *config.Settings
	Store    *store.Local
	Progress *terminal.Progress
	Caches   *network.Caches
}

// Open opens the store that a word as after --store names, to write to it.
func Open(w *process.World, word string, set *config.Settings, p *terminal.Progress) (*Maker, error) {
	st, err := stores.Open(w, word, set, p)
	if err != nil {
		return nil, err
	}
	return &Maker{World: w, Settings: set, Store: st, Progress: p, Caches: &network.Caches{World: w, Settings: set, Progress: p}}, nil
}

func (m *Maker) Close() {
	m.Caches.Close()
	m.Store.Close()
}

// Manner is how goals are made valid.
type Manner struct {
	Check  bool // build again what is there, and compare
	Repair bool // make anew what has changed
}

// Plan says what making the goals valid would take.
func (m *Maker) Plan(ctx context.Context, goals []build.Goal) (*build.Plan, error) {
	var opts build.Options
	if err := m.Caches.Substitution(m.Store, &opts); err != nil {
		return nil, err
	}
	return opts.Plan(ctx, m.Store, goals)
}

// Realise makes the goals valid and shows how far it is.
func (m *Maker) Realise(ctx context.Context, goals []build.Goal, how Manner) error {
	again := build.Options{Check: how.Check}
	if err := m.Caches.Substitution(m.Store, &again); err != nil {
		return err
	}
	plan, err := build.SubstituteGoals(ctx, m.Store, goals, again)
	if err != nil {
		return m.reportFailures(err, goals)
	}
	if how.Repair {
		// Whatever the goals need may have to be built again.
		if plan, err = (build.Options{Check: true}).Plan(ctx, m.Store, goals); err != nil {
			return err
		}
	}
	if len(plan.Builds) == 0 && !how.Repair {
		return nil
	}
	opts, err := m.options(ctx, plan)
	if err != nil {
		return err
	}
	m.Progress.SetTotal(len(plan.Builds))
	opts.Check = how.Check
	if how.Repair {
		err = build.Repair(ctx, m.Store, goals, opts)
	} else {
		_, err = build.Run(ctx, m.Store, goals, opts)
	}
	return m.reportFailures(err, goals)
}

// reportFailures says which builds have failed and why; other errors are for the
// caller.
func (m *Maker) reportFailures(err error, goals []build.Goal) error {
	var failed *build.Error
	if !errors.As(err, &failed) {
		return err
	}
	m.Progress.Close()
	for _, e := range failed.Failures {
		fmt.Fprintf(m.World.Stderr, "error: %s\n", indentRest(e.Error(), "       "))
	}
	if list := failed.Goals(goals); len(list) > 1 {
		fmt.Fprintf(m.World.Stderr, "error: build of %s failed\n", m.goalNames(list))
	}
	return process.Exit(failed.ExitStatus())
}

// goalNames lists goals, as Nix's old or new commands do.
func (m *Maker) goalNames(goals []build.Goal) string {
	var names []string
	for _, g := range goals {
		name := g.Drv.String()
		if !process.IsOldName(m.World.Called) {
			outputs := g.Outputs
			if drv, err := m.Store.ReadDerivation(context.Background(), g.Drv); err == nil && len(outputs) == 0 {
				outputs = drv.OutputNames()
			}
			name += "^" + strings.Join(outputs, ",")
		}
		names = append(names, "'"+name+"'")
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// options says how to carry out a plan; nil is one that is not known yet.
func (m *Maker) options(ctx context.Context, plan *build.Plan) (build.Options, error) {
	set := m.Settings
	shell := ""
	if set.Sandbox && plan != nil {
		var err error
		shell, err = m.sandboxShell(ctx, plan)
		if err != nil {
			return build.Options{}, err
		}
	}
	opts := build.Options{
		Builders:   builders(m.World, set, m.Store, shell),
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
		LookupEnv:  m.World.LookupEnv,
		Events:     m.show(),
	}
	if _, err := exec.LookPath("bzcat"); err != nil && set.CompressBuildLog {
		opts.LogCommand = m.logCommand
	}
	return opts, m.Caches.Substitution(m.Store, &opts)
}

// logCommand is how this program shows a log, for machines without bzcat.
func (m *Maker) logCommand(drv storepath.Path, _ string) string {
	command := "gonix log"
	switch called := m.World.Called; {
	case called == "nix":
		command = "nix log"
	case process.IsOldName(called):
		command = "nix-store -l"
	}
	if at, err := stores.Locate(m.World, ""); err != nil || at.Root() != m.Store.Root() {
		command += " --store " + build.ShellPath(m.Store.Root())
	}
	return command + " " + drv.String()
}

// indentRest indents all lines but the first.
func indentRest(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }

// show turns the scheduler's events into lines.
func (m *Maker) show() func(build.Event) {
	p, st := m.Progress, m.Store
	download := map[storepath.Path]bool{}
	return func(e build.Event) {
		id := e.Drv.String()
		switch e.Kind {
		case build.Planned:
			p.SetTotal(int(e.Total))
		case build.Waiting:
			p.Printf("waiting for another process that builds '%s'...", id)
		case build.Started:
			drv, err := st.ReadDerivation(context.Background(), e.Drv)
			download[e.Drv] = err == nil && drv.Builder == "builtin:fetchurl"
			p.Started(id, strings.TrimSuffix(e.Drv.Name(), ".drv"), download[e.Drv])
			if err == nil {
				p.Detail(fmt.Sprintf("executing builder '%s'", drv.Builder))
			}
		case build.Phase:
			p.Phased(id, e.Text)
		case build.LogLine:
			if !download[e.Drv] {
				p.Logged(id, e.Text)
			}
		case build.Bytes:
			p.Received(id, e.Done, e.Total)
		case build.Note:
			p.Printf("%s", e.Text)
		case build.Finished, build.Failed:
			p.Ended(id, e.Kind == build.Finished)
		}
	}
}

// Fetch gets a path from the substituters, if one of them has it.
func (m *Maker) Fetch(ctx context.Context, p storepath.Path) (ok bool, err error) {
	var opts build.Options
	if err := m.Caches.Substitution(m.Store, &opts); err != nil || opts.Substituter == nil {
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

// Mend makes one path whole again.
func (m *Maker) Mend(ctx context.Context, p storepath.Path) error {
	// What the substituters cannot give is built from its deriver.
	plan := &build.Plan{}
	info, err := m.Store.Info(ctx, p)
	if err != nil {
		return err
	}
	if !info.Deriver.IsZero() {
		ok, err := m.Store.IsValid(ctx, info.Deriver)
		if err != nil {
			return err
		}
		if ok {
			plan.Builds = []storepath.Path{info.Deriver}
		}
	}
	opts, err := m.options(ctx, plan)
	if err != nil {
		return err
	}
	return m.reportFailures(build.RepairPath(ctx, m.Store, p, opts), nil)
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

// ImportGoals is contextGoals where the settings let evaluation build.
func ImportGoals(set *config.Settings, elems []value.ContextElem) ([]build.Goal, error) {
	goals, err := contextGoals(elems)
	if len(goals) > 0 && !set.ImportFromDerivation {
		return nil, &value.Error{Kind: value.EvalError, Recoverable: true, Msg: fmt.Sprintf(
			"cannot build '%s^%s' during evaluation because the option 'allow-import-from-derivation' is disabled",
			goals[0].Drv, goals[0].Outputs[0])}
	}
	return goals, err
}
