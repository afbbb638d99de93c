package cli

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

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

// generateKey writes a pair of keys to sign archives with: in each file the name,
// a colon, and the key in base-64. (Nix: SecretKey::generate)
func (x *storeRun) generateKey() error {
	if len(x.args) != 3 {
		return errors.New("three arguments expected")
	}
	name := x.args[0]
	public, secret, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	for _, key := range []struct {
		file  string
		bytes []byte
		mode  os.FileMode
	}{{x.args[2], public, 0o666}, {x.args[1], secret, 0o600}} {
		text := name + ":" + base64.StdEncoding.EncodeToString(key.bytes)
		if err := os.WriteFile(x.w.abs(key.file), []byte(text), key.mode); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}
