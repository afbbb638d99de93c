package binarycache

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"gonix/derivation/narinfo"
	"gonix/derivation/storepath"
)

// All returns the paths of all objects, sorted. Only a cache in a folder can say
// what it has.
func (c *Cache) All(ctx context.Context) ([]storepath.Path, error) {
	folder, ok := c.storage.(File)
	if !ok {
		return nil, fmt.Errorf("'%s' cannot list what it has", c)
	}
	entries, err := os.ReadDir(folder.Dir)
	if err != nil {
		return nil, fmt.Errorf("list '%s': %w", c, err)
	}
	var paths []storepath.Path
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".narinfo") {
			continue
		}
		text, err := c.read(ctx, e.Name(), narinfo.MaxSize)
		if err != nil {
			return nil, err
		}
		info, err := narinfo.ParseIn(c.config.StoreDir, text, c.String()+"/"+e.Name())
		if err != nil {
			return nil, err
		}
		paths = append(paths, info.Path)
	}
	slices.SortFunc(paths, storepath.Compare)
	return paths, nil
}
