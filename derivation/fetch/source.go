package fetch

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonix/derivation/build"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Source is something that is fetched while an expression is evaluated, rather
// than by a derivation.
type Source struct {
	URL    string
	Name   string       // of the store object
	Unpack bool         // the tree in the archive becomes the object, without its one top folder
	Want   nixhash.Hash // of the file, or of the tree's NAR; zero if any will do
}

// Add downloads src into st. If its hash is not the one that is wanted, nothing
// is added and got says what it is. (Nix: fetchers/tarball.cc, downloadFile and
// downloadTarball)
func (u *URL) Add(ctx context.Context, st *store.Local, src Source) (path storepath.Path, got nixhash.Hash, err error) {
	dir, err := os.MkdirTemp("", "gonix-fetch-")
	if err != nil {
		return path, got, err
	}
	defer store.RemoveTree(dir)
	job := &build.Job{Log: io.Discard, TmpDir: dir, Report: func(build.Event) {}}
	file, done, err := u.fetch(ctx, job, []string{src.URL}, nil)
	if err != nil {
		return path, got, err
	}
	defer done()
	algo := nixhash.SHA256
	if !src.Want.IsZero() {
		algo = src.Want.Algo
	}
	tree := nar.Tree{FS: nar.OS{}, Root: file.Name()}
	if src.Unpack {
		tree.Root = filepath.Join(dir, "tree")
		if err := unpackTo(ctx, tree.Root, file.Name()); err != nil {
			return path, got, fmt.Errorf("unpack '%s': %w", src.URL, err)
		}
		h := algo.New()
		if err := tree.Dump(h); err != nil {
			return path, got, err
		}
		got = nixhash.Of(algo, h)
	} else if got, err = hashFile(file, algo); err != nil {
		return path, got, err
	}
	if !src.Want.IsZero() && !got.Equal(src.Want) {
		return path, got, nil
	}
	path, err = st.AddTree(ctx, src.Name, tree, store.Ingestion{Flat: !src.Unpack, Algo: algo})
	return path, got, err
}

// unpackTo takes one archive apart into the new folder dest.
func unpackTo(ctx context.Context, dest, archive string) error {
	if err := os.Mkdir(dest, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		return err
	}
	defer root.Close()
	t := &tree{ctx: ctx, root: root, strip: true}
	return t.unpack(archive)
}
