package nixstore

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/stores"
	"gonix/derivation/store"
	"gonix/derivation/store/gc"
	"gonix/derivation/store/graphtext"
	"gonix/derivation/storepath"
)

// declareQuery declares the flags of --query.
func (f *Flags) declareQuery(fs *pflag.FlagSet) {
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
func (f *Flags) question() (func(*Run) error, error) {
	var found []func(*Run) error
	for _, q := range []struct {
		asked bool
		run   func(*Run) error
	}{
		{f.outputs, (*Run).queryOutputs},
		{f.requisites, (*Run).queryPaths}, {f.references, (*Run).queryPaths},
		{f.referrers, (*Run).queryPaths}, {f.referrersClosure, (*Run).queryPaths},
		{f.deriver, (*Run).queryDeriver}, {f.validDerivers, (*Run).queryValidDerivers},
		{f.binding != "", (*Run).queryBinding},
		{f.hash, (*Run).queryInfo}, {f.size, (*Run).queryInfo},
		{f.tree, (*Run).queryTree}, {f.graph, (*Run).queryGraph}, {f.graphml, (*Run).queryGraph},
		{f.resolve, (*Run).queryResolve}, {f.roots, (*Run).queryRoots},
	} {
		if q.asked {
			found = append(found, q.run)
		}
	}
	switch len(found) {
	case 0:
		return (*Run).queryOutputs, nil
	case 1:
		return found[0], nil
	}
	return nil, errors.New("one query at a time: the flags contradict each other")
}

func (x *Run) query() error {
	ask, err := x.Flags.question()
	if err != nil {
		return err
	}
	return ask(x)
}

// subjects are the paths that are asked about: the arguments, or the outputs of
// those that are derivations.
func (x *Run) subjects(useOutput bool) ([]storepath.Path, error) {
	var list []storepath.Path
	for _, arg := range x.Args {
		p, err := x.Follow(arg)
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
func (x *Run) outputsOf(p storepath.Path, useOutput bool) ([]storepath.Path, error) {
	if x.Flags.forceRealise && p.IsDerivation() {
		if err := x.Build([]Realisation{{Path: p}}); err != nil {
			return nil, err
		}
	}
	if !useOutput || !p.IsDerivation() {
		return []storepath.Path{p}, nil
	}
	drv, err := x.Store.ReadDerivation(x.Context, p)
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

func (x *Run) queryOutputs() error {
	for _, arg := range x.Args {
		p, err := x.Follow(arg)
		if err != nil {
			return err
		}
		list, err := x.outputsOf(p, true)
		if err != nil {
			return err
		}
		x.Print(list)
	}
	return nil
}

func (x *Run) Print(list []storepath.Path) {
	for _, p := range list {
		x.Println(p)
	}
}

// queryPaths answers with a set of paths, references first.
func (x *Run) queryPaths() error {
	subjects, err := x.subjects(x.Flags.useOutput)
	if err != nil {
		return err
	}
	var found []storepath.Path
	for _, p := range subjects {
		var more []storepath.Path
		switch {
		case x.Flags.requisites:
			more, err = x.Store.Requisites(x.Context, store.Bonds{Outputs: x.Flags.includeOutputs}, p)
		case x.Flags.references:
			var info *store.Info
			if info, err = x.Store.Info(x.Context, p); err == nil {
				more = info.References
			}
		case x.Flags.referrers:
			more, err = x.Store.Referrers(x.Context, p)
		default:
			more, err = x.Store.ReferrersClosure(x.Context, store.Bonds{}, p)
		}
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	return x.printSorted(found)
}

func (x *Run) printSorted(list []storepath.Path) error {
	sorted, err := store.TopoSort(x.Context, x.Store, list)
	x.Print(sorted)
	return err
}

func (x *Run) queryDeriver() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		info, err := x.Store.Info(x.Context, p)
		if err != nil {
			return err
		}
		if info.Deriver.IsZero() {
			x.Println("unknown-deriver")
		} else {
			x.Println(info.Deriver)
		}
	}
	return nil
}

func (x *Run) queryValidDerivers() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	var found []storepath.Path
	for _, p := range subjects {
		derivers, err := x.Store.ValidDerivers(x.Context, p)
		if err != nil {
			return err
		}
		found = append(found, derivers...)
	}
	return x.printSorted(found)
}

// DeriverOf is p itself if it is a derivation.
func (x *Run) DeriverOf(p storepath.Path) (storepath.Path, error) {
	if p.IsDerivation() {
		return p, nil
	}
	info, err := x.Store.Info(x.Context, p)
	if err != nil {
		return storepath.Path{}, err
	}
	if info.Deriver.IsZero() {
		return storepath.Path{}, fmt.Errorf("deriver of path '%s' is not known", p)
	}
	return info.Deriver, nil
}

func (x *Run) queryBinding() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	for _, p := range subjects {
		if p, err = x.DeriverOf(p); err != nil {
			return err
		}
		drv, err := x.Store.ReadDerivation(x.Context, p)
		if err != nil {
			return err
		}
		text, ok := drv.Env[x.Flags.binding]
		if !ok {
			return fmt.Errorf("derivation '%s' has no environment binding named '%s'", p, x.Flags.binding)
		}
		x.Println(text)
	}
	return nil
}

func (x *Run) queryInfo() error {
	subjects, err := x.subjects(x.Flags.useOutput)
	if err != nil {
		return err
	}
	for _, p := range subjects {
		info, err := x.Store.Info(x.Context, p)
		if err != nil {
			return err
		}
		if x.Flags.hash {
			x.Println(info.NarHash.Prefixed32())
		} else {
			x.Println(info.NarSize)
		}
	}
	return nil
}

func (x *Run) queryTree() error {
	subjects, err := x.followAll()
	if err != nil {
		return err
	}
	return graphtext.Tree(x.Context, x.Out, x.Store, subjects)
}

func (x *Run) queryGraph() error {
	subjects, err := x.subjects(x.Flags.useOutput)
	if err != nil {
		return err
	}
	if x.Flags.graphml {
		return graphtext.GraphML(x.Context, x.Out, x.Store, subjects)
	}
	return graphtext.Dot(x.Context, x.Out, x.Store, subjects)
}

func (x *Run) queryResolve() error {
	subjects, err := x.followAll()
	x.Print(subjects)
	return err
}

func (x *Run) queryRoots() error {
	subjects, err := x.subjects(x.Flags.useOutput)
	if err != nil {
		return err
	}
	keepers, err := x.Store.ReferrersClosure(x.Context, stores.Bonds(x.Settings), subjects...)
	if err != nil {
		return err
	}
	roots, err := x.gcRoots()
	if err != nil {
		return err
	}
	for _, r := range roots {
		if _, ok := slices.BinarySearchFunc(keepers, r.Path, storepath.Compare); ok {
			fmt.Fprintf(x.Out, "%s -> %s\n", r.Link, r.Path)
		}
	}
	return nil
}

func (x *Run) gcRoots() ([]gc.Root, error) {
	return gc.Roots(x.Store, func(p storepath.Path) (bool, error) { return x.Store.IsValid(x.Context, p) })
}
