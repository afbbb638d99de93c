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

// Substituter finds objects elsewhere, so that they need not be built.
type Substituter interface {
	// Find says which of the paths can be had. The answer holds them together
	// with all that they refer to and that is not valid yet; a path of which
	// something is missing is not in it. What Fetch could not get is not found
	// again.
	Find(ctx context.Context, paths []storepath.Path) (map[storepath.Path]Substitute, error)

	// Fetch makes paths valid that Find has found, with all that they refer to,
	// and returns why it could not for those that it could not. An error that
	// wraps ErrSubstituteGone is about something that is not there any more.
	Fetch(ctx context.Context, paths []storepath.Path) map[storepath.Path]error

	// Address says that the object at p has the content address ca, so that it
	// can be found where other paths follow from it.
	Address(p storepath.Path, ca string)

	// Repair fetches a path anew that is valid and damaged.
	Repair(ctx context.Context, p storepath.Path) error
}

// Substitute is an object that can be fetched.
type Substitute struct {
	Path         storepath.Path
	References   []storepath.Path
	DownloadSize int64 // bytes, 0 if unknown
	NarSize      int64 // bytes of the archive
}

// ErrSubstituteGone is wrapped by the error about a substitute that is announced
// and does not exist. That is no failure, but as if it had not been announced.
var ErrSubstituteGone = errors.New("the substitute does not exist any more")

// SubstituteGoals fetches what can be had of what the goals need and returns the plan
// of what is left to be built. With Fallback, what could not be fetched is among
// that; without, it is an *[Error].
func SubstituteGoals(ctx context.Context, s *store.Local, goals []Goal, opts Options) (*Plan, error) {
	for {
		plan, err := opts.Plan(ctx, s, goals)
		if err != nil || len(plan.Fetches) == 0 {
			return plan, err
		}
		failed := opts.Substituter.Fetch(ctx, plan.fetchRoots)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if opts.Fallback {
			continue
		}
		var failures []error
		for _, p := range slices.SortedFunc(maps.Keys(failed), storepath.Compare) {
			if errors.Is(failed[p], ErrSubstituteGone) {
				continue
			}
			err := fmt.Errorf("some substitutes for '%s' failed (usually happens due to networking issues); try '--fallback' to build it from source: %w", p, failed[p])
			failures = append(failures, &Failure{Drv: plan.deriver[p], Kind: Misc, Err: err})
		}
		if len(failures) > 0 {
			return nil, &Error{Failures: failures}
		}
	}
}

// survey asks, wave by wave from the goals down, which outputs can be fetched,
// and decides which derivations must be built.
func (p *planner) survey(wave []*node) error {
	for len(wave) > 0 {
		if err := p.ask(wave); err != nil {
			return err
		}
		var next []*node
		for _, n := range wave {
			for _, name := range n.wantedNames() {
				path := n.drv.Outputs[name].Path
				n.build = n.build || !p.valid[path] && !p.found(path)
			}
			if !n.build {
				continue
			}
			for _, in := range n.drv.Inputs() {
				dep, err := p.node(in)
				if err != nil {
					return err
				}
				news := !dep.surveyed
				dep.surveyed = true
				for _, name := range n.drv.InputDrvs[in] {
					if _, ok := dep.drv.Outputs[name]; !ok {
						return fmt.Errorf("derivation '%s' does not have wanted outputs '%s'", dep.path, name)
					}
					news = news || !dep.wanted[name]
					dep.wanted[name] = true
				}
				if news {
					next = append(next, dep)
				}
			}
		}
		wave = next
	}
	return nil
}

// ask finds out about the wanted outputs of nodes, and about their sources.
func (p *planner) ask(wave []*node) error {
	var paths, wanted []storepath.Path
	for _, n := range wave {
		outputs := n.outputPaths(n.wantedNames())
		paths = append(paths, outputs...)
		paths = append(paths, n.drv.InputSrcs...)
	}
	valid, err := p.store.Valid(p.ctx, paths)
	if err != nil {
		return err
	}
	for path := range valid {
		p.valid[path] = true
	}
	asks := func(path storepath.Path) {
		if !p.valid[path] && !p.asked[path] {
			p.asked[path] = true
			wanted = append(wanted, path)
		}
	}
	for _, n := range wave {
		may := p.opts.substitutable(n.drv)
		n.build = n.build || n.goal && (p.opts.Check || p.opts.Repair)
		for _, path := range n.outputPaths(n.wantedNames()) {
			if !may && !p.valid[path] {
				n.build = true
			}
			if may && !n.build {
				asks(path)
			}
		}
		if may && !n.build {
			p.addresses(n)
		}
	}
	// The sources of what must be built are there as a rule.
	for _, n := range wave {
		if n.build {
			for _, src := range n.drv.InputSrcs {
				asks(src)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	found, err := p.opts.Substituter.Find(p.ctx, wanted)
	maps.Copy(p.substitutes, found)
	return err
}

// addresses tells the substituter what is known of the content of outputs.
func (p *planner) addresses(n *node) {
	for _, name := range n.wantedNames() {
		o := n.drv.Outputs[name]
		method, hash, err := o.Fixed()
		if err == nil && !hash.IsZero() {
			p.opts.Substituter.Address(o.Path, contentAddress(method, hash))
		}
	}
}

// substitutable reports whether the outputs of drv may be fetched: what is built
// faster than it is fetched says that it may not.
func (o Options) substitutable(drv *derivation.Derivation) bool {
	return o.Substituter != nil && (o.AlwaysSubstitute || boolAttr(drv, "allowSubstitutes", true))
}

// boolAttr is an attribute of a derivation that is true or false (Nix:
// getBoolAttr).
func boolAttr(drv *derivation.Derivation, name string, absent bool) bool {
	text, structured := drv.Structured()
	if !structured {
		v, ok := drv.Env[name]
		return !ok && absent || v == "1"
	}
	attrs, err := parseAttrs(text)
	if err != nil {
		return absent
	}
	if v, ok := attrs[name].(bool); ok {
		return v
	}
	return absent
}

func (p *planner) found(path storepath.Path) bool {
	_, ok := p.substitutes[path]
	return ok
}

// fetches completes the plan with what has to be fetched.
func (p *planner) fetches() {
	roots := make(map[storepath.Path]bool)
	p.plan.deriver = make(map[storepath.Path]storepath.Path)
	for _, n := range p.nodes {
		if n.build {
			for _, src := range n.drv.InputSrcs {
				if !p.valid[src] && p.found(src) {
					roots[src] = true
				}
			}
			continue
		}
		for _, path := range n.outputPaths(n.wantedNames()) {
			if !p.valid[path] && p.found(path) {
				roots[path] = true
				p.plan.deriver[path] = n.path
			}
		}
	}
	p.plan.fetchRoots = slices.SortedFunc(maps.Keys(roots), storepath.Compare)
	seen := make(map[storepath.Path]bool)
	for todo := slices.Clone(p.plan.fetchRoots); len(todo) > 0; {
		path := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		sub, ok := p.substitutes[path]
		if !ok || seen[path] {
			continue
		}
		seen[path] = true
		p.plan.Fetches = append(p.plan.Fetches, sub)
		todo = append(todo, sub.References...)
	}
	slices.SortFunc(p.plan.Fetches, func(a, b Substitute) int { return storepath.Compare(a.Path, b.Path) })
}
