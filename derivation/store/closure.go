package store

import (
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"gonix/derivation/storepath"
)

// Bonds say which relations besides references count in a closure.
type Bonds struct {
	// Outputs ties a derivation to its valid outputs (keep-outputs).
	Outputs bool
	// Derivers ties an object to the derivation that made it (keep-derivations).
	Derivers bool
}

const sqlDeriver = `select deriver from ValidPaths where id = ?`

// Requisites returns the valid paths roots and all that they refer to, directly
// or not, with what the bonds add; sorted. (Nix: computeFSClosure)
func (s *Local) Requisites(ctx context.Context, bonds Bonds, roots ...storepath.Path) ([]storepath.Path, error) {
	return s.walk(ctx, roots, func(conn *sqlite.Conn, p storepath.Path, row int64) ([]storepath.Path, error) {
		next, err := paths(conn, sqlReferences, row)
		if err == nil && bonds.Outputs && p.IsDerivation() {
			var outputs []storepath.Path
			outputs, err = validOnly(conn, sqlOutputPaths, row)
			next = append(next, outputs...)
		}
		if err == nil && bonds.Derivers {
			var deriver []storepath.Path
			deriver, err = validOnly(conn, sqlDeriver, row)
			next = append(next, deriver...)
		}
		return next, err
	})
}

// ReferrersClosure returns the valid paths roots and all that refers to them,
// directly or not, sorted; with the bonds also what keeps roots alive by them.
// (Nix: computeFSClosure with flipDirection)
func (s *Local) ReferrersClosure(ctx context.Context, bonds Bonds, roots ...storepath.Path) ([]storepath.Path, error) {
	return s.walk(ctx, roots, func(conn *sqlite.Conn, p storepath.Path, row int64) ([]storepath.Path, error) {
		next, err := paths(conn, sqlReferrers, row)
		if err == nil && bonds.Outputs {
			var derivers []storepath.Path
			derivers, err = paths(conn, sqlDerivers, p.String())
			next = append(next, derivers...)
		}
		if err == nil && bonds.Derivers && p.IsDerivation() {
			var outputs []storepath.Path
			outputs, err = validOnly(conn, sqlOutputPaths, row)
			next = append(next, outputs...)
		}
		return next, err
	})
}

const sqlOutputPaths = `select path from DerivationOutputs where drv = ?`

// validOnly is paths without those that are not valid.
func validOnly(conn *sqlite.Conn, query string, args ...any) ([]storepath.Path, error) {
	var texts []string
	err := rows(conn, query, func(st *sqlite.Stmt) error {
		texts = append(texts, st.ColumnText(0))
		return nil
	}, args...)
	if err != nil {
		return nil, err
	}
	var list []storepath.Path
	for _, text := range texts {
		p, err := storepath.Parse(text)
		if err != nil {
			continue // no deriver, or one of another store
		}
		row, err := id(conn, p)
		if err != nil {
			return nil, err
		}
		if row != 0 {
			list = append(list, p)
		}
	}
	return list, nil
}

// walk collects what is reached from roots by next, sorted.
func (s *Local) walk(ctx context.Context, roots []storepath.Path, next func(*sqlite.Conn, storepath.Path, int64) ([]storepath.Path, error)) ([]storepath.Path, error) {
	var list []storepath.Path
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		seen := make(map[storepath.Path]bool)
		todo := slices.Clone(roots)
		for len(todo) > 0 {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if seen[p] {
				continue
			}
			seen[p] = true
			list = append(list, p)
			row, err := mustID(conn, p)
			if err != nil {
				return err
			}
			more, err := next(conn, p, row)
			if err != nil {
				return err
			}
			todo = append(todo, more...)
		}
		return nil
	})
	slices.SortFunc(list, storepath.Compare)
	return list, err
}
