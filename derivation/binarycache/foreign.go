package binarycache

import (
	"context"
	"fmt"
	"slices"

	"gonix/derivation/narinfo"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Foreign reports whether the cache is for stores with another directory than
// ours. Of its objects only those can be used whose paths follow from their
// content: they have other paths there.
func (c *Cache) Foreign() bool { return c.config.StoreDir != storepath.Dir }

// InfoOf returns what a foreign cache says about the object that is at p here and
// has the content address ca; the error wraps store.ErrNotFound if it has none.
func (c *Cache) InfoOf(ctx context.Context, p storepath.Path, ca string) (*narinfo.Info, error) {
	recursive, hash, ok := store.ParseFixedCA(ca)
	if !ok {
		return nil, fmt.Errorf("path '%s' is not in '%s': %w", p, c, store.ErrNotFound)
	}
	there, err := storepath.FixedOutputIn(c.config.StoreDir, p.Name(), recursive, hash)
	if err != nil {
		return nil, err
	}
	info, err := c.Info(ctx, there)
	if err != nil {
		return nil, err
	}
	if len(info.References) > 0 || info.CA != ca {
		return nil, fmt.Errorf("path '%s' is not in '%s': %w", p, c, store.ErrNotFound)
	}
	moved := *info
	moved.Path, moved.Deriver, moved.Sigs = p, storepath.Path{}, nil
	moved.References = slices.Clone(info.References)
	return &moved, nil
}
