package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

type flagSet = *pflag.FlagSet

// nixStoreRun runs a command of nix store with its store.
func nixStoreRun(ctx context.Context, w *world, name string, args []string, installables bool, declare func(*nixFlags, flagSet), run func(*storeRun, *nixFlags) error) error {
	f, fs := newNixFlags(name, installables)
	if declare != nil {
		declare(f, fs)
	}
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	x, shut, err := newStoreRun(ctx, w, &f.storeFlags, set, false)
	if err != nil {
		return err
	}
	defer shut()
	return x.end(run(x, f))
}

func nixStoreAdd(ctx context.Context, w *world, name string, args []string) error {
	mode, algoName, objectName := "nar", "sha256", ""
	if name == "nix store add-file" {
		mode = "flat"
	}
	return nixStoreRun(ctx, w, name, args, false, func(f *nixFlags, fs flagSet) {
		fs.StringVarP(&objectName, "name", "n", "", "`name` of the store path")
		fs.StringVar(&mode, "mode", mode, "how to hash: nar, flat or text (a `mode`)")
		fs.StringVar(&algoName, "hash-algo", algoName, "`algorithm` of the hash")
		fs.BoolVar(&f.dryRun, "dry-run", false, "print the path, add nothing")
	}, func(x *storeRun, f *nixFlags) error {
		algo, err := nixhash.ParseAlgorithm(algoName)
		if err != nil {
			return err
		}
		for _, arg := range x.args {
			p, err := x.addAs(arg, objectName, mode, algo)
			if err != nil {
				return err
			}
			x.println(p)
		}
		return nil
	})
}

// maxText is the size above which a file is no text to be added.
const maxText = 256 << 20

// addAs adds a file as the mode says.
func (x *storeRun) addAs(arg, name, mode string, algo nixhash.Algorithm) (storepath.Path, error) {
	as := store.Ingestion{Algo: algo}
	switch mode {
	case "nar", "recursive":
	case "flat":
		as.Flat = true
	case "text":
		info, err := os.Stat(x.w.abs(arg))
		if err != nil {
			return storepath.Path{}, err
		}
		if info.Size() > maxText {
			return storepath.Path{}, fmt.Errorf("'%s' is too large to be added as a text", arg)
		}
		text, err := os.ReadFile(x.w.abs(arg))
		if err != nil {
			return storepath.Path{}, err
		}
		if name == "" {
			name = path.Base(x.w.abs(arg))
		}
		return x.st.AddText(x.ctx, name, string(text), nil)
	default:
		return storepath.Path{}, fmt.Errorf("unknown content address method '%s', expect 'nar', 'flat' or 'text'", mode)
	}
	if x.f.dryRun {
		file, err := realParent(x.w.abs(arg))
		if err != nil {
			return storepath.Path{}, err
		}
		if name == "" {
			name = path.Base(file)
		}
		return store.Computing{}.AddTree(x.ctx, name, nar.Tree{Root: file}, as)
	}
	return x.addOne(arg, name, as)
}

// inStore takes a path inside of a store object apart; the object is valid.
func (x *storeRun) inStore(arg string) (storepath.Path, string, error) {
	p, rest, err := storepath.Split(x.st.LogicalFile(x.w.abs(arg)))
	if err != nil {
		return p, "", err
	}
	return p, rest, x.ensureFile(p)
}

func nixStoreCat(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, false, nil, func(x *storeRun, f *nixFlags) error {
		if len(x.args) != 1 {
			return errors.New("the path of a file is needed")
		}
		p, rest, err := x.inStore(x.args[0])
		if err != nil {
			return err
		}
		info, err := os.Lstat(x.st.RealPath(p) + rest)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("path '%s' does not exist", x.args[0])
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("path '%s' is not a regular file", x.args[0])
		}
		x.p.close()
		return copyFile(x.out, x.st.RealPath(p)+rest)
	})
}

func nixStoreLs(ctx context.Context, w *world, name string, args []string) error {
	var lf listFlags
	return nixStoreRun(ctx, w, name, args, false, lf.declare, func(x *storeRun, f *nixFlags) error {
		if len(x.args) != 1 {
			return errors.New("one path is needed")
		}
		p, rest, err := x.inStore(x.args[0])
		if err != nil {
			return err
		}
		l, err := listFiles(x.st.RealPath(p)+rest, strings.TrimPrefix(rest, "/"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("path '%s' does not exist", x.args[0])
		}
		if err != nil {
			return err
		}
		return x.ls(f, lf, l)
	})
}

func nixStoreDelete(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, true, func(f *nixFlags, fs flagSet) {
		fs.BoolVar(&f.ignoreLiveness, "ignore-liveness", false, "delete whatever roots keep")
	}, func(x *storeRun, f *nixFlags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		return x.deletePaths(paths)
	})
}

func nixStoreDump(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, true, nil, func(x *storeRun, f *nixFlags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		if err := x.buildAll(list); err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		x.p.close()
		for _, p := range paths {
			if err := x.ensureFile(p); err != nil {
				return err
			}
			if err := nar.Dump(x.out, x.st.RealPath(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func nixStoreGC(ctx context.Context, w *world, name string, args []string) error {
	limit, dry := "", false
	return nixStoreRun(ctx, w, name, args, false, func(f *nixFlags, fs flagSet) {
		fs.StringVar(&limit, "max", "", "stop after so many `bytes`")
		fs.BoolVar(&dry, "dry-run", false, "delete nothing, say how much would be")
	}, func(x *storeRun, f *nixFlags) error {
		opts := gc.Options{Action: gc.DeleteDead, MaxFreed: math.MaxInt64}
		if limit != "" {
			var err error
			if opts.MaxFreed, err = byteCount(limit); err != nil {
				return fmt.Errorf("'--max': %w", err)
			}
		}
		if !dry {
			return x.collect(opts)
		}
		opts.Action = gc.ReturnDead
		opts.Bonds, opts.Info = bonds(x.set), x.info
		result, err := gc.Collect(ctx, x.st, opts)
		if err == nil {
			fmt.Fprintf(x.out, "%d store paths would be deleted\n", len(result.Paths))
		}
		return err
	})
}

func nixStoreInfo(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, false, func(f *nixFlags, fs flagSet) {
		fs.BoolVar(&f.json, "json", false, "print JSON")
	}, func(x *storeRun, f *nixFlags) error {
		url := "local"
		if x.st.Root() != "/" {
			url = x.st.Root()
		}
		if f.json {
			return writeJSON(x.out, map[string]any{"trusted": true, "url": url, "version": version})
		}
		fmt.Fprintf(x.out, "Store URL: %s\nVersion: %s\nTrusted: 1\n", url, version)
		return nil
	})
}

func nixStoreOptimise(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, false, nil, func(x *storeRun, f *nixFlags) error { return x.optimise() })
}

func nixStoreFromHash(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, false, nil, func(x *storeRun, f *nixFlags) error {
		for _, hash := range x.args {
			p, err := x.st.FromHashPart(ctx, hash)
			if err != nil {
				return err
			}
			if p.IsZero() {
				return fmt.Errorf("there is no store path corresponding to '%s'", hash)
			}
			x.println(p)
		}
		return nil
	})
}

func nixStorePrefetch(ctx context.Context, w *world, name string, args []string) error {
	var objectName, algoName, expected string
	var unpack bool
	return nixStoreRun(ctx, w, name, args, false, func(f *nixFlags, fs flagSet) {
		fs.StringVar(&objectName, "name", "", "`name` of the store path")
		fs.StringVar(&algoName, "hash-type", "sha256", "`algorithm` of the hash")
		fs.StringVar(&expected, "expected-hash", "", "`hash` that it must have")
		fs.BoolVar(&unpack, "unpack", false, "add the content of the archive")
		fs.BoolVar(&f.json, "json", false, "print JSON")
	}, func(x *storeRun, f *nixFlags) error {
		if len(x.args) != 1 {
			return errors.New("one URL is needed")
		}
		algo, err := nixhash.ParseAlgorithm(algoName)
		if err != nil {
			return err
		}
		src := prefetched{URL: x.args[0], Name: objectName, Unpack: unpack, Algo: algo}
		if src.Name == "" {
			src.Name = urlName(src.URL)
		}
		if err := storepath.CheckName(src.Name); err != nil {
			return fmt.Errorf("%w (give another one with --name)", err)
		}
		if expected != "" {
			if src.Want, err = nixhash.Parse(expected, algo); err != nil {
				return err
			}
		}
		p, hash, err := x.prefetch(src)
		if err != nil {
			return err
		}
		x.p.close()
		if f.json {
			return writeJSON(x.out, map[string]any{"hash": hash.SRI(), "storePath": p.String()})
		}
		x.info(fmt.Sprintf("Downloaded '%s' to '%s' (hash '%s').", src.URL, p, hash.SRI()))
		return nil
	})
}

func nixStoreRepair(ctx context.Context, w *world, name string, args []string) error {
	return nixStoreRun(ctx, w, name, args, true, nil, func(x *storeRun, f *nixFlags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		for _, p := range paths {
			if err := x.mend(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}
