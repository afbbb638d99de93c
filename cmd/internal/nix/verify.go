package nix

import (
	"context"
	"fmt"

	"gonix/cmd/internal/process"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store/verify"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

// storeVerify is nix store verify: it checks the content of paths.
func storeVerify(ctx context.Context, w *process.World, name string, args []string) error {
	var all, recursive, noContents, noTrust bool
	var needed int
	return storeCommand(ctx, w, name, args, true, func(f *flags, fs flagSet) {
		fs.BoolVar(&all, "all", false, "all paths of the store")
		fs.BoolVarP(&recursive, "recursive", "r", false, "what the paths need, too")
		fs.BoolVar(&noContents, "no-contents", false, "do not check contents")
		fs.IntVarP(&needed, "sigs-needed", "n", 0, "`number` of valid signatures that each path must have; 0 for one, or none where it was built here")
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
			if untrusted, err = x.untrusted(paths, needed); err != nil {
				return err
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
		return x.all()
	}
	list, err := x.installables(f)
	if err != nil {
		return nil, err
	}
	paths, err := x.pathsOf(f, list)
	if err != nil || !recursive {
		return paths, err
	}
	closure, err := x.closure(paths...)
	if err != nil {
		return nil, err
	}
	return x.sorted(closure)
}

// untrusted counts, and tells, the paths that have too few signatures by trusted
// keys.
func (x *run) untrusted(paths []storepath.Path, needed int) (n int, err error) {
	keys, err := signature.ParseKeys(x.Settings.TrustedKeys)
	if err != nil {
		return 0, fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	for _, p := range paths {
		info, err := x.info(p)
		if err != nil {
			return n, err
		}
		if info.Ultimate && needed == 0 {
			continue
		}
		ok, err := substitute.Trusted(&narinfo.Info{Info: *info}, keys, max(needed, 1))
		if err != nil {
			return n, err
		}
		if !ok {
			x.Progress.Printf("error: path '%s' is untrusted", p)
			n++
		}
	}
	return n, nil
}
