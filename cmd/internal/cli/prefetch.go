package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"gonix/derivation/fetch"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// prefetchCommand is gonix prefetch-url, which is nix-prefetch-url: it downloads
// to the store and prints the hash.
func prefetchCommand(ctx context.Context, w *world, name string, args []string) error {
	f := &storeFlags{}
	var algoName, objectName string
	var unpack, printPath bool
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringVar(&algoName, "type", "sha256", "`algorithm` of the hash")
	fs.BoolVar(&printPath, "print-path", w.getenv("PRINT_PATH") == "1", "print the store path, too")
	fs.BoolVar(&unpack, "unpack", false, "add the content of the archive")
	fs.StringVar(&objectName, "name", "", "`name` of the store path")
	f.declareSettings(fs)
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	f.declareLast(fs)
	if err := f.parse(fs, args); err != nil {
		return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
	}
	switch {
	case f.help:
		fmt.Fprintf(w.stdout, "Usage: %s [FLAG]... URL [HASH]\n\nDownload a file to the store, unless what has the hash is there, and print its\nhash.\n\n%s", name, fs.FlagUsages())
		return nil
	case f.version:
		fmt.Fprintf(w.stdout, "%s (gonix) %s\n", name, version)
		return nil
	case len(f.files) == 0:
		return errors.New("you must specify a URL")
	case len(f.files) > 2:
		return errors.New("too many arguments")
	}
	algo, err := nixhash.ParseAlgorithm(algoName)
	if err != nil {
		return err
	}
	src := fetch.Source{URL: f.files[0], Name: objectName, Unpack: unpack, Algo: algo}
	if src.Name == "" {
		src.Name = urlName(src.URL)
	}
	if err := storepath.CheckName(src.Name); err != nil {
		return fmt.Errorf("%w (give another one with --name)", err)
	}
	if len(f.files) == 2 {
		if src.Want, err = nixhash.Parse(f.files[1], algo); err != nil {
			return err
		}
	}
	x, shut, err := newStoreRun(ctx, w, f, false)
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
func (x *storeRun) prefetch(src fetch.Source) (storepath.Path, nixhash.Hash, error) {
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
	p, got, err := downloader(x.w, x.set, x.st).Add(x.ctx, x.st, src)
	if err == nil && !src.Want.IsZero() && !got.Equal(src.Want) {
		err = fmt.Errorf("hash mismatch for '%s':\n  specified: %s\n  got:       %s", src.URL, src.Want.SRI(), got.SRI())
	}
	return p, got, err
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
