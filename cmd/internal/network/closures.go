package network

import (
	"context"

	"gonix/derivation/binarycache"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
	"gonix/eval/instantiate"
)

// Closures fetches what builtins.fetchClosure names.
type Closures struct {
	Caches *Caches
	Store  func() (*store.Local, error) // opens the store that it goes to
}

var _ instantiate.Closures = (*Closures)(nil)

// open opens both ends.
func (c *Closures) open(cache string) (binarycache.Source, *store.Local, error) {
	from, err := c.Caches.Open(cache, c.Caches.Settings.ConnectTimeout)
	if err != nil {
		return nil, nil, err
	}
	into, err := c.Store()
	return from, into, err
}

// FetchClosure implements [instantiate.Closures].
func (c *Closures) FetchClosure(ctx context.Context, cache string, p storepath.Path) error {
	from, into, err := c.open(cache)
	if err != nil {
		return err
	}
	keys, err := signature.ParseKeys(c.Caches.Settings.TrustedKeys)
	if err != nil {
		return err
	}
	opts := c.Caches.Options()
	opts.Sources, opts.Keys, opts.NoSignatures = []binarycache.Source{from}, keys, !c.Caches.Settings.RequireSigs
	return substitute.New(into, opts).Fetch(ctx, []storepath.Path{p})[p]
}

// ReaddressClosure implements [instantiate.Closures].
func (c *Closures) ReaddressClosure(ctx context.Context, cache string, p storepath.Path) (storepath.Path, error) {
	from, into, err := c.open(cache)
	if err != nil {
		return storepath.Path{}, err
	}
	return substitute.Readdress(ctx, from, into, p)
}
