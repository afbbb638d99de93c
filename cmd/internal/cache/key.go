// Package cache has the commands about binary caches that need no installables: key
// and serve.
package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/derivation/signature"
)

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
