package dockertools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"gonix/derivation/storepath"
	"gonix/dockertools/layercache"
	"gonix/dockertools/tarball"
)

// smallLayer is how many bytes of files a layer has that are packed faster than
// they are found in the cache.
const smallLayer = 256 << 10

// layerKey names everything that the bytes of a layer of store paths depend on:
// their names and what they hold, what all files get, and how it is compressed.
// It is "" for what is not worth keeping.
func (a *assembly) layerKey(ctx context.Context, group []storepath.Path, stamp tarball.Stamp, bytes int64) (string, error) {
	if a.builder.Layers == nil || bytes < smallLayer {
		return "", nil
	}
	parts := []string{a.spec.Compression.Recipe, fmt.Sprintf("%d %d %q %q %d", stamp.UID, stamp.GID, stamp.User, stamp.Group, stamp.Time)}
	for _, p := range group {
		info, err := a.job.Store.Info(ctx, p)
		if err != nil {
			return "", err
		}
		parts = append(parts, p.Base(), info.NarHash.String())
	}
	return layercache.Key(parts...), nil
}

// filesKey is for a layer that has files from outside of the store: it names the
// bytes of its tar. What lies in the store is named by the hash that the store has
// of it, as above; other files are read, which takes a tenth of the time that
// packing them does.
func (a *assembly) filesKey(ctx context.Context, entries []tarball.Entry, bytes int64) (string, error) {
	if a.builder.Layers == nil || bytes < smallLayer {
		return "", nil
	}
	sum := sha256.New()
	hashes := map[string]string{} // by base name of the store path
	err := tarball.Pieces(entries, func(p tarball.Piece) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.Source == "" {
			fmt.Fprintf(sum, "data %d:", len(p.Data))
			sum.Write(p.Data)
			return nil
		}
		if name, ok := a.inStore(p.Source); ok {
			base, _, _ := strings.Cut(name, "/")
			if _, ok := hashes[base]; !ok {
				hashes[base] = a.narHash(ctx, base)
			}
			if hashes[base] != "" {
				fmt.Fprintf(sum, "store %d %q %s:", p.Size, name, hashes[base])
				return nil
			}
		}
		fmt.Fprintf(sum, "file %d:", p.Size)
		f, err := os.Open(p.Source)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(sum, f)
		if err == nil && n != p.Size {
			err = fmt.Errorf("%s changed while it was packed: %d bytes, expected %d", p.Source, n, p.Size)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return layercache.Key("files", a.spec.Compression.Recipe, hex.EncodeToString(sum.Sum(nil))), nil
}

// narHash returns the hash of the store path of that name, "" if the store has none.
func (a *assembly) narHash(ctx context.Context, base string) string {
	p, err := storepath.Parse("/nix/store/" + base)
	if err != nil {
		return ""
	}
	info, err := a.job.Store.Info(ctx, p)
	if err != nil {
		return ""
	}
	return info.NarHash.String()
}
