package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

const (
	sqlID         = `select id from ValidPaths where path = ?`
	sqlInfo       = `select id, hash, registrationTime, deriver, narSize, ultimate, sigs, ca from ValidPaths where path = ?`
	sqlReferences = `select path from Refs join ValidPaths on reference = id where referrer = ?`
	sqlReferrers  = `select path from Refs join ValidPaths on referrer = id where reference = ?`
	sqlAll        = `select path from ValidPaths`
	sqlAtLeast    = `select path from ValidPaths where path >= ? limit 1`
	sqlOutputs    = `select id, path from DerivationOutputs where drv = ?`
	sqlDerivers   = `select v.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?`
)

// read calls fn with the database connection.
func (s *Local) read(ctx context.Context, fn func(*sqlite.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return fmt.Errorf("store '%s' is closed", s.root)
	}
	return fn(s.conn)
}

// rows runs a query and calls each for every row. Parameters are text or
// integers.
func rows(conn *sqlite.Conn, query string, each func(*sqlite.Stmt) error, args ...any) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return sqliteError(err)
	}
	defer stmt.Reset()
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			stmt.BindText(i+1, arg)
		case int64:
			stmt.BindInt64(i+1, arg)
		case nil:
			stmt.BindNull(i + 1)
		default:
			panic(fmt.Sprintf("store: query parameter of type %T", arg))
		}
	}
	for {
		row, err := stmt.Step()
		if err != nil {
			return sqliteError(err)
		}
		if !row {
			return nil
		}
		if each != nil {
			if err := each(stmt); err != nil {
				return err
			}
		}
	}
}

// id returns the row of a path, 0 if it is not valid.
func id(conn *sqlite.Conn, p storepath.Path) (int64, error) {
	var n int64
	err := rows(conn, sqlID, func(st *sqlite.Stmt) error {
		n = st.ColumnInt64(0)
		return nil
	}, p.String())
	return n, err
}

// mustID is id for paths that have to be valid.
func mustID(conn *sqlite.Conn, p storepath.Path) (int64, error) {
	n, err := id(conn, p)
	if err == nil && n == 0 {
		err = &invalidPath{p}
	}
	return n, err
}

// paths collects a column of store paths, sorted.
func paths(conn *sqlite.Conn, query string, args ...any) ([]storepath.Path, error) {
	var list []storepath.Path
	err := rows(conn, query, func(st *sqlite.Stmt) error {
		p, err := storepath.Parse(st.ColumnText(0))
		list = append(list, p)
		return err
	}, args...)
	slices.SortFunc(list, storepath.Compare)
	return list, err
}

// IsValid reports whether p is registered.
func (s *Local) IsValid(ctx context.Context, p storepath.Path) (bool, error) {
	var n int64
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		n, err = id(conn, p)
		return err
	})
	return n != 0, err
}

// Valid returns those of the paths that are registered.
func (s *Local) Valid(ctx context.Context, list []storepath.Path) (map[storepath.Path]bool, error) {
	valid := make(map[storepath.Path]bool)
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		for _, p := range list {
			n, err := id(conn, p)
			if err != nil {
				return err
			}
			if n != 0 {
				valid[p] = true
			}
		}
		return nil
	})
	return valid, err
}

// Info returns what the database says about p.
func (s *Local) Info(ctx context.Context, p storepath.Path) (*Info, error) {
	var info *Info
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		info, err = readInfo(conn, p)
		return err
	})
	return info, err
}

func readInfo(conn *sqlite.Conn, p storepath.Path) (*Info, error) {
	var info *Info
	var row int64
	err := rows(conn, sqlInfo, func(st *sqlite.Stmt) (err error) {
		row = st.ColumnInt64(0)
		info = &Info{
			Path:     p,
			RegTime:  time.Unix(st.ColumnInt64(2), 0),
			NarSize:  st.ColumnInt64(4),
			Ultimate: st.ColumnInt64(5) == 1,
			Sigs:     strings.Fields(st.ColumnText(6)),
			CA:       st.ColumnText(7),
		}
		if info.NarHash, err = nixhash.Parse(st.ColumnText(1), nixhash.Unknown); err != nil {
			return fmt.Errorf("database: path '%s': %w", p, err)
		}
		if deriver := st.ColumnText(3); deriver != "" {
			if info.Deriver, err = storepath.Parse(deriver); err != nil {
				return fmt.Errorf("database: path '%s': deriver: %w", p, err)
			}
		}
		return nil
	}, p.String())
	if err != nil {
		return nil, err
	}
	if info == nil {
		return nil, &invalidPath{p}
	}
	info.References, err = paths(conn, sqlReferences, row)
	return info, err
}

// Referrers returns the valid paths that refer to p, which may be among them.
func (s *Local) Referrers(ctx context.Context, p storepath.Path) ([]storepath.Path, error) {
	var list []storepath.Path
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		row, err := mustID(conn, p)
		if err != nil {
			return err
		}
		list, err = paths(conn, sqlReferrers, row)
		return err
	})
	return list, err
}

// All returns every valid path.
func (s *Local) All(ctx context.Context) ([]storepath.Path, error) {
	var list []storepath.Path
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		list, err = paths(conn, sqlAll)
		return err
	})
	return list, err
}

// FromHashPart returns the valid path whose digest is hash, the zero path if
// there is none.
func (s *Local) FromHashPart(ctx context.Context, hash string) (storepath.Path, error) {
	if len(hash) != storepath.HashLen {
		return storepath.Path{}, fmt.Errorf("'%s' is not the hash part of a store path", hash)
	}
	prefix := storepath.Dir + "/" + hash
	var found storepath.Path
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		return rows(conn, sqlAtLeast, func(st *sqlite.Stmt) (err error) {
			if text := st.ColumnText(0); strings.HasPrefix(text, prefix) {
				found, err = storepath.Parse(text)
			}
			return err
		}, prefix)
	})
	return found, err
}

// DerivationOutputs returns the output paths of the derivation at drv, valid or
// not, by the outputs' names.
func (s *Local) DerivationOutputs(ctx context.Context, drv storepath.Path) (map[string]storepath.Path, error) {
	outputs := make(map[string]storepath.Path)
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		row, err := mustID(conn, drv)
		if err != nil {
			return err
		}
		return rows(conn, sqlOutputs, func(st *sqlite.Stmt) error {
			p, err := storepath.Parse(st.ColumnText(1))
			outputs[st.ColumnText(0)] = p
			return err
		}, row)
	})
	return outputs, err
}

// ValidDerivers returns the valid derivations that have p as an output.
func (s *Local) ValidDerivers(ctx context.Context, p storepath.Path) ([]storepath.Path, error) {
	var list []storepath.Path
	err := s.read(ctx, func(conn *sqlite.Conn) (err error) {
		list, err = paths(conn, sqlDerivers, p.String())
		return err
	})
	return list, err
}

// Closure returns the given paths and everything that they refer to, directly
// or not, sorted. All of it is valid.
func (s *Local) Closure(ctx context.Context, roots ...storepath.Path) ([]storepath.Path, error) {
	return s.Requisites(ctx, Bonds{}, roots...)
}
