package binarycache

import (
	"context"
	"fmt"
	"io"
	"slices"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Adder puts sources, texts and derivations into a cache, as if it were a store.
type Adder struct {
	*Cache
	begun bool
}

var (
	_ store.Adder = (*Adder)(nil)
	_ store.Store = (*Adder)(nil)
)

// Info implements [store.Store].
func (a *Adder) Info(ctx context.Context, p storepath.Path) (*store.Info, error) {
	info, err := a.Cache.Info(ctx, p)
	if err != nil {
		return nil, err
	}
	return &info.Info, nil
}

// AddText implements [store.Adder].
func (a *Adder) AddText(ctx context.Context, name, content string, refs []storepath.Path) (storepath.Path, error) {
	info, err := store.PrepareText(name, content, refs)
	if err != nil {
		return storepath.Path{}, err
	}
	return info.Path, a.add(ctx, info, func(w io.Writer) error { return nar.DumpString(w, content) })
}

// WriteDerivation implements [store.Adder].
func (a *Adder) WriteDerivation(ctx context.Context, d *derivation.Derivation) (storepath.Path, error) {
	return a.AddText(ctx, d.Name+storepath.DrvSuffix, string(d.AppendTo(nil)), d.References())
}

// AddTree implements [store.Adder].
func (a *Adder) AddTree(ctx context.Context, name string, tree nar.Tree, as store.Ingestion) (storepath.Path, error) {
	o, err := store.Prepare(ctx, name, tree, as)
	if err != nil {
		return storepath.Path{}, err
	}
	return o.Path, a.add(ctx, &o.Info, o.Dump)
}

// add uploads an object, unless the cache has it.
func (a *Adder) add(ctx context.Context, info *store.Info, dump func(io.Writer) error) error {
	if !a.begun {
		if err := a.Begin(ctx); err != nil {
			return err
		}
		a.begun = true
	}
	if has, err := a.Has(ctx, info.Path); has || err != nil {
		return err
	}
	for _, ref := range info.References {
		has, err := a.Has(ctx, ref)
		if err == nil && !has && ref != info.Path {
			err = fmt.Errorf("cannot add '%s' to the binary cache because the reference '%s' is not valid", info.Path, ref)
		}
		if err != nil {
			return err
		}
	}
	info.References = slices.Clone(info.References)
	n, err := a.Archive(ctx, info, dump)
	if err != nil {
		return err
	}
	return a.Publish(ctx, n)
}
