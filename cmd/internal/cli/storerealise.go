package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/build"
	"gonix/derivation/storepath"
)

// realisation is an argument of --realise: a path, or outputs of a derivation.
type realisation struct {
	path    storepath.Path
	outputs []string // none for all
}

// withOutputs reads PATH!OUTPUT,OUTPUT, following links.
func (x *storeRun) withOutputs(arg string) (realisation, error) {
	file, names, some := strings.Cut(arg, "!")
	p, err := x.follow(file)
	r := realisation{path: p}
	if some {
		r.outputs = strings.Split(names, ",")
	}
	return r, err
}

func (x *storeRun) realise() error {
	var list []realisation
	for _, arg := range x.args {
		r, err := x.withOutputs(arg)
		if err != nil {
			return err
		}
		if x.f.ignoreUnknown {
			ok, err := x.known(r.path)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		list = append(list, r)
	}
	if x.f.dryRun {
		return x.planOnly(list)
	}
	if err := x.build(list); err != nil {
		return err
	}
	if x.f.ignoreUnknown {
		return nil
	}
	for _, r := range list {
		lines, err := x.deliver(r)
		if err != nil {
			return err
		}
		if !x.f.silent {
			for _, line := range lines {
				x.println(line)
			}
		}
	}
	return nil
}

// known reports whether a path is valid, or the output of a valid derivation.
func (x *storeRun) known(p storepath.Path) (bool, error) { return x.st.IsValid(x.ctx, p) }

// split sorts what is to be made valid into derivations to build and other paths.
func split(list []realisation) (goals []build.Goal, others []storepath.Path) {
	for _, r := range list {
		if r.path.IsDerivation() {
			goals = append(goals, build.Goal{Drv: r.path, Outputs: r.outputs})
		} else {
			others = append(others, r.path)
		}
	}
	return goals, others
}

func (x *storeRun) planOnly(list []realisation) error {
	goals, _ := split(list)
	plan, err := x.plan(x.ctx, goals)
	if err != nil {
		return err
	}
	printPlan(x.w, plan)
	return nil
}

// build makes all of it valid.
func (x *storeRun) build(list []realisation) error {
	goals, others := split(list)
	for _, p := range others {
		if err := x.ensure(p); err != nil {
			return err
		}
	}
	if len(goals) == 0 {
		return nil
	}
	return x.maker.realise(x.ctx, goals, manner{check: x.f.check, repair: x.f.repair})
}

// ensure makes a path valid that is no derivation.
func (x *storeRun) ensure(p storepath.Path) error {
	if err := x.st.TempRoot(p); err != nil {
		return err
	}
	ok, err := x.st.IsValid(x.ctx, p)
	if err == nil && !ok {
		ok, err = x.fetch(x.ctx, p)
	}
	if err == nil && !ok {
		err = fmt.Errorf("path '%s' does not exist and cannot be created", p)
	}
	if err == nil && x.f.repair {
		err = x.mend(x.ctx, p)
	}
	return err
}

// deliver makes the links to what r has become, and returns what is to be
// printed, sorted.
func (x *storeRun) deliver(r realisation) ([]string, error) {
	x.rootCount++
	if !r.path.IsDerivation() {
		line, err := x.root(r.path, "out")
		return []string{line}, err
	}
	drv, err := x.st.ReadDerivation(x.ctx, r.path)
	if err != nil {
		return nil, err
	}
	names := r.outputs
	if len(names) == 0 {
		names = drv.OutputNames()
	}
	lines := map[string]bool{}
	for _, name := range names {
		o, ok := drv.Outputs[name]
		if !ok {
			return nil, fmt.Errorf("derivation '%s' does not have an output named '%s'", r.path, name)
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
func (x *storeRun) root(p storepath.Path, output string) (string, error) {
	if x.f.addRoot == "" {
		if !x.warned && !x.f.noWarn {
			x.warned = true
			x.p.printf("warning: you did not specify '--add-root'; the result might be removed by the garbage collector")
		}
		return p.String(), nil
	}
	link := x.w.abs(x.f.addRoot)
	if x.rootCount > 1 {
		link += fmt.Sprintf("-%d", x.rootCount)
	}
	if output != "out" {
		link += "-" + output
	}
	return link, x.st.AddRoot(x.ctx, link, p)
}
