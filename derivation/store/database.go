package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite/sqlitex"

	"gonix/derivation/storepath"
)

// WriteDatabase makes a Nix database of paths in dir, which must exist: the
// files db.sqlite and schema, as they lie in /nix/var/nix/db. Every reference
// must be among paths. Paths are registered at the given time and have neither
// deriver nor signatures, so the same paths give the same bytes.
func (s *Local) WriteDatabase(ctx context.Context, dir string, paths []storepath.Path, at time.Time) error {
	scratch, err := os.MkdirTemp(dir, "store")
	if err != nil {
		return fmt.Errorf("write database: %w", err)
	}
	defer RemoveTree(scratch)
	file := filepath.Join(scratch, "db.sqlite")
	conn, err := openDatabase(file, openCreating)
	if err != nil {
		return fmt.Errorf("write database: %w", err)
	}
	made := &Local{root: scratch, dir: s.dir, conn: conn, opts: Options{Now: func() time.Time { return at }}}
	err = s.copyInfos(ctx, made, paths, at)
	if err == nil {
		// One file, without a log beside it.
		err = sqlitex.ExecuteTransient(conn, "pragma journal_mode = delete", nil)
	}
	if e := conn.Close(); err == nil {
		err = sqliteError(e)
	}
	if err != nil {
		return fmt.Errorf("write database: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "schema"), fmt.Append(nil, schemaVersion), 0o644); err != nil {
		return fmt.Errorf("write database: %w", err)
	}
	return os.Rename(file, filepath.Join(dir, "db.sqlite"))
}

func (s *Local) copyInfos(ctx context.Context, to *Local, paths []storepath.Path, at time.Time) error {
	infos := make([]Info, len(paths))
	for i, p := range paths {
		info, err := s.Info(ctx, p)
		if err != nil {
			return err
		}
		infos[i] = Info{
			Path: p, NarHash: info.NarHash, NarSize: info.NarSize,
			References: info.References, CA: info.CA, RegTime: at,
		}
	}
	return to.Register(ctx, infos)
}
