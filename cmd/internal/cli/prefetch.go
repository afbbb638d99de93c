package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gonix/derivation/fetch"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// prefetchCommand is gonix prefetch-url, which is nix-prefetch-url: it downloads
// to the store and prints the hash.
func prefetchCommand(ctx context.Context, w *world, name string, args []string) error {
	f := &storeFlags{}
	var algoName, objectName string
	var unpack, printPath bool
	fs := newFlagSet(name)
	fs.StringVar(&algoName, "type", "sha256", "`algorithm` of the hash")
	fs.BoolVar(&printPath, "print-path", w.getenv("PRINT_PATH") == "1", "print the store path, too")
	fs.BoolVar(&unpack, "unpack", false, "add the content of the archive")
	fs.StringVar(&objectName, "name", "", "`name` of the store path")
	f.declareSettings(fs)
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	f.declareLast(fs)
	set, stop, err := begin(w, f, fs, args, usage{
		forms: []string{"[FLAG]... URL [HASH]"},
		about: "Download a file to the store, unless what has the hash is there, and print its\nhash.",
	})
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case len(f.args) == 0:
		return errors.New("you must specify a URL")
	case len(f.args) > 2:
		return errors.New("too many arguments")
	}
	algo, err := nixhash.ParseAlgorithm(algoName)
	if err != nil {
		return err
	}
	src := prefetched{URL: f.args[0], Name: objectName, Unpack: unpack, Algo: algo}
	if src.Name == "" {
		src.Name = urlName(src.URL)
	}
	if err := storepath.CheckName(src.Name); err != nil {
		return fmt.Errorf("%w (give another one with --name)", err)
	}
	if len(f.args) == 2 {
		if src.Want, err = nixhash.Parse(f.args[1], algo); err != nil {
			return err
		}
	}
	x, shut, err := newStoreRun(ctx, w, f, set, false)
	if err != nil {
		return err
	}
	defer shut()
	p, hash, err := x.prefetch(src)
	if err != nil {
		return err
	}
	x.p.close()
	if !printPath {
		x.info(fmt.Sprintf("path is '%s'", p))
	}
	if hash.Algo == nixhash.MD5 {
		x.println(hash.Base16())
	} else {
		x.println(hash.Base32())
	}
	if printPath {
		x.println(p)
	}
	return x.end(nil)
}

// prefetch downloads src unless the store has what has the wanted hash.
func (x *storeRun) prefetch(src prefetched) (storepath.Path, nixhash.Hash, error) {
	if !src.Want.IsZero() {
		p, err := storepath.FixedOutput(src.Name, src.Unpack, src.Want, nil, false)
		if err != nil {
			return p, src.Want, err
		}
		if err := x.st.TempRoot(p); err != nil {
			return p, src.Want, err
		}
		if ok, err := x.st.IsValid(x.ctx, p); ok || err != nil {
			return p, src.Want, err
		}
	}
	x.p.setStage("downloading " + src.URL)
	dir, err := os.MkdirTemp("", "gonix-prefetch-")
	if err != nil {
		return storepath.Path{}, src.Want, err
	}
	defer store.RemoveTree(dir)
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		return storepath.Path{}, src.Want, err
	}
	defer f.Close()
	if _, err := downloader(x.w, x.set, x.st).Fetch(x.ctx, fetch.Request{URL: src.URL}, f); err != nil {
		return storepath.Path{}, src.Want, err
	}
	root := f.Name()
	if src.Unpack {
		if root, _, err = fetch.Extract(x.ctx, filepath.Join(dir, "tree"), root); err != nil {
			return storepath.Path{}, src.Want, fmt.Errorf("unpack '%s': %w", src.URL, err)
		}
	}
	return x.addPrefetched(src, root)
}

// addPrefetched adds what was downloaded, if it has the wanted hash.
func (x *storeRun) addPrefetched(src prefetched, root string) (storepath.Path, nixhash.Hash, error) {
	algo := src.Algo
	if !src.Want.IsZero() {
		algo = src.Want.Algo
	}
	h := algo.New()
	var err error
	if src.Unpack {
		err = nar.Dump(h, root)
	} else {
		err = copyFile(h, root)
	}
	if err != nil {
		return storepath.Path{}, src.Want, err
	}
	got := nixhash.Of(algo, h)
	if !src.Want.IsZero() && !got.Equal(src.Want) {
		return storepath.Path{}, got, fmt.Errorf("hash mismatch for '%s':\n  specified: %s\n  got:       %s", src.URL, src.Want.SRI(), got.SRI())
	}
	p, err := x.st.AddPath(x.ctx, src.Name, root, store.Ingestion{Flat: !src.Unpack, Algo: algo})
	return p, got, err
}

// prefetched is something to download to the store.
type prefetched struct {
	URL    string
	Name   string // of the store object
	Unpack bool   // the tree in the archive becomes the object
	Algo   nixhash.Algorithm
	Want   nixhash.Hash // zero if any will do
}

// urlName is the last part of a URL's path.
func urlName(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	return path.Base(url)
}
