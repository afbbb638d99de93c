package instantiate

import (
	"errors"
	"fmt"

	"gonix/derivation"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// addInputs makes what the strings of drv depend on its inputs.
func (s *State) addInputs(drv *derivation.Derivation, ctx *value.Context) error {
	for _, e := range ctx.Elems() {
		p, err := storepath.Parse(e.Path)
		if err != nil {
			return err
		}
		switch e.Kind {
		case value.Opaque:
			drv.AddSource(p)
		case value.Built:
			drv.AddInput(p, e.Output)
		case value.DrvDeep:
			if err := s.addDeep(drv, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// addDeep adds all that p refers to, directly or not. Who has a derivation's
// path may look at everything in its graph, outputs included, so all of it has
// to be there when drv is built.
func (s *State) addDeep(drv *derivation.Derivation, p storepath.Path) error {
	seen := map[storepath.Path]bool{p: true}
	for todo := []storepath.Path{p}; len(todo) > 0; {
		q := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		refs, err := s.references(q)
		if err != nil {
			return fmt.Errorf("compute the closure of '%s': %w", p, err)
		}
		for _, r := range refs {
			if !seen[r] {
				seen[r] = true
				todo = append(todo, r)
			}
		}
		drv.AddSource(q)
		if !q.IsDerivation() {
			continue
		}
		o, err := s.known(q)
		if err != nil {
			return err
		}
		for _, name := range o.outputs {
			drv.AddInput(q, name)
		}
	}
	return nil
}

// references returns what an object refers to: remembered, or else asked of the
// store. What is not valid is a source of this evaluation on a store that keeps
// nothing; sources refer to nothing.
func (s *State) references(p storepath.Path) ([]storepath.Path, error) {
	if o, ok := s.objects[p]; ok && o != nil {
		return o.refs, nil
	}
	info, err := s.opt.Store.Info(s.ctx, p)
	switch {
	case err == nil:
		return info.References, nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	case p.IsDerivation():
		o, err := s.known(p)
		if err != nil {
			return nil, err
		}
		return o.refs, nil
	case s.isSource(p):
		return nil, nil
	}
	return nil, err
}
