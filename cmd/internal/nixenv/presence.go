package nixenv

import (
	"context"

	"gonix/cmd/internal/realise"
	"gonix/derivation/build"
	"gonix/derivation/storepath"
	"gonix/eval"
)

// presence is whether an output is there, or can be.
type presence struct{ valid, substitutable bool }

// findPresence finds out about the outputs of the packages, and returns those
// that have one, and with --prebuilt-only need not be built.
func (x *listing) findPresence(ctx context.Context, list, installed []element) ([]element, error) {
	x.installed, x.status = map[string]bool{}, map[string]presence{}
	if x.f.status {
		for _, e := range installed {
			p, err := e.OutPath()
			if err != nil {
				return nil, err
			}
			x.installed[p.String()] = true
		}
	}
	var paths []storepath.Path
	var kept []element
	for _, e := range list {
		p, err := e.OutPath()
		if eval.IsAssertion(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		paths, kept = append(paths, p), append(kept, e)
	}
	m, err := realise.Open(x.World, x.f.Store, x.Settings, x.Progress)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	valid, err := m.Store.Valid(ctx, paths)
	if err != nil {
		return nil, err
	}
	var opts build.Options
	if err := m.Caches.Substitution(m.Store, &opts); err != nil {
		return nil, err
	}
	var found map[storepath.Path]build.Substitute
	if opts.Substituter != nil {
		if found, err = opts.Substituter.Find(ctx, paths); err != nil {
			return nil, err
		}
	}
	list = nil
	for i, p := range paths {
		_, remote := found[p]
		at := presence{valid[p], remote}
		x.status[p.String()] = at
		if at.valid || at.substitutable || !x.f.prebuilt {
			list = append(list, kept[i])
		}
	}
	return list, nil
}
