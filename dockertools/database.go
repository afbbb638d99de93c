package dockertools

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonix/derivation/storepath"
	"gonix/dockertools/tarball"
)

// Where Nix keeps its database, and roots of the collector, in the image.
const (
	databaseDir = "nix/var/nix/db"
	rootsDir    = "nix/var/nix/gcroots/docker"
)

// database adds a Nix database of paths to the files outside of the store, and a
// root of the collector for each path that was asked for.
func (a *assembly) database(ctx context.Context, custom []tarball.Entry, paths []storepath.Path) ([]tarball.Entry, error) {
	a.phase("registering %d store paths", len(paths))
	dir, err := os.MkdirTemp(workDir(a.job), "database")
	if err != nil {
		return nil, err
	}
	if err := a.job.Store.WriteDatabase(ctx, dir, paths, time.Unix(tarball.LayerTime, 0)); err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(custom))
	for _, e := range custom {
		known[e.Name] = true
	}
	add := func(e tarball.Entry) {
		if !known[e.Name] {
			known[e.Name] = true
			e.Time = tarball.LayerTime
			custom = append(custom, e)
		}
	}
	for _, name := range []string{"nix", "nix/var", "nix/var/nix", databaseDir, "nix/var/nix/gcroots", rootsDir} {
		add(tarball.Entry{Name: name, Kind: tarball.Directory, Mode: 0o755})
	}
	for _, name := range []string{"db.sqlite", "schema"} {
		real := filepath.Join(dir, name)
		info, err := os.Stat(real)
		if err != nil {
			return nil, err
		}
		add(tarball.Entry{Name: databaseDir + "/" + name, Mode: 0o644, Size: info.Size(), Source: real})
	}
	for _, p := range a.spec.Contents {
		if slices.Contains(paths, p) {
			add(tarball.Entry{Name: rootsDir + "/" + p.Base(), Kind: tarball.Symlink, Mode: 0o777, Target: p.String()})
		}
	}
	tarball.Sort(custom)
	return custom, nil
}
