package layer

import (
	"cmp"
	"slices"

	"gonix/derivation/storepath"
)

// subgraph is a part of a [Graph]: paths in an order, and those of their
// references that still count. Paths are numbers in all, so that parts of one
// graph are cheap.
type subgraph struct {
	all  *vertices
	list []int
	// out has the references of the paths in list to others in list.
	out map[int][]int
}

// vertices are the paths of a whole graph, the smallest first, as nixpkgs'
// flatten-references-graph orders them; ties are ordered by name.
type vertices struct {
	items Graph
	index map[storepath.Path]int
}

// whole returns all of g. References to what is not in g are left out, as are
// those of a path to itself.
func whole(g Graph) *subgraph {
	items := slices.Clone(g)
	slices.SortFunc(items, func(x, y Item) int {
		if c := cmp.Compare(x.NarSize, y.NarSize); c != 0 {
			return c
		}
		return storepath.Compare(x.Path, y.Path)
	})
	all := &vertices{items: items, index: make(map[storepath.Path]int, len(items))}
	s := &subgraph{all: all, out: make(map[int][]int, len(items))}
	for i, it := range items {
		all.index[it.Path] = i
		s.list = append(s.list, i)
	}
	for i, it := range items {
		for _, ref := range it.References {
			if j, ok := all.index[ref]; ok && j != i {
				s.out[i] = append(s.out[i], j)
			}
		}
		slices.Sort(s.out[i])
	}
	return s
}

// find returns the number of the path called name, if it is in s.
func (s *subgraph) find(name string) (int, bool) {
	p, err := storepath.Parse(name)
	if err != nil {
		return 0, false
	}
	i, ok := s.all.index[p]
	return i, ok && slices.Contains(s.list, i)
}

// findAll returns the numbers of those paths that are in s.
func (s *subgraph) findAll(names []string) []int {
	var found []int
	for _, name := range names {
		if i, ok := s.find(name); ok {
			found = append(found, i)
		}
	}
	return found
}

// induced returns the part of s that keep names, in the order of s.
func (s *subgraph) induced(keep map[int]bool) *subgraph {
	part := &subgraph{all: s.all, out: make(map[int][]int, len(keep))}
	for _, i := range s.list {
		if !keep[i] {
			continue
		}
		part.list = append(part.list, i)
		for _, j := range s.out[i] {
			if keep[j] {
				part.out[i] = append(part.out[i], j)
			}
		}
	}
	return part
}

// without returns s less the paths of drop.
func (s *subgraph) without(drop map[int]bool) *subgraph {
	keep := make(map[int]bool, len(s.list))
	for _, i := range s.list {
		keep[i] = !drop[i]
	}
	return s.induced(keep)
}

// cutOff returns s without the references to targets.
func (s *subgraph) cutOff(targets []int) *subgraph {
	drop := setOf(targets)
	cut := &subgraph{all: s.all, list: s.list, out: make(map[int][]int, len(s.out))}
	for i, refs := range s.out {
		cut.out[i] = slices.DeleteFunc(slices.Clone(refs), func(j int) bool { return drop[j] })
	}
	return cut
}

// reach returns what can be reached from start along edges, start included.
func reach(edges map[int][]int, start []int) map[int]bool {
	seen := make(map[int]bool)
	todo := slices.Clone(start)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[i] {
			seen[i] = true
			todo = append(todo, edges[i]...)
		}
	}
	return seen
}

// reversed returns the edges the other way round.
func (s *subgraph) reversed() map[int][]int {
	in := make(map[int][]int, len(s.out))
	for _, i := range s.list {
		for _, j := range s.out[i] {
			in[j] = append(in[j], i)
		}
	}
	return in
}

// roots are the paths of s that no other refers to.
func (s *subgraph) roots() []int {
	in := s.reversed()
	var roots []int
	for _, i := range s.list {
		if len(in[i]) == 0 {
			roots = append(roots, i)
		}
	}
	return roots
}

// join puts parts of one graph together. References between them do not come
// back.
func join(all *vertices, parts []*subgraph) *subgraph {
	joined := &subgraph{all: all, out: map[int][]int{}}
	for _, p := range parts {
		joined.list = append(joined.list, p.list...)
		for i, refs := range p.out {
			joined.out[i] = refs
		}
	}
	return joined
}

func (s *subgraph) group() Group {
	g := make(Group, len(s.list))
	for k, i := range s.list {
		g[k] = s.all.items[i].Path
	}
	slices.SortFunc(g, storepath.Compare)
	return g
}

func setOf(list []int) map[int]bool {
	set := make(map[int]bool, len(list))
	for _, i := range list {
		set[i] = true
	}
	return set
}
