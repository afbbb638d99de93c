package substitute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"gonix/derivation/binarycache"
	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// forgetter is a Source that remembers its answers.
type forgetter interface{ Forget(storepath.Path) }

// Fetch implements [build.Substituter]. Each object is fetched once all that it
// refers to is valid.
func (s *Substituter) Fetch(ctx context.Context, paths []storepath.Path) map[storepath.Path]error {
	found, err := s.Find(ctx, paths)
	failed := make(map[storepath.Path]error)
	if err == nil {
		var valid map[storepath.Path]bool
		if valid, err = s.store.Valid(ctx, paths); err == nil {
			for _, p := range paths {
				if _, ok := found[p]; !ok && !valid[p] {
					failed[p] = fmt.Errorf("path '%s' is required, but there is no substituter that can build it", p)
				}
			}
		}
	}
	if err != nil {
		for _, p := range paths {
			failed[p] = err
		}
		return failed
	}
	maps.Copy(failed, s.fetchAll(ctx, found))
	return failed
}

// goal is one object on its way.
type goal struct {
	done chan struct{}
	err  error // valid when done is closed
}

// fetchAll fetches objects and what they refer to among them.
func (s *Substituter) fetchAll(ctx context.Context, subs map[storepath.Path]build.Substitute) map[storepath.Path]error {
	goals := make(map[storepath.Path]*goal, len(subs))
	for p := range subs {
		goals[p] = &goal{done: make(chan struct{})}
	}
	var all sync.WaitGroup
	for _, p := range slices.SortedFunc(maps.Keys(subs), func(a, b storepath.Path) int {
		return cmp.Or(cmp.Compare(subs[b].NarSize, subs[a].NarSize), storepath.Compare(a, b))
	}) {
		sub, g := subs[p], goals[p]
		// The largest of those that wait for nothing go first.
		entered := !slices.ContainsFunc(sub.References, func(ref storepath.Path) bool { return ref != p && goals[ref] != nil }) && s.slots.try()
		all.Go(func() {
			defer close(g.done)
			if !entered {
				if g.err = s.await(ctx, sub, goals); g.err == nil {
					g.err = s.slots.enter(ctx, p, sub.NarSize)
				}
			}
			if g.err == nil {
				defer s.slots.leave()
				g.err = s.fetch(ctx, p, s.store.AddNAR)
			}
		})
	}
	all.Wait()
	failed := make(map[storepath.Path]error)
	for p, g := range goals {
		if g.err != nil {
			failed[p] = g.err
		}
	}
	return failed
}

// ReferenceError is why an object was not fetched to which nothing has happened
// itself.
type ReferenceError struct {
	Path storepath.Path
	Err  error // what happened to something that it refers to, directly or not
}

// Error implements error.
func (e *ReferenceError) Error() string {
	return fmt.Sprintf("some references of path '%s' could not be realised: %v", e.Path, e.Err)
}

// Unwrap returns what happened.
func (e *ReferenceError) Unwrap() error { return e.Err }

// await waits until all that sub refers to is valid.
func (s *Substituter) await(ctx context.Context, sub build.Substitute, goals map[storepath.Path]*goal) error {
	for _, ref := range sub.References {
		g, ok := goals[ref]
		if !ok || ref == sub.Path {
			continue
		}
		select {
		case <-g.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if g.err != nil {
			var ref *ReferenceError
			if errors.As(g.err, &ref) {
				return &ReferenceError{sub.Path, ref.Err}
			}
			return &ReferenceError{sub.Path, g.err}
		}
	}
	return nil
}

// Repair fetches p anew, which is valid and damaged, from the first source that
// can deliver it. Until all of it has come and is right, p stays as it is.
func (s *Substituter) Repair(ctx context.Context, p storepath.Path) error {
	s.open(ctx)
	if err := s.slots.enter(ctx, p, 0); err != nil {
		return err
	}
	defer s.slots.leave()
	return s.fetch(ctx, p, s.store.ReplaceNAR)
}

// intake is what is done with the archive of an object.
type intake func(ctx context.Context, info store.Info, r io.Reader) error

// fetch hands p to put, from the first source that can deliver it.
func (s *Substituter) fetch(ctx context.Context, p storepath.Path, put intake) error {
	var last error
	gone := true
	first := s.offersOf(ctx, p)
	tried := make(map[*source]bool)
	try := func(o offer) bool {
		tried[o.from] = true
		err := s.take(ctx, o, put)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			last = context.Cause(ctx)
			return false
		}
		last = fmt.Errorf("copying path '%s' from '%s': %w", p, o.from, err)
		if errors.Is(err, binarycache.ErrGone) {
			if f, ok := o.from.Source.(forgetter); ok {
				f.Forget(p)
			}
		} else {
			gone = false
		}
		s.warn("%v", last)
		return false
	}
	for _, o := range first {
		if try(o) {
			return nil
		}
	}
	for _, src := range s.sources {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if tried[src] {
			continue
		}
		if info := s.query(ctx, src, p); info != nil && try(offer{src, info}) {
			return nil
		}
	}
	if last == nil {
		return fmt.Errorf("no substituter has path '%s'", p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[p] = true
	if gone {
		return fmt.Errorf("%w: %w", build.ErrSubstituteGone, last)
	}
	return last
}

// take copies one object from one source.
func (s *Substituter) take(ctx context.Context, o offer, put intake) (err error) {
	p := o.info.Path
	if err := s.references(ctx, o); err != nil {
		return err
	}
	a := &arrival{ctx: ctx, offer: o, events: s.opts.Events}
	defer func() {
		a.close()
		if a.started && s.opts.Events.Finished != nil {
			s.opts.Events.Finished(p, err)
		}
	}()
	info := o.info.Info
	info.Ultimate = false
	err = put(ctx, info, a)
	if a.err != nil {
		err = a.err // what put says is only what followed from it
	}
	return err
}

// references keeps what the object refers to from being collected and checks that
// it is valid. A second source may have an object with other references than the
// first one: these are fetched here.
func (s *Substituter) references(ctx context.Context, o offer) error {
	var missing []storepath.Path
	for _, ref := range o.info.References {
		if ref == o.info.Path {
			continue
		}
		if err := s.store.TempRoot(ref); err != nil {
			return err
		}
		ok, err := s.store.IsValid(ctx, ref)
		if err != nil {
			return err
		}
		if !ok {
			missing = append(missing, ref)
		}
	}
	for _, ref := range missing {
		// The slot is ours already: no waiting for another.
		found, err := s.Find(ctx, []storepath.Path{ref})
		if err != nil {
			return err
		}
		if _, ok := found[ref]; !ok {
			return fmt.Errorf("the reference '%s' of path '%s' is not valid", ref, o.info.Path)
		}
		if err := s.sequential(ctx, ref, found); err != nil {
			return err
		}
	}
	return nil
}

// sequential fetches one object after another, what is referred to first.
func (s *Substituter) sequential(ctx context.Context, p storepath.Path, found map[storepath.Path]build.Substitute) error {
	sub, ok := found[p]
	if !ok {
		return nil
	}
	delete(found, p)
	for _, ref := range sub.References {
		if err := s.sequential(ctx, ref, found); err != nil {
			return err
		}
	}
	for _, o := range s.offersOf(ctx, p) {
		if err := s.take(ctx, o, s.store.AddNAR); err != nil {
			return err
		}
	}
	return nil
}
