package cli

import (
	"context"
	"fmt"

	"gonix/derivation/store"
	"gonix/derivation/store/verify"
	"gonix/derivation/storepath"
)

// nixStoreVerify is nix store verify: it checks the content of paths.
func nixStoreVerify(ctx context.Context, w *world, name string, args []string) error {
	var all, recursive, noContents, noTrust bool
	return nixStoreRun(ctx, w, name, args, true, func(f *nixFlags, fs flagSet) {
		fs.BoolVar(&all, "all", false, "all paths of the store")
		fs.BoolVarP(&recursive, "recursive", "r", false, "what the paths need, too")
		fs.BoolVar(&noContents, "no-contents", false, "do not check contents")
		fs.BoolVar(&noTrust, "no-trust", false, "do not check whether paths are signed")
	}, func(x *storeRun, f *nixFlags) error {
		paths, err := x.verifySubjects(f, all, recursive)
		if err != nil {
			return err
		}
		bad, untrusted := 0, 0
		if !noContents {
			damaged, err := verify.Contents(ctx, x.st, paths)
			if err != nil {
				return err
			}
			for _, d := range damaged {
				x.p.printf("error: %s", d)
			}
			bad = len(damaged)
		}
		if !noTrust {
			for _, p := range paths {
				info, err := x.st.Info(ctx, p)
				if err != nil {
					return err
				}
				if !info.Ultimate && info.CA == "" && len(info.Sigs) == 0 {
					x.p.printf("error: path '%s' is untrusted", p)
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
			return exitError{status}
		}
		return nil
	})
}

func (x *storeRun) verifySubjects(f *nixFlags, all, recursive bool) ([]storepath.Path, error) {
	if all {
		return x.st.All(x.ctx)
	}
	list, err := x.installables(f)
	if err != nil {
		return nil, err
	}
	paths, err := x.pathsOf(f, list)
	if err != nil || !recursive {
		return paths, err
	}
	closure, err := x.st.Closure(x.ctx, paths...)
	if err != nil {
		return nil, fmt.Errorf("find what the paths need: %w", err)
	}
	return store.TopoSort(x.ctx, x.st, closure)
}
