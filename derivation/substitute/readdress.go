package substitute

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// queries is how many objects are asked for at once.
const queries = 16

// Readdress copies p and all that it refers to from a source into a store, each under
// the path that follows from its content, and returns that of p. Who made them has
// not to be trusted then. References follow, also those of an object to itself. An
// archive is in memory while it is rewritten. (Nix: makeContentAddressed)
func Readdress(ctx context.Context, from binarycache.Source, into *store.Local, p storepath.Path) (storepath.Path, error) {
	closure, err := binarycache.Closure(ctx, from, []storepath.Path{p}, queries)
	if err != nil {
		return storepath.Path{}, err
	}
	copied := make(map[storepath.Path]storepath.Path, len(closure))
	for _, q := range referencesFirst(closure) {
		if copied[q], err = readdress(ctx, from, into, closure[q], copied); err != nil {
			return storepath.Path{}, fmt.Errorf("rewrite '%s': %w", q, err)
		}
	}
	return copied[p], nil
}

// referencesFirst lists objects so that each comes after all that it refers to.
func referencesFirst(closure map[storepath.Path]*narinfo.Info) []storepath.Path {
	order := make([]storepath.Path, 0, len(closure))
	seen := make(map[storepath.Path]bool, len(closure))
	var visit func(p storepath.Path)
	visit = func(p storepath.Path) {
		if seen[p] || closure[p] == nil {
			return
		}
		seen[p] = true
		for _, ref := range closure[p].References {
			visit(ref)
		}
		order = append(order, p)
	}
	for _, p := range slices.SortedFunc(maps.Keys(closure), storepath.Compare) {
		visit(p)
	}
	return order
}

// readdress copies one object; copied are the new paths of what it refers to.
func readdress(ctx context.Context, from binarycache.Source, into *store.Local, old *narinfo.Info, copied map[storepath.Path]storepath.Path) (storepath.Path, error) {
	archive, err := readArchive(ctx, from, old)
	if err != nil {
		return storepath.Path{}, err
	}
	var refs []storepath.Path
	var pairs []string
	self := false
	for _, ref := range old.References {
		if ref == old.Path {
			self = true
			continue
		}
		now := copied[ref]
		refs = append(refs, now)
		if now != ref {
			pairs = append(pairs, ref.String(), now.String())
		}
	}
	if len(pairs) > 0 {
		archive = []byte(strings.NewReplacer(pairs...).Replace(string(archive)))
	}
	hash := hashModulo(archive, old.Path.HashPart())
	info := store.Info{CA: "fixed:r:" + hash.Prefixed32()}
	if info.Path, err = storepath.FixedOutput(old.Path.Name(), true, hash, refs, self); err != nil {
		return storepath.Path{}, err
	}
	archive = bytes.ReplaceAll(archive, []byte(old.Path.HashPart()), []byte(info.Path.HashPart()))
	if self {
		refs = append(refs, info.Path)
	}
	slices.SortFunc(refs, storepath.Compare)
	info.References = slices.Compact(refs)
	info.NarHash, info.NarSize = nixhash.Sum(nixhash.SHA256, archive), int64(len(archive))
	return info.Path, into.AddNAR(ctx, info, bytes.NewReader(archive))
}

// readArchive reads the archive of an object and checks that it is the announced one.
func readArchive(ctx context.Context, from binarycache.Source, info *narinfo.Info) ([]byte, error) {
	r, err := from.Open(ctx, info, func(int64, int64) {})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	archive, err := io.ReadAll(io.LimitReader(r, info.NarSize+1))
	if err != nil {
		return nil, err
	}
	if int64(len(archive)) != info.NarSize {
		return nil, fmt.Errorf("the archive does not have the announced %d bytes", info.NarSize)
	}
	if got := nixhash.Sum(nixhash.SHA256, archive); !got.Equal(info.NarHash) {
		return nil, fmt.Errorf("the archive has %s, not the announced %s", got.SRI(), info.NarHash.SRI())
	}
	return archive, nil
}

// hashModulo is the hash of data in which each part is zeroed. (Nix: HashModuloSink,
// which would add the places of the part, and does so before and after 2.34; but in
// 2.34 it knows of none.)
func hashModulo(data []byte, part string) nixhash.Hash {
	return nixhash.Sum(nixhash.SHA256, bytes.ReplaceAll(data, []byte(part), make([]byte, len(part))))
}
