package store

import (
	"context"
	"fmt"
	"slices"

	"gonix/derivation/storepath"
)

// Closure returns the given paths and everything that they refer to in st,
// sorted.
func Closure(ctx context.Context, st Store, roots ...storepath.Path) ([]storepath.Path, error) {
	seen := make(map[storepath.Path]bool)
	todo := slices.Clone(roots)
	var list []storepath.Path
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		list = append(list, p)
		info, err := st.Info(ctx, p)
		if err != nil {
			return nil, err
		}
		todo = append(todo, info.References...)
	}
	slices.SortFunc(list, storepath.Compare)
	return list, nil
}

// TopoSort returns the paths in an order in which each comes after those of them
// that it refers to. The order depends on nothing but the graph.
func TopoSort(ctx context.Context, st Store, list []storepath.Path) ([]storepath.Path, error) {
	refs := make(map[storepath.Path][]storepath.Path, len(list))
	for _, p := range list {
		info, err := st.Info(ctx, p)
		if err != nil {
			return nil, err
		}
		refs[p] = info.References
	}
	return topoSort(refs)
}

// topoSort sorts the keys of refs, references first. References that are no keys
// and references to oneself do not count.
func topoSort(refs map[storepath.Path][]storepath.Path) ([]storepath.Path, error) {
	const (
		entered = 1
		done    = 2
	)
	type frame struct {
		path storepath.Path
		next int
	}
	order := make([]storepath.Path, 0, len(refs))
	for p := range refs {
		order = append(order, p)
	}
	slices.SortFunc(order, storepath.Compare)
	mark := make(map[storepath.Path]int, len(refs))
	sorted := make([]storepath.Path, 0, len(refs))
	var stack []frame // no recursion: a chain of references may be long
	for _, start := range order {
		if mark[start] != 0 {
			continue
		}
		mark[start] = entered
		stack = append(stack, frame{path: start})
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(refs[top.path]) {
				mark[top.path] = done
				sorted = append(sorted, top.path)
				stack = stack[:len(stack)-1]
				continue
			}
			ref := refs[top.path][top.next]
			top.next++
			if _, ok := refs[ref]; !ok || ref == top.path {
				continue
			}
			switch mark[ref] {
			case entered:
				return nil, fmt.Errorf("cycle detected in the references of '%s' from '%s'", ref, top.path)
			case 0:
				mark[ref] = entered
				stack = append(stack, frame{path: ref})
			}
		}
	}
	return sorted, nil
}
