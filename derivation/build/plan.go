package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gonix/derivation"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Goal is what shall be valid in the end: outputs of a derivation.
type Goal struct {
	Drv     storepath.Path
	Outputs []string // empty for all
}

// Plan is what has to be done to reach goals.
type Plan struct {
	// Builds are the derivations that will be built, inputs first.
	Builds []storepath.Path
	// Fetches are the objects that will be fetched, sorted.
	Fetches []Substitute

	nodes      []*node // Builds
	goals      []*node // whether built or not
	fetchRoots []storepath.Path
	deriver    map[storepath.Path]storepath.Path // of fetchRoots
}

// node is a derivation of the graph.
type node struct {
	path   storepath.Path
	drv    *derivation.Derivation
	goal   bool
	wanted map[string]bool
	state  state

	build    bool // must be built, as far as the survey has come
	surveyed bool

	deps   []*node // those that have to be built first
	done   chan struct{}
	result Result // complete when done is closed
}

type state uint8

const (
	valid   state = iota // nothing to do, so far
	entered              // its inputs are being looked at
	planned
)

// MakePlan finds out what has to be built, from the derivations in s. With
// check, goals are built although they are valid.
func MakePlan(ctx context.Context, s *store.Local, goals []Goal, check bool) (*Plan, error) {
	return Options{Check: check}.Plan(ctx, s, goals)
}

// Plan finds out what has to be built and what can be fetched.
func (o Options) Plan(ctx context.Context, s *store.Local, goals []Goal) (*Plan, error) {
	p := planner{ctx: ctx, store: s, opts: o, nodes: map[storepath.Path]*node{}}
	if err := p.surveyGoals(goals); err != nil {
		return nil, err
	}
	for _, g := range goals {
		n, err := p.node(g.Drv)
		if err != nil {
			return nil, err
		}
		outputs := g.Outputs
		if len(outputs) == 0 {
			outputs = n.drv.OutputNames()
		}
		if !n.goal {
			n.goal = true
			p.plan.goals = append(p.plan.goals, n)
		}
		if err := p.need(n, outputs, o.Check || o.Repair); err != nil {
			return nil, err
		}
	}
	p.fetches()
	for _, n := range p.plan.nodes {
		p.plan.Builds = append(p.plan.Builds, n.path)
	}
	return &p.plan, nil
}

type planner struct {
	ctx   context.Context
	store *store.Local
	opts  Options
	nodes map[storepath.Path]*node
	plan  Plan

	// What the survey has learnt of paths.
	valid, asked map[storepath.Path]bool
	substitutes  map[storepath.Path]Substitute
}

// surveyGoals runs the survey if there is anybody to ask.
func (p *planner) surveyGoals(goals []Goal) error {
	if p.opts.Substituter == nil {
		return nil
	}
	p.valid, p.asked = map[storepath.Path]bool{}, map[storepath.Path]bool{}
	p.substitutes = map[storepath.Path]Substitute{}
	var wave []*node
	for _, g := range goals {
		n, err := p.node(g.Drv)
		if err != nil {
			return err
		}
		if n.goal = true; !n.surveyed {
			n.surveyed = true
			p.plan.goals = append(p.plan.goals, n)
			wave = append(wave, n)
		}
		outputs := g.Outputs
		if len(outputs) == 0 {
			outputs = n.drv.OutputNames()
		}
		for _, name := range outputs {
			if _, ok := n.drv.Outputs[name]; !ok {
				return fmt.Errorf("derivation '%s' does not have wanted outputs '%s'", n.path, name)
			}
			n.wanted[name] = true
		}
	}
	return p.survey(wave)
}

func (p *planner) node(path storepath.Path) (*node, error) {
	if n, ok := p.nodes[path]; ok {
		return n, nil
	}
	// What is looked at must not be collected before it is used.
	if err := p.store.TempRoot(path); err != nil {
		return nil, err
	}
	drv, err := p.store.ReadDerivation(p.ctx, path)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("derivation '%s' is not in the store: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range drv.OutputNames() {
		if drv.Outputs[name].Path.IsZero() {
			return nil, fmt.Errorf("derivation '%s' has the output '%s' whose path depends on its content, which is not supported", path, name)
		}
	}
	n := &node{path: path, drv: drv, wanted: map[string]bool{}, done: make(chan struct{})}
	n.result = Result{Drv: path, Outputs: map[string]storepath.Path{}}
	for name, o := range drv.Outputs {
		n.result.Outputs[name] = o.Path
	}
	p.nodes[path] = n
	return n, nil
}

// need plans to build n unless the outputs are valid.
func (p *planner) need(n *node, outputs []string, check bool) error {
	build := check
	for _, name := range outputs {
		o, ok := n.drv.Outputs[name]
		if !ok {
			return fmt.Errorf("derivation '%s' does not have wanted outputs '%s'", n.path, name)
		}
		n.wanted[name] = true
		if err := p.store.TempRoot(o.Path); err != nil {
			return err
		}
		if build {
			continue
		}
		ok, err := p.store.IsValid(p.ctx, o.Path)
		if err != nil {
			return err
		}
		build = !ok && !p.found(o.Path)
	}
	build = build || n.build && !p.allValid(n, outputs)
	switch {
	case !build || n.state == planned:
		return nil
	case n.state == entered:
		return fmt.Errorf("derivation '%s' depends on itself", n.path)
	}
	n.state = entered
	for _, src := range n.drv.InputSrcs {
		if err := p.store.TempRoot(src); err != nil {
			return err
		}
	}
	for _, in := range n.drv.Inputs() {
		dep, err := p.node(in)
		if err != nil {
			return err
		}
		if err := p.need(dep, n.drv.InputDrvs[in], false); err != nil {
			return err
		}
		if dep.state == planned {
			n.deps = append(n.deps, dep)
		}
	}
	n.state = planned
	p.plan.nodes = append(p.plan.nodes, n)
	return nil
}

// allValid reports whether the survey has found these outputs valid.
func (p *planner) allValid(n *node, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !p.valid[n.drv.Outputs[name].Path] })
}

// outputPaths returns the outputs of n that are wanted, sorted.
func (n *node) outputPaths(names []string) []storepath.Path {
	var list []storepath.Path
	for _, name := range names {
		list = append(list, n.drv.Outputs[name].Path)
	}
	slices.SortFunc(list, storepath.Compare)
	return slices.Compact(list)
}

func (n *node) wantedNames() []string { return slices.Sorted(maps.Keys(n.wanted)) }
