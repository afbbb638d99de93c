package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"gonix/derivation/store"
	"gonix/derivation/store/gc"
	"gonix/derivation/store/graphtext"
	"gonix/derivation/storepath"
)

// declareQuery declares the flags of --query.
func (f *storeFlags) declareQuery(fs *pflag.FlagSet) {
	fs.BoolVar(&f.outputs, "outputs", false, "query: the output paths of derivations")
	fs.BoolVarP(&f.requisites, "requisites", "R", false, "query: all that is needed")
	fs.BoolVar(&f.references, "references", false, "query: what is referred to")
	fs.BoolVar(&f.referrers, "referrers", false, "query: what refers to it")
	fs.BoolVar(&f.referrers, "referers", false, "")
	fs.BoolVar(&f.referrersClosure, "referrers-closure", false, "query: all that needs it")
	fs.BoolVar(&f.referrersClosure, "referers-closure", false, "")
	fs.BoolVarP(&f.deriver, "deriver", "d", false, "query: the derivation that made it")
	fs.BoolVar(&f.validDerivers, "valid-derivers", false, "query: the derivations in the store that make it")
	fs.StringVarP(&f.binding, "binding", "b", "", "query: the attribute of this `name` of its derivation")
	fs.BoolVar(&f.hash, "hash", false, "query: the hash of its archive")
	fs.BoolVar(&f.size, "size", false, "query: the size of its archive")
	fs.BoolVar(&f.tree, "tree", false, "query: what it needs, as a tree")
	fs.BoolVar(&f.graph, "graph", false, "query: what it needs, for Graphviz")
	fs.BoolVar(&f.graphml, "graphml", false, "query: the same as GraphML")
	fs.BoolVar(&f.resolve, "resolve", false, "query: the store path that a link leads to")
	fs.BoolVar(&f.roots, "roots", false, "query: the roots that keep it")
	fs.BoolVarP(&f.useOutput, "use-output", "u", false, "query: take the outputs of derivations instead of these")
	fs.BoolVar(&f.includeOutputs, "include-outputs", false, "query -R: the outputs of derivations, too")
	fs.BoolVarP(&f.forceRealise, "force-realise", "f", false, "query: build derivations before")
	fs.BoolVar(&f.forceRealise, "force-realize", false, "")
	fs.BoolVar(&f.plain, "plain", false, "of no effect")
	for _, name := range []string{"referers", "referers-closure", "force-realize", "plain"} {
		fs.Lookup(name).Hidden = true
	}
}

// storeQueries are the questions, by the flag that asks them.
func (f *storeFlags) question() (func(*storeRun) error, error) {
	var found []func(*storeRun) error
	for _, q := range []struct {
		asked bool
		run   func(*storeRun) error
	}{
		{f.outputs, (*storeRun).queryOutputs},
		{f.requisites, (*storeRun).queryPaths}, {f.references, (*storeRun).queryPaths},
		{f.referrers, (*storeRun).queryPaths}, {f.referrersClosure, (*storeRun).queryPaths},
		{f.deriver, (*storeRun).queryDeriver}, {f.validDerivers, (*storeRun).queryValidDerivers},
		{f.binding != "", (*storeRun).queryBinding},
		{f.hash, (*storeRun).queryInfo}, {f.size, (*storeRun).queryInfo},
		{f.tree, (*storeRun).queryTree}, {f.graph, (*storeRun).queryGraph}, {f.graphml, (*storeRun).queryGraph},
		{f.resolve, (*storeRun).queryResolve}, {f.roots, (*storeRun).queryRoots},
	} {
		if q.asked {
			found = append(found, q.run)
		}
	}
	switch len(found) {
	case 0:
		return (*storeRun).queryOutputs, nil
	case 1:
		return found[0], nil
	}
	return nil, errors.New("one query at a time: the flags contradict each other")
}

func (x *storeRun) query() error {
	ask, err := x.f.question()
	if err != nil {
		return err
	}
	return ask(x)
}

// subjects are the paths that are asked about: the arguments, or the outputs of
// those that are derivations.
func (x *storeRun) subjects(useOutput bool) ([]storepath.Path, error) {
	var list []storepath.Path
	for _, arg := range x.args {
		p, err := x.follow(arg)
		if err != nil {
			return nil, err
		}
		more, err := x.outputsOf(p, useOutput)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// outputsOf is p, or its outputs sorted if p is a derivation and useOutput says
// so.
func (x *storeRun) outputsOf(p storepath.Path, useOutput bool) ([]storepath.Path, error) {
	if x.f.forceRealise && p.IsDerivation() {
		if err := x.build([]realisation{{path: p}}); err != nil {
			return nil, err
		}
	}
	if !useOutput || !p.IsDerivation() {
		return []storepath.Path{p}, nil
	}
	drv, err := x.st.ReadDerivation(x.ctx, p)
	if err != nil {
		return nil, err
	}
	var list []storepath.Path
	for _, o := range drv.Outputs {
		list = append(list, o.Path)
	}
	slices.SortFunc(list, storepath.Compare)
	return list, nil
}

func (x *storeRun) queryOutputs() error {
	for _, arg := range x.args {
		p, err := x.follow(arg)
		if err != nil {
			return err
		}
		list, err := x.outputsOf(p, true)
		if err != nil {
			return err
		}
		x.print(list)
	}
	return nil
}

func (x *storeRun) print(list []storepath.Path) {
	for _, p := range list {
		x.println(p)
	}
}

// queryPaths answers with a set of paths, references first.
func (x *storeRun) queryPaths() error {
	subjects, err := x.subjects(x.f.useOutput)
	if err != nil {
		return err
	}
	var found []storepath.Path
	for _, p := range subjects {
		var more []storepath.Path
		switch {
		case x.f.requisites:
			more, err = x.st.Requisites(x.ctx, store.Bonds{Outputs: x.f.includeOutputs}, p)
		case x.f.references:
			var info *store.Info
			if info, err = x.st.Info(x.ctx, p); err == nil {
				more = info.References
			}
		case x.f.referrers:
			more, err = x.st.Referrers(x.ctx, p)
		default:
			more, err = x.st.ReferrersClosure(x.ctx, store.Bonds{}, p)
		}
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	return x.printSorted(found)
}

func (x *storeRun) printSorted(list []storepath.Path) error {
	sorted, err := store.TopoSort(x.ctx, x.st, list)
	x.print(sorted)
	return err
}

func (x *storeRun) queryDeriver() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		info, err := x.st.Info(x.ctx, p)
		if err != nil {
			return err
		}
		if info.Deriver.IsZero() {
			x.println("unknown-deriver")
		} else {
			x.println(info.Deriver)
		}
	}
	return nil
}

func (x *storeRun) queryValidDerivers() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	var found []storepath.Path
	for _, p := range subjects {
		derivers, err := x.st.ValidDerivers(x.ctx, p)
		if err != nil {
			return err
		}
		found = append(found, derivers...)
	}
	return x.printSorted(found)
}

// deriverOf is p itself if it is a derivation.
func (x *storeRun) deriverOf(p storepath.Path) (storepath.Path, error) {
	if p.IsDerivation() {
		return p, nil
	}
	info, err := x.st.Info(x.ctx, p)
	if err != nil {
		return storepath.Path{}, err
	}
	if info.Deriver.IsZero() {
		return storepath.Path{}, fmt.Errorf("deriver of path '%s' is not known", p)
	}
	return info.Deriver, nil
}

func (x *storeRun) queryBinding() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		if p, err = x.deriverOf(p); err != nil {
			return err
		}
		drv, err := x.st.ReadDerivation(x.ctx, p)
		if err != nil {
			return err
		}
		text, ok := drv.Env[x.f.binding]
		if !ok {
			return fmt.Errorf("derivation '%s' has no environment binding named '%s'", p, x.f.binding)
		}
		x.println(text)
	}
	return nil
}

func (x *storeRun) queryInfo() error {
	subjects, err := x.subjects(x.f.useOutput)
	if err != nil {
		return err
	}
	for _, p := range subjects {
		info, err := x.st.Info(x.ctx, p)
		if err != nil {
			return err
		}
		if x.f.hash {
			x.println(info.NarHash.Prefixed32())
		} else {
			x.println(info.NarSize)
		}
	}
	return nil
}

func (x *storeRun) queryTree() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	return graphtext.Tree(x.ctx, x.out, x.st, subjects)
}

func (x *storeRun) queryGraph() error {
	subjects, err := x.subjects(x.f.useOutput)
	if err != nil {
		return err
	}
	if x.f.graphml {
		return graphtext.GraphML(x.ctx, x.out, x.st, subjects)
	}
	return graphtext.Dot(x.ctx, x.out, x.st, subjects)
}

func (x *storeRun) queryResolve() error {
	subjects, err := x.followAll()
	x.print(subjects)
	return err
}

func (x *storeRun) queryRoots() error {
	subjects, err := x.subjects(x.f.useOutput)
	if err != nil {
		return err
	}
	keepers, err := x.st.ReferrersClosure(x.ctx, bonds(x.set), subjects...)
	if err != nil {
		return err
	}
	roots, err := x.gcRoots()
	if err != nil {
		return err
	}
	for _, r := range roots {
		if _, ok := slices.BinarySearchFunc(keepers, r.Path, storepath.Compare); ok {
			fmt.Fprintf(x.out, "%s -> %s\n", r.Link, r.Path)
		}
	}
	return nil
}

func (x *storeRun) gcRoots() ([]gc.Root, error) {
	return gc.Roots(x.st, func(p storepath.Path) (bool, error) { return x.st.IsValid(x.ctx, p) })
}
