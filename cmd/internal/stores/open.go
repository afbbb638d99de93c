package stores

import (
	"context"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/store"
	"gonix/derivation/store/gc"
)

// Open opens the store that a word as after --store names, to write to it,
// as the settings say.
func Open(w *process.World, word string, set *config.Settings, p *terminal.Progress) (*store.Local, error) {
	at, err := Locate(w, word)
	if err != nil {
		return nil, err
	}
	var st *store.Local
	keeper := &gc.Keeper{
		MinFree: set.MinFree, MaxFree: set.MaxFree, Interval: set.MinFreeCheckInterval,
		Bonds: Bonds(set),
		Info:  func(text string) { p.Printf("%s", text) },
	}
	st, err = at.Open(store.Options{
		Waiting:  func(what string) { p.Printf("waiting for %s...", what) },
		Optimise: set.AutoOptimise,
		MakeRoom: func(ctx context.Context) error { return keeper.MakeRoom(ctx, st) },
	})
	return st, err
}

// OpenAt opens the store that a word as after --store names.
func OpenAt(w *process.World, word string, opts store.Options) (*store.Local, error) {
	at, err := Locate(w, word)
	if err != nil {
		return nil, err
	}
	return at.Open(opts)
}

// Bonds are what keeps objects alive besides references.
func Bonds(s *config.Settings) store.Bonds {
	return store.Bonds{Outputs: s.KeepOutputs, Derivers: s.KeepDerivations}
}
