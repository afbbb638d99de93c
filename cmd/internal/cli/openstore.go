package cli

import (
	"context"

	"gonix/derivation/store"
	"gonix/derivation/store/gc"
)

// openStore opens the store that a word as after --store names, to write to it,
// as the settings say.
func openStore(w *world, word string, set *settings, p *progress) (*store.Local, error) {
	at, err := storePlace(w, word)
	if err != nil {
		return nil, err
	}
	var st *store.Local
	keeper := &gc.Keeper{
		MinFree: set.MinFree, MaxFree: set.MaxFree, Interval: set.MinFreeCheckInterval,
		Bonds: bonds(set),
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
func openStoreAt(w *world, word string, opts store.Options) (*store.Local, error) {
	at, err := storePlace(w, word)
	if err != nil {
		return nil, err
	}
	return at.open(opts)
}

// bonds are what keeps objects alive besides references.
func bonds(s *settings) store.Bonds {
	return store.Bonds{Outputs: s.KeepOutputs, Derivers: s.KeepDerivations}
}
