package nixstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"gonix/derivation/signature"
	"gonix/derivation/store/export"
	"gonix/derivation/storepath"
)

func (x *Run) export() error {
	paths, err := x.followAll()
	if err != nil {
		return err
	}
	return export.Write(x.Context, x.Out, x.Store, paths)
}

func (x *Run) importPaths() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	return export.Read(x.Context, x.World.Stdin, x.Store, func(p storepath.Path) { x.Println(p) })
}

// generateKey writes a pair of keys that sign store paths. (Nix:
// SecretKey::generate)
func (x *Run) generateKey() error {
	if len(x.Args) != 3 {
		return errors.New("three arguments expected")
	}
	secret, err := signature.Generate(x.Args[0], rand.Reader)
	if err != nil {
		return err
	}
	for _, key := range []struct {
		file, text string
		mode       os.FileMode
	}{{x.Args[2], secret.Public().String(), 0o666}, {x.Args[1], secret.String(), 0o600}} {
		if err := os.WriteFile(x.World.Abs(key.file), []byte(key.text), key.mode); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}
