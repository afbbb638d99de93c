package layer

import (
	"encoding/json"
	"errors"
	"slices"
)

// These steps cut graphs. What they are given and what they make is as in
// nixpkgs' flatten-references-graph; paths that are not in the graph are passed
// over there and here.

func popularityStep(a arguments) (step, error) {
	return a.onGraph(func(s *subgraph) value {
		var l list
		for _, p := range popularityContest(s) {
			l = append(l, p)
		}
		return l
	}), a.read("no arguments")
}

func splitEvery(a arguments) (step, error) {
	count := 0
	if err := a.read("a number above 0", &count); err != nil || count < 1 {
		return nil, errors.New("split_every takes a number above 0")
	}
	return a.onGraph(func(s *subgraph) value {
		var l list
		for from := 0; from < len(s.list); from += count {
			l = append(l, s.induced(setOf(s.list[from:min(from+count, len(s.list))])))
		}
		return l
	}), nil
}

// pathList is a list of store paths, or a single one.
type pathList []string

// UnmarshalJSON implements [json.Unmarshaler].
func (p *pathList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*p = pathList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(p))
}

func removePaths(a arguments) (step, error) {
	var paths pathList
	if err := a.read("a list of store paths", &paths); err != nil {
		return nil, err
	}
	return a.onGraph(func(s *subgraph) value { return s.without(setOf(s.findAll(paths))) }), nil
}

func subcomponentIn(a arguments) (step, error) { return subcomponent(a, (*subgraph).reversed) }
func subcomponentOut(a arguments) (step, error) {
	return subcomponent(a, func(s *subgraph) map[int][]int { return s.out })
}

// subcomponent cuts a graph into what edges lead to from some paths, and the rest.
func subcomponent(a arguments, edges func(*subgraph) map[int][]int) (step, error) {
	var paths pathList
	if err := a.read("a list of store paths", &paths); err != nil {
		return nil, err
	}
	return a.onGraph(func(s *subgraph) value {
		main := reach(edges(s), s.findAll(paths))
		return parts{{"main", s.induced(main)}, {"rest", s.without(main)}}
	}), nil
}

// splitPoint is a path that split_paths splits off, or those that one refers to.
type splitPoint struct {
	path       string
	childrenOf pathList
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *splitPoint) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.path) == nil {
		return nil
	}
	var children struct {
		Of pathList `json:"children_of"`
	}
	if err := json.Unmarshal(data, &children); err != nil {
		return err
	}
	if children.Of == nil {
		return errors.New("no children_of")
	}
	p.childrenOf = children.Of
	return nil
}

// splitPaths cuts a graph into the paths that are split off with what only they
// need (main), what both need (common), and the rest.
func splitPaths(a arguments) (step, error) {
	var points []splitPoint
	if err := a.read("a list of store paths or { children_of = store paths; }", &points); err != nil {
		return nil, err
	}
	return a.onGraph(func(s *subgraph) value {
		var off []int
		for _, p := range points {
			if p.childrenOf == nil {
				off = append(off, s.findAll([]string{p.path})...)
			}
			for _, parent := range s.findAll(p.childrenOf) {
				off = append(off, s.out[parent]...)
			}
		}
		if len(off) == 0 {
			return parts{{"rest", s}}
		}
		roots := s.roots()
		if len(roots) == 1 && slices.Contains(off, roots[0]) {
			return parts{{"main", s}}
		}
		split := reach(s.out, off)
		rest := s.cutOff(off)
		// A split point that is a root hangs on nothing once it is cut off.
		isOff := setOf(off)
		kept := reach(rest.out, slices.DeleteFunc(roots, func(i int) bool { return isOff[i] }))
		var out parts
		for _, c := range []struct {
			name string
			in   func(i int) bool
		}{
			{"main", func(i int) bool { return split[i] && !kept[i] }},
			{"common", func(i int) bool { return split[i] && kept[i] }},
			{"rest", func(i int) bool { return !split[i] && kept[i] }},
		} {
			keep := map[int]bool{}
			for _, i := range s.list {
				keep[i] = c.in(i)
			}
			if cut := rest.induced(keep); len(cut.list) > 0 {
				out = append(out, part{c.name, cut})
			}
		}
		return out
	}), nil
}
