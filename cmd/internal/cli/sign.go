package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"gonix/derivation/binarycache"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// signCommand adds signatures to what the store knows about paths.
func signCommand(ctx context.Context, w *world, name string, args []string) error {
	var f commonFlags
	var files []string
	var recursive, all bool
	fs := newFlagSet(name)
	fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key (repeatable)")
	fs.BoolVarP(&recursive, "recursive", "r", false, "sign what the paths refer to, too")
	fs.BoolVar(&all, "all", false, "sign everything")
	f.declareSettings(fs)
	f.declareLast(fs)
	set, stop, err := begin(w, &f, fs, args, usage{
		forms: []string{"-k FILE [FLAG]... PATH..."},
		about: "Sign store paths with a secret key (see gonix key generate).",
	})
	if set == nil {
		return err
	}
	defer stop()
	if len(files) == 0 {
		return seeHelp(errors.New("name the file of a secret key with '-k'"), name)
	}
	keys, err := secretKeys(w, files)
	if err != nil {
		return err
	}
	st, err := openStoreAt(w, f.store, store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	var paths []storepath.Path
	for _, arg := range f.args {
		p, err := storePathOf(w, st, arg)
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
	fmt.Fprintf(w.stderr, "added %d signatures\n", added)
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

// keyCommand makes keys: generate (or generate-secret) and
// convert-secret-to-public, as nix key.
func keyCommand(_ context.Context, w *world, name string, args []string) error {
	usage := fmt.Sprintf("Usage: %s generate --key-name NAME > SECRET-FILE\n       %s convert-secret-to-public < SECRET-FILE\n\nMake a key that signs store paths, or print the public key to a secret one for\nthe setting 'trusted-public-keys'. A NAME such as cache.example.org-1 leaves room\nfor a next one.\n", name, name)
	var keyName string
	var help bool
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.StringVar(&keyName, "key-name", "", "")
	fs.BoolVarP(&help, "help", "h", false, "")
	if err := fs.Parse(args); err != nil {
		return seeHelp(err, name)
	}
	if help {
		fmt.Fprint(w.stdout, usage)
		return nil
	}
	word := fs.Arg(0)
	switch {
	case fs.NArg() == 1 && (word == "generate" || word == "generate-secret"):
		if keyName == "" {
			return seeHelp(errors.New("name the key with '--key-name NAME'"), name)
		}
		k, err := signature.Generate(keyName, rand.Reader)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w.stdout, k.String())
		return err
	case fs.NArg() == 1 && word == "convert-secret-to-public":
		text, err := io.ReadAll(io.LimitReader(w.stdin, 64<<10))
		if err != nil {
			return err
		}
		k, err := signature.ParseSecretKey(string(text))
		if err != nil {
			return err
		}
		_, err = io.WriteString(w.stdout, k.Public().String())
		return err
	}
	return seeHelp(errors.New("say 'generate' or 'convert-secret-to-public'"), name)
}
