package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"gonix/derivation/signature"
	"gonix/derivation/store/export"
	"gonix/derivation/storepath"
)

func (x *storeRun) export() error {
	paths, err := x.followAll()
	if err != nil {
		return err
	}
	return export.Write(x.ctx, x.out, x.st, paths)
}

func (x *storeRun) importPaths() error {
	if err := x.noArguments(); err != nil {
		return err
	}
	return export.Read(x.ctx, x.w.stdin, x.st, func(p storepath.Path) { x.println(p) })
}

// generateKey writes a pair of keys that sign store paths. (Nix:
// SecretKey::generate)
func (x *storeRun) generateKey() error {
	if len(x.args) != 3 {
		return errors.New("three arguments expected")
	}
	secret, err := signature.Generate(x.args[0], rand.Reader)
	if err != nil {
		return err
	}
	for _, key := range []struct {
		file, text string
		mode       os.FileMode
	}{{x.args[2], secret.Public().String(), 0o666}, {x.args[1], secret.String(), 0o600}} {
		if err := os.WriteFile(x.w.abs(key.file), []byte(key.text), key.mode); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}
