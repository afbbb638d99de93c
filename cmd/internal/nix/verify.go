package nix

import (
	"context"
	"fmt"

	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/derivation/store/verify"
	"gonix/derivation/storepath"
)

// storeVerify is nix store verify: it checks the content of paths.
func storeVerify(ctx context.Context, w *process.World, name string, args []string) error {
	var all, recursive, noContents, noTrust bool
	return storeCommand(ctx, w, name, args, true, func(f *flags, fs flagSet) {
		fs.BoolVar(&all, "all", false, "all paths of the store")
		fs.BoolVarP(&recursive, "recursive", "r", false, "what the paths need, too")
		fs.BoolVar(&noContents, "no-contents", false, "do not check contents")
		fs.BoolVar(&noTrust, "no-trust", false, "do not check whether paths are signed")
	}, func(x *run, f *flags) error {
		paths, err := x.verifySubjects(f, all, recursive)
		if err != nil {
			return err
		}
		bad, untrusted := 0, 0
		if !noContents {
			damaged, err := verify.Contents(ctx, x.Store, paths)
			if err != nil {
				return err
			}
			for _, d := range damaged {
				x.Progress.Printf("error: %s", d)
			}
			bad = len(damaged)
		}
		if !noTrust {
			for _, p := range paths {
				info, err := x.Store.Info(ctx, p)
				if err != nil {
					return err
				}
				if !info.Ultimate && info.CA == "" && len(info.Sigs) == 0 {
					x.Progress.Printf("error: path '%s' is untrusted", p)
					untrusted++
				}
			}
		}
		// The bits that nix store verify exits with.
		status := 0
		if bad > 0 {
			status |= 1
		}
		if untrusted > 0 {
			status |= 2
		}
		if status != 0 {
			return process.Exit(status)
		}
		return nil
	})
}

func (x *run) verifySubjects(f *flags, all, recursive bool) ([]storepath.Path, error) {
	if all {
		return x.Store.All(x.Context)
	}
	list, err := x.installables(f)
	if err != nil {
		return nil, err
	}
	paths, err := x.pathsOf(f, list)
	if err != nil || !recursive {
		return paths, err
	}
	closure, err := x.Store.Closure(x.Context, paths...)
	if err != nil {
		return nil, fmt.Errorf("find what the paths need: %w", err)
	}
	return store.TopoSort(x.Context, x.Store, closure)
}
