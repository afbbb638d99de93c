package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

const (
	sqlInsert = `insert into ValidPaths (path, hash, registrationTime, deriver, narSize, ultimate, sigs, ca)
		values (?, ?, ?, ?, ?, ?, ?, ?)`
	sqlUpdate       = `update ValidPaths set hash = ?, narSize = ?, ultimate = ?, sigs = ?, ca = ? where id = ?`
	sqlAddReference = `insert or replace into Refs (referrer, reference) values (?, ?)`
	sqlAddOutput    = `insert or replace into DerivationOutputs (drv, id, path) values (?, ?, ?)`
	sqlInvalidate   = `delete from ValidPaths where path = ?`
)

// write runs fn in one transaction, which is undone if fn or ctx ends in an
// error. Waiting for other processes ends with ctx, too.
func (s *Local) write(ctx context.Context, fn func(*sqlite.Conn) error) error {
	if err := s.writable(); err != nil {
		return err
	}
	return s.read(ctx, func(conn *sqlite.Conn) (err error) {
		if ctx.Done() != nil {
			conn.SetInterrupt(ctx.Done())
			defer conn.SetInterrupt(nil)
		}
		end, err := sqlitex.ImmediateTransaction(conn)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return sqliteError(err)
		}
		err = fn(conn)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			cause := err
			end(&cause)
			return err
		}
		end(&err)
		return sqliteError(err)
	})
}

// Register makes paths valid, all of them or none. Their content is on disk and
// canonical; their references are valid already or among them. Registering a
// path again updates what is known about it.
func (s *Local) Register(ctx context.Context, infos []Info) error {
	outputs, err := s.registeredOutputs(infos)
	if err != nil {
		return err
	}
	refs := make(map[storepath.Path][]storepath.Path, len(infos))
	for i := range infos {
		refs[infos[i].Path] = infos[i].References
	}
	if _, err := topoSort(refs); err != nil {
		return err
	}
	return s.write(ctx, func(conn *sqlite.Conn) error {
		rowOf := make(map[storepath.Path]int64, len(infos))
		for i := range infos {
			row, err := s.put(conn, &infos[i])
			if err != nil {
				return err
			}
			rowOf[infos[i].Path] = row
		}
		for i := range infos {
			for _, ref := range infos[i].References {
				row, ok := rowOf[ref]
				if !ok {
					if row, err = mustID(conn, ref); err != nil {
						return fmt.Errorf("register '%s': %w", infos[i].Path, err)
					}
					rowOf[ref] = row
				}
				if err := rows(conn, sqlAddReference, nil, rowOf[infos[i].Path], row); err != nil {
					return err
				}
			}
			if err := putOutputs(conn, rowOf[infos[i].Path], outputs[infos[i].Path]); err != nil {
				return err
			}
		}
		return nil
	})
}

// put adds or updates the row of one path and returns its number.
func (s *Local) put(conn *sqlite.Conn, info *Info) (int64, error) {
	if info.Path.IsZero() || info.NarHash.Algo != nixhash.SHA256 || info.NarSize <= 0 {
		return 0, fmt.Errorf("register '%s': its NAR hash or size is missing", info.Path)
	}
	var deriver, ultimate, sigs, ca any
	if !info.Deriver.IsZero() {
		deriver = info.Deriver.String()
	}
	if info.Ultimate {
		ultimate = int64(1)
	}
	if len(info.Sigs) > 0 {
		sigs = strings.Join(info.Sigs, " ")
	}
	if info.CA != "" {
		ca = info.CA
	}
	hash := info.NarHash.Prefixed16()
	row, err := id(conn, info.Path)
	if err != nil {
		return 0, err
	}
	if row != 0 {
		return row, rows(conn, sqlUpdate, nil, hash, info.NarSize, ultimate, sigs, ca, row)
	}
	when := info.RegTime
	if when.IsZero() {
		when = s.opts.Now()
	}
	err = rows(conn, sqlInsert, nil, info.Path.String(), hash, when.Unix(), deriver, info.NarSize, ultimate, sigs, ca)
	return conn.LastInsertRowID(), err
}

// registeredOutputs reads the derivations among infos: a valid derivation's
// outputs are in the database.
func (s *Local) registeredOutputs(infos []Info) (map[storepath.Path]map[string]storepath.Path, error) {
	var all map[storepath.Path]map[string]storepath.Path
	for i := range infos {
		p := infos[i].Path
		if !p.IsDerivation() {
			continue
		}
		drv, err := readDerivation(s.RealPath(p), p)
		if err != nil {
			return nil, fmt.Errorf("register '%s': %w", p, err)
		}
		if all == nil {
			all = make(map[storepath.Path]map[string]storepath.Path)
		}
		all[p] = make(map[string]storepath.Path)
		for name, out := range drv.Outputs {
			if !out.Path.IsZero() {
				all[p][name] = out.Path
			}
		}
	}
	return all, nil
}

func putOutputs(conn *sqlite.Conn, drv int64, outputs map[string]storepath.Path) error {
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		if err := rows(conn, sqlAddOutput, nil, drv, name, outputs[name].String()); err != nil {
			return err
		}
	}
	return nil
}

// RegisterDerivationOutputs records where the outputs of the valid derivation at
// drv lie. [Local.Register] does so by itself for outputs that the derivation's
// text names.
func (s *Local) RegisterDerivationOutputs(ctx context.Context, drv storepath.Path, outputs map[string]storepath.Path) error {
	return s.write(ctx, func(conn *sqlite.Conn) error {
		row, err := mustID(conn, drv)
		if err != nil {
			return err
		}
		return putOutputs(conn, row, outputs)
	})
}

// Delete makes a path invalid and deletes its content. Paths that others refer
// to, and paths that are being produced, stay.
func (s *Local) Delete(ctx context.Context, p storepath.Path) (freed int64, err error) {
	lock, err := s.Lock(ctx, p)
	if err != nil {
		return 0, err
	}
	defer lock.Unlock()
	err = s.write(ctx, func(conn *sqlite.Conn) error {
		row, err := id(conn, p)
		if err != nil || row == 0 {
			return err
		}
		referrers, err := paths(conn, sqlReferrers, row)
		if err != nil {
			return err
		}
		for _, r := range referrers {
			if r != p {
				return fmt.Errorf("cannot delete path '%s' since it is in use by '%s'", p, r)
			}
		}
		return rows(conn, sqlInvalidate, nil, p.String())
	})
	if err != nil {
		return 0, err
	}
	return RemoveTree(s.RealPath(p))
}

// ErrInUse is wrapped by errors about paths that others refer to.
var ErrInUse = errors.New("in use")

// Invalidate makes paths invalid, all of them or none; their content stays. The
// error wraps [ErrInUse] if something else that is valid refers to one of them.
func (s *Local) Invalidate(ctx context.Context, list ...storepath.Path) error {
	return s.write(ctx, func(conn *sqlite.Conn) error {
		for _, p := range list {
			err := rows(conn, sqlInvalidate, nil, p.String())
			if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultConstraint {
				return fmt.Errorf("cannot delete path '%s': it is %w", p, ErrInUse)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
