package store

import (
	"context"

	"gonix/derivation"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Adder is what evaluation needs of a store: a place to put sources, texts and
// derivations, which answers with their paths. [Local], [Memory] and [Computing]
// implement it; they compute the same paths.
type Adder interface {
	// AddText adds a file with the given content that refers to refs, which
	// must be valid.
	AddText(ctx context.Context, name, content string, refs []storepath.Path) (storepath.Path, error)

	// WriteDerivation adds the text of a derivation, named NAME.drv; it refers
	// to the derivation's inputs, which must be valid.
	WriteDerivation(ctx context.Context, d *derivation.Derivation) (storepath.Path, error)

	// AddTree adds the file tree as an object that refers to nothing. The
	// tree's filter is called once for each entry.
	AddTree(ctx context.Context, name string, tree nar.Tree, as Ingestion) (storepath.Path, error)
}

// Ingestion says how the content of a tree becomes a hash and so a path. The
// zero value is what a path in the language means: the SHA-256 of the archive.
type Ingestion struct {
	Flat     bool              // hash the bytes of a single file, not an archive
	Algo     nixhash.Algorithm // Unknown means SHA256
	Expected nixhash.Hash      // if not zero, what the hash must be
	// References are what the object refers to; valid, and only where the SHA-256
	// of the archive is the hash.
	References []storepath.Path
}

func (as Ingestion) algorithm() nixhash.Algorithm {
	switch {
	case as.Algo != nixhash.Unknown:
		return as.Algo
	case !as.Expected.IsZero():
		return as.Expected.Algo
	}
	return nixhash.SHA256
}

// path returns the path of an object whose hash is h.
func (as Ingestion) path(name string, h nixhash.Hash) (storepath.Path, error) {
	return storepath.FixedOutput(name, !as.Flat, h, as.References, false)
}

// ca returns what the database says about the content of an object whose hash
// is h, as Nix's renderContentAddress.
func (as Ingestion) ca(h nixhash.Hash) string {
	if as.Flat {
		return "fixed:" + h.Prefixed32()
	}
	return "fixed:r:" + h.Prefixed32()
}
