package cli

import (
	"context"
	"crypto/rand"
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
	var f evalFlags
	var files []string
	var recursive, all bool
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringArrayVarP(&files, "key-file", "k", nil, "`file` with the secret key (repeatable)")
	fs.BoolVarP(&recursive, "recursive", "r", false, "sign what the paths refer to, too")
	fs.BoolVar(&all, "all", false, "sign everything")
	f.declareSettings(fs)
	f.declareLast(fs)
	if err := f.parse(fs, args); err != nil {
		return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
	}
	if f.help {
		fmt.Fprintf(w.stdout, "Usage: %s -k FILE [FLAG]... PATH...\n\nSign store paths with a secret key (see gonix key generate).\n\n%s", name, fs.FlagUsages())
		return nil
	}
	if len(files) == 0 {
		return fmt.Errorf("name the file of a secret key with '-k'\nTry '%s --help' for more information.", name)
	}
	keys, err := w.secretKeys(files)
	if err != nil {
		return err
	}
	st, err := w.openStoreAt(f.store, store.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	var paths []storepath.Path
	for _, arg := range f.files {
		p, err := w.storePathOf(st, arg)
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
		return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
	}
	if help {
		fmt.Fprint(w.stdout, usage)
		return nil
	}
	word := fs.Arg(0)
	switch {
	case fs.NArg() == 1 && (word == "generate" || word == "generate-secret"):
		if keyName == "" {
			return fmt.Errorf("name the key with '--key-name NAME'\nTry '%s --help' for more information.", name)
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
	return fmt.Errorf("say 'generate' or 'convert-secret-to-public'\nTry '%s --help' for more information.", name)
}
