package expression

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/realise"
	"gonix/cmd/internal/stores"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/fetch/tree"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/instantiate"
	"gonix/eval/value"
)

// readStore is a store that is opened when something is asked of it for the
// first time, and then only to read: most evaluations need no store at all,
// and one that is not there is empty.
type readStore struct {
	w      *process.World
	set    *config.Settings
	at     *stores.Place // nil for no store
	opened bool
	local  *store.Local

	writes  bool          // it was opened anew, to write to it
	fetcher *tree.Fetcher // once something was fetched
}

var (
	_ store.Store         = (*readStore)(nil)
	_ instantiate.Fetcher = (*readStore)(nil)
)

// open returns the store, nil if there is none.
func (r *readStore) open() (*store.Local, error) {
	if r.opened || r.at == nil {
		return r.local, nil
	}
	st, err := r.at.Open(store.Options{ReadOnly: true})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r.opened = true
	if err == nil {
		r.local = st
	}
	return r.local, nil
}

func (r *readStore) close() {
	if r.local != nil {
		r.local.Close()
	}
}

// Info implements [store.Store].
func (r *readStore) Info(ctx context.Context, p storepath.Path) (*store.Info, error) {
	st, err := r.open()
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, fmt.Errorf("path '%s' is not valid: %w", p, store.ErrNotFound)
	}
	return st.Info(ctx, p)
}

// writable opens the store to write to it, once: what is fetched has to be kept.
func (r *readStore) writable() (*store.Local, error) {
	if !r.writes {
		st, err := r.at.Open(store.Options{})
		if err != nil {
			return nil, err
		}
		r.close()
		r.opened, r.writes, r.local = true, true, st
	}
	return r.local, nil
}

// fetching returns what fetches.
func (r *readStore) fetching() (*tree.Fetcher, error) {
	if r.fetcher == nil {
		st, err := r.writable()
		if err != nil {
			return nil, err
		}
		r.fetcher = network.Trees(r.w, r.set, st)
	}
	return r.fetcher, nil
}

// FetchFile implements [instantiate.Fetcher].
func (r *readStore) FetchFile(ctx context.Context, url, name string) (storepath.Path, nixhash.Hash, error) {
	f, err := r.fetching()
	if err != nil {
		return storepath.Path{}, nixhash.Hash{}, err
	}
	return f.FetchFile(ctx, url, name)
}

// FetchTree implements [instantiate.Fetcher].
func (r *readStore) FetchTree(ctx context.Context, in flakeref.Input) (flakeref.Tree, error) {
	f, err := r.fetching()
	if err != nil {
		return flakeref.Tree{}, err
	}
	return f.FetchTree(ctx, in)
}

// file is where the store keeps a file.
func (r *readStore) file(logical string) string { return r.at.RealFile(logical) }

// realise checks that what strings depend on is there. What would have to be
// built is an error.
func (r *readStore) realise(ctx context.Context, elems []value.ContextElem) error {
	for _, e := range elems {
		p, err := storepath.Parse(e.Path)
		if err != nil {
			return err
		}
		if err := r.check(ctx, p); err != nil {
			return err
		}
	}
	goals, err := realise.ImportGoals(r.set, elems)
	if err != nil {
		return err
	}
	for _, g := range goals {
		drv, err := r.local.ReadDerivation(ctx, g.Drv)
		if err != nil {
			return err
		}
		for _, name := range g.Outputs {
			if r.check(ctx, drv.Outputs[name].Path) != nil {
				return &value.Error{Kind: value.EvalError, Recoverable: true, Msg: fmt.Sprintf(
					"cannot build '%s^%s' during evaluation because the store is not written to (use '--read-write-mode')", g.Drv, name)}
			}
		}
	}
	return nil
}

func (r *readStore) check(ctx context.Context, p storepath.Path) error {
	_, err := r.Info(ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return &value.Error{Kind: value.EvalError, Recoverable: true, Msg: fmt.Sprintf("path '%s' is not valid", p)}
	}
	return err
}
