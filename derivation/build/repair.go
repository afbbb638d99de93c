package build

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// mend puts a rebuilt output in the place of one that is valid but not what was
// registered; it reports false if that one is as it should be.
func (r *runner) mend(made string, info store.Info) (bool, error) {
	before, err := r.store.Info(r.ctx, info.Path)
	if err != nil {
		return false, err
	}
	if good, err := intact(r.ctx, r.store, before); good || err != nil {
		return false, err
	}
	return true, store.Replace(made, r.store.RealPath(info.Path))
}

// intact reports whether an object's content is what the database says.
func intact(ctx context.Context, st *store.Local, info *store.Info) (bool, error) {
	scan, err := store.ScanAndHash(ctx, st.RealPath(info.Path), nil)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return err == nil && scan.NarHash.Equal(info.NarHash), nil
}

// Repair makes what the goals' outputs need whole: it makes them valid, and then
// makes each damaged object of their closures anew: from a substituter, or if none
// has it from its derivation. (Nix: the build mode bmRepair)
func Repair(ctx context.Context, st *store.Local, goals []Goal, opts Options) error {
	normal := opts
	normal.Repair, normal.Check = false, false
	results, err := Run(ctx, st, goals, normal)
	if err != nil {
		return err
	}
	var roots []storepath.Path
	for _, res := range results {
		for _, p := range res.Outputs {
			if ok, err := st.IsValid(ctx, p); err != nil {
				return err
			} else if ok {
				roots = append(roots, p)
			}
		}
	}
	closure, err := st.Closure(ctx, roots...)
	if err != nil {
		return err
	}
	damaged, err := findDamaged(ctx, st, closure)
	if err != nil || len(damaged) == 0 {
		return err
	}
	makers, err := makersOf(ctx, st, goals)
	if err != nil {
		return err
	}
	for _, p := range damaged {
		opts.fill()
		opts.Events(Event{Kind: Note, Text: fmt.Sprintf("found corrupted or missing path '%s'", p)})
		if err := repairPath(ctx, st, p, makers[p], opts); err != nil {
			return err
		}
	}
	return nil
}

// RepairPath mends one damaged object, by a substitute or by a build of its
// deriver. (Nix: Store::repairPath)
func RepairPath(ctx context.Context, st *store.Local, p storepath.Path, opts Options) error {
	opts.fill()
	info, err := st.Info(ctx, p)
	if err != nil {
		return err
	}
	if good, err := intact(ctx, st, info); good || err != nil {
		return err
	}
	drv := storepath.Path{}
	if !info.Deriver.IsZero() {
		if ok, err := st.IsValid(ctx, info.Deriver); err != nil {
			return err
		} else if ok {
			drv = info.Deriver
		}
	}
	return repairPath(ctx, st, p, drv, opts)
}

func repairPath(ctx context.Context, st *store.Local, p, drv storepath.Path, opts Options) error {
	why := errors.New("it has no deriver, and there is no substituter")
	if opts.Substituter != nil {
		err := opts.Substituter.Repair(ctx, p)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		why = fmt.Errorf("it has no deriver, and %w", err)
	}
	if drv.IsZero() {
		return fmt.Errorf("cannot repair path '%s': %w", p, why)
	}
	opts.Repair, opts.Check = true, false
	_, err := Run(ctx, st, []Goal{{Drv: drv}}, opts)
	return err
}

// findDamaged returns those of the objects whose content is not what the database
// says, references first.
func findDamaged(ctx context.Context, st *store.Local, list []storepath.Path) ([]storepath.Path, error) {
	sorted, err := store.TopoSort(ctx, st, list)
	if err != nil {
		return nil, err
	}
	bad := make([]bool, len(sorted))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, p := range sorted {
		group.Go(func() error {
			info, err := st.Info(ctx, p)
			if err != nil {
				return err
			}
			good, err := intact(ctx, st, info)
			bad[i] = !good
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var damaged []storepath.Path
	for i, p := range sorted {
		if bad[i] {
			damaged = append(damaged, p)
		}
	}
	return damaged, nil
}

// makersOf returns which derivation makes which output, of all that the goals
// need.
func makersOf(ctx context.Context, st *store.Local, goals []Goal) (map[storepath.Path]storepath.Path, error) {
	makers := map[storepath.Path]storepath.Path{}
	seen := map[storepath.Path]bool{}
	var todo []storepath.Path
	for _, g := range goals {
		todo = append(todo, g.Drv)
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		drv, err := st.ReadDerivation(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, o := range drv.Outputs {
			makers[o.Path] = p
		}
		todo = slices.AppendSeq(todo, slices.Values(drv.Inputs()))
	}
	return makers, nil
}
