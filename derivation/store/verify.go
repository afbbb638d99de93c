package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"zombiezen.com/go/sqlite"

	"gonix/derivation/storepath"
)

// Problem is something that [Local.Verify] found wrong.
type Problem struct {
	Path storepath.Path // zero if it is the database itself
	Text string
}

// String returns the problem's description.
func (p Problem) String() string { return p.Text }

// Verify checks that the database is sound and that every valid path exists;
// with checkContents, also that the content has the registered hash. It changes
// nothing.
func (s *Local) Verify(ctx context.Context, checkContents bool) ([]Problem, error) {
	problems, err := s.verifyDatabase(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.All(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if _, err := os.Lstat(s.RealPath(p)); errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, Problem{p, fmt.Sprintf("path '%s' disappeared", p)})
			continue
		} else if err != nil {
			return nil, err
		}
		if !checkContents {
			continue
		}
		problem, err := s.verifyPath(ctx, p)
		if err != nil {
			return nil, err
		}
		if problem != "" {
			problems = append(problems, Problem{p, problem})
		}
	}
	return problems, nil
}

// verifyPath checks the content of one valid path; the result is "" if it is
// what was registered.
func (s *Local) verifyPath(ctx context.Context, p storepath.Path) (string, error) {
	info, err := s.Info(ctx, p)
	if errors.Is(err, ErrNotFound) {
		return "", nil // deleted meanwhile
	}
	if err != nil {
		return "", err
	}
	scan, err := ScanAndHash(ctx, s.RealPath(p), nil)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return fmt.Sprintf("path '%s' cannot be read: %v", p, err), nil
	case !scan.NarHash.Equal(info.NarHash):
		return fmt.Sprintf("path '%s' was modified! expected hash '%s', got '%s'", p, info.NarHash.Prefixed32(), scan.NarHash.Prefixed32()), nil
	case info.NarSize != 0 && scan.NarSize != info.NarSize:
		return fmt.Sprintf("path '%s' has size %d, but %d is registered", p, scan.NarSize, info.NarSize), nil
	}
	return "", nil
}

func (s *Local) verifyDatabase(ctx context.Context) ([]Problem, error) {
	var problems []Problem
	err := s.read(ctx, func(conn *sqlite.Conn) error {
		err := rows(conn, `pragma integrity_check`, func(st *sqlite.Stmt) error {
			if text := st.ColumnText(0); text != "ok" {
				problems = append(problems, Problem{Text: "database: " + text})
			}
			return nil
		})
		if err != nil {
			return err
		}
		return rows(conn, `pragma foreign_key_check`, func(st *sqlite.Stmt) error {
			problems = append(problems, Problem{Text: fmt.Sprintf("database: row %d of %s refers to a missing row of %s",
				st.ColumnInt64(1), st.ColumnText(0), st.ColumnText(2))})
			return nil
		})
	})
	return problems, err
}
