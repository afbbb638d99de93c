package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/storepath"
)

// fillCount is the number of trees that fill adds; there is a text for each.
const fillCount = 20

// plant makes the trees for fill.
func plant(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := plantIn(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func plantIn(dir string) error {
	for n := range fillCount {
		root := fmt.Sprintf("%s/src-%d", dir, n)
		if err := os.MkdirAll(root+"/sub", 0o755); err != nil {
			return err
		}
		for i := range 8 {
			text := strings.Repeat(fmt.Sprint(n, i, " "), 2000)
			if err := os.WriteFile(fmt.Sprintf("%s/sub/%d", root, i), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill adds the trees and a chain of texts, always the same ones.
func fill(s *Local, sources string) error {
	ctx := context.Background()
	var last []storepath.Path
	for i := range fillCount {
		name := fmt.Sprintf("src-%d", i)
		tree, err := s.AddPath(ctx, name, filepath.Join(sources, name), Ingestion{})
		if err != nil {
			return err
		}
		text, err := s.AddText(ctx, fmt.Sprintf("text-%d", i), fmt.Sprint(tree, last), append(last, tree))
		if err != nil {
			return err
		}
		last = []storepath.Path{text}
	}
	return nil
}
