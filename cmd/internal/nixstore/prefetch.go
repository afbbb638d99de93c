package nixstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/hash"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/derivation/fetch"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Prefetch is gonix prefetch-url, which is nix-prefetch-url: it downloads
// to the store and prints the hash.
func Prefetch(ctx context.Context, w *process.World, name string, args []string) error {
	f := &Flags{}
	var algoName, objectName string
	var unpack, printPath bool
	fs := config.NewFlagSet(name)
	fs.StringVar(&algoName, "type", "sha256", "`algorithm` of the hash")
	fs.BoolVar(&printPath, "print-path", w.Getenv("PRINT_PATH") == "1", "print the store path, too")
	fs.BoolVar(&unpack, "unpack", false, "add the content of the archive")
	fs.StringVar(&objectName, "name", "", "`name` of the store path")
	f.DeclareSettings(fs)
	fs.BoolVar(&f.Quiet, "quiet", false, "show errors only")
	f.DeclareLast(fs)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"[FLAG]... URL [HASH]"},
		About: "Download a file to the store, unless what has the hash is there, and print its\nhash.",
	})
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case len(f.Args) == 0:
		return errors.New("you must specify a URL")
	case len(f.Args) > 2:
		return errors.New("too many arguments")
	}
	algo, err := nixhash.ParseAlgorithm(algoName)
	if err != nil {
		return err
	}
	src := Prefetched{URL: f.Args[0], Name: objectName, Unpack: unpack, Algo: algo}
	if src.Name == "" {
		src.Name = URLName(src.URL)
	}
	if err := storepath.CheckName(src.Name); err != nil {
		return fmt.Errorf("%w (give another one with --name)", err)
	}
	if len(f.Args) == 2 {
		if src.Want, err = nixhash.Parse(f.Args[1], algo); err != nil {
			return err
		}
	}
	x, shut, err := Open(ctx, w, f, set, false)
	if err != nil {
		return err
	}
	defer shut()
	p, hash, err := x.Download(src)
	if err != nil {
		return err
	}
	x.Progress.Close()
	if !printPath {
		x.Info(fmt.Sprintf("path is '%s'", p))
	}
	if hash.Algo == nixhash.MD5 {
		x.Println(hash.Base16())
	} else {
		x.Println(hash.Base32())
	}
	if printPath {
		x.Println(p)
	}
	return x.End(nil)
}

// Download downloads src unless the store has what has the wanted hash.
func (x *Run) Download(src Prefetched) (storepath.Path, nixhash.Hash, error) {
	if !src.Want.IsZero() {
		p, err := storepath.FixedOutput(src.Name, src.Unpack, src.Want, nil, false)
		if err != nil {
			return p, src.Want, err
		}
		if err := x.Store.TempRoot(p); err != nil {
			return p, src.Want, err
		}
		if ok, err := x.Store.IsValid(x.Context, p); ok || err != nil {
			return p, src.Want, err
		}
	}
	x.Progress.SetStage("downloading " + src.URL)
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
	if _, err := network.Downloader(x.World, x.Settings, x.Store).Fetch(x.Context, fetch.Request{URL: src.URL}, f); err != nil {
		return storepath.Path{}, src.Want, err
	}
	root := f.Name()
	if src.Unpack {
		if root, _, err = fetch.Extract(x.Context, filepath.Join(dir, "tree"), root); err != nil {
			return storepath.Path{}, src.Want, fmt.Errorf("unpack '%s': %w", src.URL, err)
		}
	}
	return x.addPrefetched(src, root)
}

// addPrefetched adds what was downloaded, if it has the wanted hash.
func (x *Run) addPrefetched(src Prefetched, root string) (storepath.Path, nixhash.Hash, error) {
	algo := src.Algo
	if !src.Want.IsZero() {
		algo = src.Want.Algo
	}
	h := algo.New()
	var err error
	if src.Unpack {
		err = nar.Dump(h, root)
	} else {
		err = hash.CopyFile(h, root)
	}
	if err != nil {
		return storepath.Path{}, src.Want, err
	}
	got := nixhash.Of(algo, h)
	if !src.Want.IsZero() && !got.Equal(src.Want) {
		return storepath.Path{}, got, fmt.Errorf("hash mismatch for '%s':\n  specified: %s\n  got:       %s", src.URL, src.Want.SRI(), got.SRI())
	}
	p, err := x.Store.AddPath(x.Context, src.Name, root, store.Ingestion{Flat: !src.Unpack, Algo: algo})
	return p, got, err
}

// Prefetched is something to download to the store.
type Prefetched struct {
	URL    string
	Name   string // of the store object
	Unpack bool   // the tree in the archive becomes the object
	Algo   nixhash.Algorithm
	Want   nixhash.Hash // zero if any will do
}

// URLName is the last part of a URL's path.
func URLName(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	return path.Base(url)
}
