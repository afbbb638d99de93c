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
		f.foreign = true
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
		added, err := sign(ctx, x.Store, paths, keys)
		if err == nil {
			x.Info(fmt.Sprintf("added %d signatures", added))
		}
		return err
	})
}

// sign signs all paths in one transaction and counts the new signatures.
func sign(ctx context.Context, st *store.Local, paths []storepath.Path, keys []signature.SecretKey) (added int, err error) {
	var infos []store.Info
	for _, p := range paths {
		info, err := st.Info(ctx, p)
		if err != nil {
			return 0, err
		}
		before := len(info.Sigs)
		if err := binarycache.Sign(info, keys); err != nil {
			return 0, err
		}
		if len(info.Sigs) > before {
			added += len(info.Sigs) - before
			infos = append(infos, *info)
		}
	}
	return added, st.Register(ctx, infos)
}
