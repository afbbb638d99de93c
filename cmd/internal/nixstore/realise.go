package nixstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/cmd/internal/realise"
	"gonix/derivation/build"
	"gonix/derivation/storepath"
)

// Realisation is an argument of --realise: a path, or outputs of a derivation.
type Realisation struct {
	Path    storepath.Path
	Outputs []string // none for all
}

// withOutputs reads PATH!OUTPUT,OUTPUT, following links.
func (x *Run) withOutputs(arg string) (Realisation, error) {
	file, names, some := strings.Cut(arg, "!")
	p, err := x.Follow(file)
	r := Realisation{Path: p}
	if some {
		r.Outputs = strings.Split(names, ",")
	}
	return r, err
}

func (x *Run) realise() error {
	var list []Realisation
	for _, arg := range x.Args {
		r, err := x.withOutputs(arg)
		if err != nil {
			return err
		}
		if x.Flags.ignoreUnknown {
			ok, err := x.known(r.Path)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		list = append(list, r)
	}
	if x.Flags.DryRun {
		return x.PlanOnly(list)
	}
	if err := x.Build(list); err != nil {
		return err
	}
	if x.Flags.ignoreUnknown {
		return nil
	}
	for _, r := range list {
		lines, err := x.deliver(r)
		if err != nil {
			return err
		}
		if !x.Flags.silent {
			for _, line := range lines {
				x.Println(line)
			}
		}
	}
	return nil
}

// known reports whether a path is valid, or the output of a valid derivation.
func (x *Run) known(p storepath.Path) (bool, error) { return x.Store.IsValid(x.Context, p) }

// split sorts what is to be made valid into derivations to build and other paths.
func split(list []Realisation) (goals []build.Goal, others []storepath.Path) {
	for _, r := range list {
		if r.Path.IsDerivation() {
			goals = append(goals, build.Goal{Drv: r.Path, Outputs: r.Outputs})
		} else {
			others = append(others, r.Path)
		}
	}
	return goals, others
}

func (x *Run) PlanOnly(list []Realisation) error {
	goals, _ := split(list)
	plan, err := x.Plan(x.Context, goals)
	if err != nil {
		return err
	}
	realise.PrintPlan(x.World, plan)
	return nil
}

// Build makes all of it valid.
func (x *Run) Build(list []Realisation) error {
	goals, others := split(list)
	for _, p := range others {
		if err := x.ensure(p); err != nil {
			return err
		}
	}
	if len(goals) == 0 {
		return nil
	}
	return x.Maker.Realise(x.Context, goals, realise.Manner{Check: x.Flags.Check, Repair: x.Flags.Repair})
}

// ensure makes a path valid that is no derivation.
func (x *Run) ensure(p storepath.Path) error {
	if err := x.Store.TempRoot(p); err != nil {
		return err
	}
	ok, err := x.Store.IsValid(x.Context, p)
	if err == nil && !ok {
		ok, err = x.Fetch(x.Context, p)
	}
	if err == nil && !ok {
		err = fmt.Errorf("path '%s' does not exist and cannot be created", p)
	}
	if err == nil && x.Flags.Repair {
		err = x.Mend(x.Context, p)
	}
	return err
}

// deliver makes the links to what r has become, and returns what is to be
// printed, sorted.
func (x *Run) deliver(r Realisation) ([]string, error) {
	x.rootCount++
	if !r.Path.IsDerivation() {
		line, err := x.root(r.Path, "out")
		return []string{line}, err
	}
	drv, err := x.Store.ReadDerivation(x.Context, r.Path)
	if err != nil {
		return nil, err
	}
	names := r.Outputs
	if len(names) == 0 {
		names = drv.OutputNames()
	}
	lines := map[string]bool{}
	for _, name := range names {
		o, ok := drv.Outputs[name]
		if !ok {
			return nil, fmt.Errorf("derivation '%s' does not have an output named '%s'", r.Path, name)
		}
		line, err := x.root(o.Path, name)
		if err != nil {
			return nil, err
		}
		lines[line] = true
	}
	return slices.Sorted(maps.Keys(lines)), nil
}

// root makes a link to p if --add-root says so, and returns what stands for p.
func (x *Run) root(p storepath.Path, output string) (string, error) {
	if x.Flags.addRoot == "" {
		if !x.warned && !x.Flags.noWarn {
			x.warned = true
			x.Progress.Printf("warning: you did not specify '--add-root'; the result might be removed by the garbage collector")
		}
		return p.String(), nil
	}
	link := x.World.Abs(x.Flags.addRoot)
	if x.rootCount > 1 {
		link += fmt.Sprintf("-%d", x.rootCount)
	}
	if output != "out" {
		link += "-" + output
	}
	return link, x.Store.AddRoot(x.Context, link, p)
}
