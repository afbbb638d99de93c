package nix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/binarycache"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// openRemote begins a run whose store is a binary cache.
func (f *flags) openRemote(ctx context.Context, w *process.World, set *config.Settings) (*run, func(), error) {
	if f.file != "" || f.expr != "" {
		return nil, nil, errors.New("--file and --expr need a store of this machine; name store paths")
	}
	inner, shut, err := nixstore.Open(ctx, w, &f.Flags, set, true)
	if err != nil {
		return nil, nil, err
	}
	inner.Caches = &network.Caches{World: w, Settings: set, Progress: inner.Progress}
	cache, err := inner.Caches.Store(f.Store)
	if err != nil {
		shut()
		return nil, nil, err
	}
	return &run{inner, cache}, func() { inner.Caches.Close(); shut() }, nil
}

// follow is Follow, where the store may be a cache.
func (x *run) follow(name string) (storepath.Path, error) {
	if x.remote != nil {
		return stores.PathOf(x.World, nil, name)
	}
	return x.Follow(name)
}

// adder is where new objects go.
func (x *run) adder() store.Adder {
	if x.remote != nil {
		return x.remote
	}
	return x.Store
}

// info is what the store knows of a path.
func (x *run) info(p storepath.Path) (*store.Info, error) {
	if x.remote != nil {
		return x.remote.Info(x.Context, p)
	}
	return x.Store.Info(x.Context, p)
}

// all are the paths of the store.
func (x *run) all() ([]storepath.Path, error) {
	if x.remote != nil {
		return x.remote.All(x.Context)
	}
	return x.Store.All(x.Context)
}

// closure is all that the paths need.
func (x *run) closure(paths ...storepath.Path) ([]storepath.Path, error) {
	if x.remote == nil {
		return x.Store.Closure(x.Context, paths...)
	}
	infos, err := binarycache.Closure(x.Context, x.remote.Cache, paths, max(x.Settings.Connections, 1))
	if err != nil {
		return nil, fmt.Errorf("find what the paths need: %w", err)
	}
	return slices.SortedFunc(maps.Keys(infos), storepath.Compare), nil
}

// sorted puts paths behind what they need.
func (x *run) sorted(paths []storepath.Path) ([]storepath.Path, error) {
	if x.remote != nil {
		return store.TopoSort(x.Context, x.remote, paths)
	}
	return store.TopoSort(x.Context, x.Store, paths)
}
