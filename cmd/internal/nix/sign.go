package nix

import (
	"context"
	"errors"
	"fmt"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/derivation/binarycache"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// signCommand adds signatures to what the store knows about paths.
func signCommand(ctx context.Context, w *process.World, name string, args []string) error {
	var files []string
	var recursive, all bool
	return storeCommand(ctx, w, name, args, true, func(f *flags, fs flagSet) {
		f.foreign, f.remote = true, true
		f.usage = config.Usage{
			Forms: []string{"-k FILE [FLAG]... INSTALLABLE..."},
			About: "Sign store paths with a secret key (see gonix key generate).",
		}
		fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key (repeatable)")
		fs.BoolVarP(&recursive, "recursive", "r", false, "sign what the paths refer to, too")
		fs.BoolVar(&all, "all", false, "sign everything")
	}, func(x *run, f *flags) error {
		if len(files) == 0 {
			return config.SeeHelp(errors.New("name the file of a secret key with '-k'"), name)
		}
		keys, err := network.SecretKeys(w, files)
		if err != nil {
			return err
		}
		paths, err := x.verifySubjects(f, all, recursive)
		if err != nil {
			return err
		}
		added, err := x.sign(paths, keys)
		if err == nil {
			x.Info(fmt.Sprintf("added %d signatures", added))
		}
		return err
	})
}

// sign signs all paths, in one transaction if it is a store of this machine, and
// counts the new signatures.
func (x *run) sign(paths []storepath.Path, keys []signature.SecretKey) (added int, err error) {
	var infos []store.Info
	for _, p := range paths {
		info, err := x.info(p)
		if err != nil {
			return 0, err
		}
		before := len(info.Sigs)
		signed := *info
		if err := binarycache.Sign(&signed, keys); err != nil {
			return 0, err
		}
		if len(signed.Sigs) > before {
			added += len(signed.Sigs) - before
			infos = append(infos, signed)
		}
	}
	if x.remote == nil {
		return added, x.Store.Register(x.Context, infos)
	}
	for _, info := range infos {
		n, err := x.remote.Cache.Info(x.Context, info.Path)
		if err != nil {
			return 0, err
		}
		published := *n
		published.Info = info
		if err := x.remote.Publish(x.Context, &published); err != nil {
			return 0, err
		}
	}
	return added, nil
}
