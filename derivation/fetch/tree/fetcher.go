package tree

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"gonix/derivation/fetch"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Fetcher fetches. All fields but Warn are required.
type Fetcher struct {
	Store *store.Local
	URL   *fetch.URL
	// Cache is a folder for copies of repositories and for what is known of
	// addresses.
	Cache string
	Cwd   string // what relative addresses of repositories are relative to
	// TTL is how long an address is taken to have what it had (Nix:
	// tarball-ttl).
	TTL  time.Duration
	Now  func() time.Time
	Warn func(msg string)
	// Tokens are passwords by host or host/path (Nix: access-tokens).
	Tokens map[string]string
	// Authorities is what [git.Mirror] has.
	Authorities func() ([]byte, error)
	// RefuseDirty makes uncommitted changes an error, QuietDirty does not warn
	// of them (Nix: allow-dirty, warn-dirty).
	RefuseDirty, QuietDirty bool
}

// source is a tree that is not in the store yet, or is there already.
type source struct {
	tree  nar.Tree
	path  storepath.Path // zero: tree is to be added
	input flakeref.Input
	count func() (uint64, error)
	key   string // names what is always the same tree; "" if nothing does
}

// FetchTree brings an input into the store. If it is another tree than the one
// that was asked for, the error wraps a [flakeref.MismatchError].
func (f *Fetcher) FetchTree(ctx context.Context, in flakeref.Input) (flakeref.Tree, error) {
	var none flakeref.Tree
	if !in.Known() {
		return none, fmt.Errorf("cannot fetch unsupported input '%s'", in.Attrs.JSON())
	}
	want, err := in.NARHash()
	if err != nil {
		return none, err
	}
	if in.Final() && !want.IsZero() {
		if p, ok, err := f.present(ctx, in.Name(), want); ok || err != nil {
			return flakeref.Tree{Path: p, Input: in}, err
		}
	}
	src, cleanup, err := f.source(ctx, in)
	if err != nil {
		return none, err
	}
	defer cleanup()
	src.input = src.input.With("__final", flakeref.Flag(true))
	if err := checkLocks(in, &src.input); err != nil {
		return none, err
	}
	path, hash, err := f.add(ctx, src)
	if err != nil {
		return none, err
	}
	if !want.IsZero() && !hash.Equal(want) {
		return none, &flakeref.MismatchError{Stored: true, Msg: fmt.Sprintf("NAR hash mismatch in input '%s', expected '%s' but got '%s'", in, want.SRI(), hash.SRI())}
	}
	src.input = src.input.With("narHash", flakeref.Text(hash.SRI()))
	if _, given := src.input.Number("revCount"); given {
		src.count = nil
	}
	return flakeref.Tree{Path: path, Input: src.input, RevCount: src.count}, nil
}

// source finds the tree, which lasts until cleanup is called.
func (f *Fetcher) source(ctx context.Context, in flakeref.Input) (src source, cleanup func(), err error) {
	cleanup = func() {}
	switch in.Type() {
	case "path":
		src, err = f.path(ctx, in)
	case "file":
		src, err = f.file(ctx, in)
	case "tarball":
		src, cleanup, err = f.tarball(ctx, in)
	case "github", "gitlab", "sourcehut":
		src, cleanup, err = f.forge(ctx, in)
	case "git":
		src, err = f.git(ctx, in)
	case "indirect":
		err = fmt.Errorf("indirect input '%s' cannot be fetched directly", in)
	default:
		err = fmt.Errorf("input '%s' cannot be fetched: there is no reader of Mercurial repositories here", in)
	}
	return src, cleanup, err
}

// present looks for a tree by its hash.
func (f *Fetcher) present(ctx context.Context, name string, hash nixhash.Hash) (p storepath.Path, ok bool, err error) {
	p, err = storepath.FixedOutput(name, true, hash, nil, false)
	if err != nil {
		return p, false, err
	}
	_, err = f.Store.Info(ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return p, false, nil
	}
	return p, err == nil, err
}

// add brings a source into the store.
func (f *Fetcher) add(ctx context.Context, src source) (storepath.Path, nixhash.Hash, error) {
	name := src.input.Name()
	if !src.path.IsZero() && src.path.Name() == name {
		info, err := f.Store.Info(ctx, src.path)
		if err != nil {
			return src.path, nixhash.Hash{}, err
		}
		return src.path, info.NarHash, nil
	}
	if src.key != "" {
		var known struct{ NARHash string }
		if f.recall("tree", src.key, &known) {
			if h, err := nixhash.ParseSRI(known.NARHash); err == nil {
				if p, ok, err := f.present(ctx, name, h); ok || err != nil {
					return p, h, err
				}
			}
		}
	}
	p, err := f.Store.AddTree(ctx, name, src.tree, store.Ingestion{})
	if err != nil {
		return p, nixhash.Hash{}, err
	}
	info, err := f.Store.Info(ctx, p)
	if err != nil {
		return p, nixhash.Hash{}, err
	}
	if src.key != "" {
		f.remember("tree", src.key, struct{ NARHash string }{info.NarHash.SRI()})
	}
	return p, info.NarHash, nil
}

// checkLocks compares what was fetched with what was asked for (Nix:
// Input::checkLocks).
func checkLocks(asked flakeref.Input, got *flakeref.Input) error {
	if asked.Final() {
		want := maps.Clone(asked.Attrs)
		if h, err := asked.NARHash(); err == nil && !h.IsZero() {
			want["narHash"] = flakeref.Text(h.SRI())
		}
		for _, name := range want.Names() {
			if v, ok := got.Attrs[name]; ok && v != want[name] {
				return fmt.Errorf("mismatch in field '%s' of input '%s', got '%s'", name, want.JSON(), got.Attrs.JSON())
			}
		}
		got.Attrs = want
		return nil
	}
	want, err := asked.NARHash()
	if err != nil {
		return err
	}
	if have, err := got.NARHash(); !want.IsZero() && (err != nil || !have.Equal(want)) {
		text := "none"
		if !have.IsZero() {
			text = "'" + have.SRI() + "'"
		}
		return &flakeref.MismatchError{Msg: fmt.Sprintf("NAR hash mismatch in input '%s', expected '%s' but got %s", asked, want.SRI(), text)}
	}
	if n, given := asked.Number("lastModified"); given {
		if have, _ := got.Number("lastModified"); have != n {
			return fmt.Errorf("'lastModified' attribute mismatch in input '%s', expected %d, got %d", got, n, have)
		}
	}
	rev, err := asked.Rev()
	if err != nil {
		return err
	}
	if have, err := got.Rev(); rev != "" && (err != nil || have != rev) {
		return fmt.Errorf("'rev' attribute mismatch in input '%s', expected %s", got, rev)
	}
	if n, given := asked.Number("revCount"); given {
		if have, _ := got.Number("revCount"); have != n {
			return fmt.Errorf("'revCount' attribute mismatch in input '%s', expected %d", got, n)
		}
	}
	return nil
}
