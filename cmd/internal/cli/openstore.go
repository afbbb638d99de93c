package cli

import (
	"context"

	"gonix/derivation/store"
	"gonix/derivation/store/gc"
)

// openStore opens the store that the command line names, to write to it, as the
// settings say.
func (w *world) openStore(f *evalFlags, set *settings, p *progress) (*store.Local, error) {
	at, err := w.storePlace(f.store)
	if err != nil {
		return nil, err
	}
	var st *store.Local
	keeper := &gc.Keeper{
		MinFree: set.MinFree, MaxFree: set.MaxFree, Interval: set.MinFreeCheckInterval,
		Bonds: set.bonds(),
		Info:  func(text string) { p.printf("%s", text) },
	}
	st, err = at.open(store.Options{
		Waiting:  func(what string) { p.printf("waiting for %s...", what) },
		Optimise: set.AutoOptimise,
		MakeRoom: func(ctx context.Context) error { return keeper.MakeRoom(ctx, st) },
	})
	return st, err
}

// openStoreAt opens the store that a word as after --store names.
func (w *world) openStoreAt(word string, opts store.Options) (*store.Local, error) {
	at, err := w.storePlace(word)
	if err != nil {
		return nil, err
	}
	return at.open(opts)
}

// bonds are what keeps objects alive besides references.
func (s *settings) bonds() store.Bonds {
	return store.Bonds{Outputs: s.KeepOutputs, Derivers: s.KeepDerivations}
}
