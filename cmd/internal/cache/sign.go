package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/binarycache"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Sign adds signatures to what the store knows about paths.
func Sign(ctx context.Context, w *process.World, name string, args []string) error {
	var f config.Flags
	var files []string
	var recursive, all bool
	fs := config.NewFlagSet(name)
	fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key (repeatable)")
	fs.BoolVarP(&recursive, "recursive", "r", false, "sign what the paths refer to, too")
	fs.BoolVar(&all, "all", false, "sign everything")
	f.DeclareSettings(fs)
	f.DeclareLast(fs)
	set, stop, err := config.Begin(w, &f, fs, args, config.Usage{
		Forms: []string{"-k FILE [FLAG]... PATH..."},
		About: "Sign store paths with a secret key (see gonix key generate).",
	})
	if set == nil {
		return err
	}
	defer stop()
	if len(files) == 0 {
		return config.SeeHelp(errors.New("name the file of a secret key with '-k'"), name)
	}
	keys, err := network.SecretKeys(w, files)
	if err != nil {
		return err
	}
	st, err := stores.OpenAt(w, f.Store, store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	var paths []storepath.Path
	for _, arg := range f.Args {
		p, err := stores.PathOf(w, st, arg)
		if err != nil {
			return err
		}
		paths = append(paths, p)
	}
	switch {
	case all:
		paths, err = st.All(ctx)
	case recursive:
		paths, err = st.Closure(ctx, paths...)
	}
	if err != nil {
		return err
	}
	added, err := sign(ctx, st, paths, keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Stderr, "added %d signatures\n", added)
	return nil
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

// Key makes keys: generate (or generate-secret) and
// convert-secret-to-public, as nix key.
func Key(_ context.Context, w *process.World, name string, args []string) error {
	usage := fmt.Sprintf("Usage: %s generate --key-name NAME > SECRET-FILE\n       %s convert-secret-to-public < SECRET-FILE\n\nMake a key that signs store paths, or print the public key to a secret one for\nthe setting 'trusted-public-keys'. A NAME such as cache.example.org-1 leaves room\nfor a next one.\n", name, name)
	var keyName string
	var help bool
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.StringVar(&keyName, "key-name", "", "")
	fs.BoolVarP(&help, "help", "h", false, "")
	if err := fs.Parse(args); err != nil {
		return config.SeeHelp(err, name)
	}
	if help {
		fmt.Fprint(w.Stdout, usage)
		return nil
	}
	word := fs.Arg(0)
	switch {
	case fs.NArg() == 1 && (word == "generate" || word == "generate-secret"):
		if keyName == "" {
			return config.SeeHelp(errors.New("name the key with '--key-name NAME'"), name)
		}
		k, err := signature.Generate(keyName, rand.Reader)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w.Stdout, k.String())
		return err
	case fs.NArg() == 1 && word == "convert-secret-to-public":
		text, err := io.ReadAll(io.LimitReader(w.Stdin, 64<<10))
		if err != nil {
			return err
		}
		k, err := signature.ParseSecretKey(string(text))
		if err != nil {
			return err
		}
		_, err = io.WriteString(w.Stdout, k.Public().String())
		return err
	}
	return config.SeeHelp(errors.New("say 'generate' or 'convert-secret-to-public'"), name)
}
