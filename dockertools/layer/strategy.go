// Package layer decides which store paths go into which layer of an image.
//
// A [Strategy] sees the graph and a budget, and returns groups of paths, one a
// layer, lowest first. Every path is in exactly one group. The result depends
// on nothing but the graph: paths of the same size are ordered by name, so two
// runs, or two machines, agree.
package layer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonix/derivation/storepath"
)

// Item is a store path of the graph.
type Item struct {
	Path storepath.Path
	// Size is the bytes of its own files.
	Size int64
	// NarSize is the size of its archive, for the order of pipelines.
	NarSize int64
	// References are the paths that it refers to, sorted.
	References []storepath.Path
}

// Graph is a closure.
type Graph []Item

// Budget bounds a strategy.
type Budget struct {
	// Layers is the largest number of groups, at least 1.
	Layers int
}

// Group is the paths of one layer, sorted.
type Group []storepath.Path

// Strategy cuts a graph into groups.
type Strategy struct {
	Name string
	Doc  string
	Cut  func(Graph, Budget) []Group
}

// Single is the name of the strategy that makes one layer.
const Single = "single"

// Strategies has every way to cut a closure into layers.
var Strategies = [...]Strategy{
	{Name: Single, Doc: "Everything in one layer.", Cut: single},
	{Name: "size-first", Doc: "A layer for each of the largest paths, one for the rest.", Cut: sizeFirst},
}

// Parse returns the strategy of the given name.
func Parse(name string) (Strategy, error) {
	var names []string
	for _, s := range Strategies {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Strategy{}, fmt.Errorf("layer strategy '%s' is unknown; there are %s", name, strings.Join(names, ", "))
}

func single(g Graph, _ Budget) []Group {
	if len(g) == 0 {
		return nil
	}
	return []Group{group(g)}
}

// sizeFirst gives the largest paths a layer each. An update of a small package
// then moves few bytes, and which path is large rarely changes.
func sizeFirst(g Graph, b Budget) []Group {
	sorted := slices.Clone(g)
	slices.SortFunc(sorted, func(x, y Item) int {
		if c := cmp.Compare(y.Size, x.Size); c != 0 {
			return c
		}
		return storepath.Compare(x.Path, y.Path)
	})
	alone := len(sorted)
	if alone > b.Layers {
		alone = max(b.Layers-1, 0)
	}
	var groups []Group
	for i := range alone {
		groups = append(groups, group(sorted[i:i+1]))
	}
	if alone < len(sorted) {
		groups = append(groups, group(sorted[alone:]))
	}
	return groups
}

func group(items Graph) Group {
	g := make(Group, len(items))
	for i, it := range items {
		g[i] = it.Path
	}
	slices.SortFunc(g, storepath.Compare)
	return g
}
