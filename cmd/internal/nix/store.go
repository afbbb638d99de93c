package nix

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

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/hash"
	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

type flagSet = *pflag.FlagSet

// storeCommand runs a command of nix store with its store.
func storeCommand(ctx context.Context, w *process.World, name string, args []string, installables bool, declare func(*flags, flagSet), run func(*run, *flags) error) error {
	f, fs := newFlags(name, installables, declare)
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	x, shut, err := f.open(ctx, w, set, false)
	if err != nil {
		return err
	}
	defer shut()
	return x.End(run(x, f))
}

func storeAdd(ctx context.Context, w *process.World, name string, args []string) error {
	mode, algoName, objectName := "nar", "sha256", ""
	if name == "nix store add-file" {
		mode = "flat"
	}
	return storeCommand(ctx, w, name, args, false, func(f *flags, fs flagSet) {
		f.remote = true
		fs.StringVarP(&objectName, "name", "n", "", "`name` of the store path")
		fs.StringVar(&mode, "mode", mode, "how to hash: nar, flat or text (a `mode`)")
		fs.StringVar(&algoName, "hash-algo", algoName, "`algorithm` of the hash")
		fs.BoolVar(&f.DryRun, "dry-run", false, "print the path, add nothing")
	}, func(x *run, f *flags) error {
		algo, err := nixhash.ParseAlgorithm(algoName)
		if err != nil {
			return err
		}
		for _, arg := range x.Args {
			p, err := x.addAs(arg, objectName, mode, algo)
			if err != nil {
				return err
			}
			x.Println(p)
		}
		return nil
	})
}

// maxText is the size above which a file is no text to be added.
const maxText = 256 << 20

// addAs adds a file as the mode says.
func (x *run) addAs(arg, name, mode string, algo nixhash.Algorithm) (storepath.Path, error) {
	as := store.Ingestion{Algo: algo}
	switch mode {
	case "nar", "recursive":
	case "flat":
		as.Flat = true
	case "text":
		info, err := os.Stat(x.World.Abs(arg))
		if err != nil {
			return storepath.Path{}, err
		}
		if info.Size() > maxText {
			return storepath.Path{}, fmt.Errorf("'%s' is too large to be added as a text", arg)
		}
		text, err := os.ReadFile(x.World.Abs(arg))
		if err != nil {
			return storepath.Path{}, err
		}
		if name == "" {
			name = path.Base(x.World.Abs(arg))
		}
		return x.adder().AddText(x.Context, name, string(text), nil)
	default:
		return storepath.Path{}, fmt.Errorf("unknown content address method '%s', expect 'nar', 'flat' or 'text'", mode)
	}
	file, err := nixstore.RealParent(x.World.Abs(arg))
	if err != nil {
		return storepath.Path{}, err
	}
	if name == "" {
		name = path.Base(x.World.Abs(arg))
	}
	to := x.adder()
	if x.Flags.DryRun {
		to = store.Computing{}
	}
	return to.AddTree(x.Context, name, nar.Tree{Root: file}, as)
}

// inStore takes a path inside of a store object apart; the object is valid.
func (x *run) inStore(arg string) (storepath.Path, string, error) {
	p, rest, err := storepath.Split(x.Store.LogicalFile(x.World.Abs(arg)))
	if err != nil {
		return p, "", err
	}
	return p, rest, x.ensureFile(p)
}

func storeCat(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, false, nil, func(x *run, f *flags) error {
		if len(x.Args) != 1 {
			return errors.New("the path of a file is needed")
		}
		p, rest, err := x.inStore(x.Args[0])
		if err != nil {
			return err
		}
		info, err := os.Lstat(x.Store.RealPath(p) + rest)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("path '%s' does not exist", x.Args[0])
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("path '%s' is not a regular file", x.Args[0])
		}
		x.Progress.Close()
		return hash.CopyFile(x.Out, x.Store.RealPath(p)+rest)
	})
}

func storeLs(ctx context.Context, w *process.World, name string, args []string) error {
	var lf listFlags
	return storeCommand(ctx, w, name, args, false, lf.declare, func(x *run, f *flags) error {
		if len(x.Args) != 1 {
			return errors.New("one path is needed")
		}
		p, rest, err := x.inStore(x.Args[0])
		if err != nil {
			return err
		}
		l, err := listFiles(x.Store.RealPath(p)+rest, strings.TrimPrefix(rest, "/"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("path '%s' does not exist", x.Args[0])
		}
		if err != nil {
			return err
		}
		return x.ls(f, lf, l)
	})
}

func storeDelete(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, true, func(f *flags, fs flagSet) {
		fs.BoolVar(&f.IgnoreLiveness, "ignore-liveness", false, "delete whatever roots keep")
	}, func(x *run, f *flags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		return x.DeletePaths(paths)
	})
}

func storeDump(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, true, nil, func(x *run, f *flags) error {
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
		x.Progress.Close()
		for _, p := range paths {
			if err := x.ensureFile(p); err != nil {
				return err
			}
			if err := nar.Dump(x.Out, x.Store.RealPath(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func storeGC(ctx context.Context, w *process.World, name string, args []string) error {
	limit, dry := "", false
	return storeCommand(ctx, w, name, args, false, func(f *flags, fs flagSet) {
		fs.StringVar(&limit, "max", "", "stop after so many `bytes`")
		fs.BoolVar(&dry, "dry-run", false, "delete nothing, say how much would be")
	}, func(x *run, f *flags) error {
		opts := gc.Options{Action: gc.DeleteDead, MaxFreed: math.MaxInt64}
		if limit != "" {
			var err error
			if opts.MaxFreed, err = config.ByteCount(limit); err != nil {
				return fmt.Errorf("'--max': %w", err)
			}
		}
		if !dry {
			return x.Collect(opts)
		}
		opts.Action = gc.ReturnDead
		opts.Bonds, opts.Info = stores.Bonds(x.Settings), x.Info
		result, err := gc.Collect(ctx, x.Store, opts)
		if err == nil {
			fmt.Fprintf(x.Out, "%d store paths would be deleted\n", len(result.Paths))
		}
		return err
	})
}

func storeInfo(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, false, func(f *flags, fs flagSet) {
		fs.BoolVar(&f.json, "json", false, "print JSON")
	}, func(x *run, f *flags) error {
		url := "local"
		if x.Store.Root() != "/" {
			url = x.Store.Root()
		}
		if f.json {
			return writeJSON(x.Out, map[string]any{"trusted": true, "url": url, "version": process.Version})
		}
		fmt.Fprintf(x.Out, "Store URL: %s\nVersion: %s\nTrusted: 1\n", url, process.Version)
		return nil
	})
}

func storeOptimise(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, false, nil, func(x *run, f *flags) error { return x.Optimise() })
}

func storeFromHash(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, false, nil, func(x *run, f *flags) error {
		for _, hash := range x.Args {
			p, err := x.Store.FromHashPart(ctx, hash)
			if err != nil {
				return err
			}
			if p.IsZero() {
				return fmt.Errorf("there is no store path corresponding to '%s'", hash)
			}
			x.Println(p)
		}
		return nil
	})
}

func storePrefetch(ctx context.Context, w *process.World, name string, args []string) error {
	var objectName, algoName, expected string
	var unpack bool
	return storeCommand(ctx, w, name, args, false, func(f *flags, fs flagSet) {
		fs.StringVar(&objectName, "name", "", "`name` of the store path")
		fs.StringVar(&algoName, "hash-type", "sha256", "`algorithm` of the hash")
		fs.StringVar(&expected, "expected-hash", "", "`hash` that it must have")
		fs.BoolVar(&unpack, "unpack", false, "add the content of the archive")
		fs.BoolVar(&f.json, "json", false, "print JSON")
	}, func(x *run, f *flags) error {
		if len(x.Args) != 1 {
			return errors.New("one URL is needed")
		}
		algo, err := nixhash.ParseAlgorithm(algoName)
		if err != nil {
			return err
		}
		src := nixstore.Prefetched{URL: x.Args[0], Name: objectName, Unpack: unpack, Algo: algo}
		if src.Name == "" {
			src.Name = nixstore.URLName(src.URL)
		}
		if err := storepath.CheckName(src.Name); err != nil {
			return fmt.Errorf("%w (give another one with --name)", err)
		}
		if expected != "" {
			if src.Want, err = nixhash.Parse(expected, algo); err != nil {
				return err
			}
		}
		p, hash, err := x.Download(src)
		if err != nil {
			return err
		}
		x.Progress.Close()
		if f.json {
			return writeJSON(x.Out, map[string]any{"hash": hash.SRI(), "storePath": p.String()})
		}
		x.Info(fmt.Sprintf("Downloaded '%s' to '%s' (hash '%s').", src.URL, p, hash.SRI()))
		return nil
	})
}

func storeRepair(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, true, nil, func(x *run, f *flags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		for _, p := range paths {
			if err := x.Mend(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}
