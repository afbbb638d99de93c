package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Pipeline is a way to cut a graph that the user has put together of steps, in
// the form of nixpkgs' layeringPipeline: a list of steps, each a list of its name
// and its arguments.
//
//	[["subcomponent_out", ["/nix/store/…-python"]],
//	 ["over", "rest", ["pipe", [["popularity_contest"], ["limit_layers", 50]]]]]
//
// A step is given what the one before made of the graph: a graph, a list, or
// named parts. In the end every graph that is left is a layer; what
// remove_paths took out is in none.
type Pipeline struct{ run step }

// step changes a value of a pipeline.
type step func(value) (value, error)

// value is what passes between steps: *subgraph | list | parts.
type value any

type list []value

// parts are named values in an order.
type parts []part

type part struct {
	name  string
	value value
}

// maxPipelineDepth bounds steps inside steps.
const maxPipelineDepth = 64

// stepKinds has every step by name, with the function that reads its arguments.
// It is a function because some steps are made of others.
func stepKinds() map[string]func(a arguments) (step, error) {
	return map[string]func(a arguments) (step, error){
		"flatten":            flattenStep,
		"limit_layers":       limitLayers,
		"map":                mapStep,
		"over":               overStep,
		"pipe":               pipeStep,
		"popularity_contest": popularityStep,
		"remove_paths":       removePaths,
		"reorder":            reorder,
		"reverse":            reverseStep,
		"split_every":        splitEvery,
		"split_paths":        splitPaths,
		"subcomponent_in":    subcomponentIn,
		"subcomponent_out":   subcomponentOut,
	}
}

// ParsePipeline reads the JSON of a pipeline.
func ParsePipeline(data []byte) (*Pipeline, error) {
	run, err := pipeStep(arguments{name: "pipeline", list: []json.RawMessage{data}})
	if err != nil {
		return nil, err
	}
	return &Pipeline{run}, nil
}

// Cut cuts g into groups, lowest first.
func (p *Pipeline) Cut(g Graph) ([]Group, error) {
	v, err := p.run(whole(g))
	if err != nil {
		return nil, err
	}
	var groups []Group
	for _, x := range flatten(nil, v) {
		if s := x.(*subgraph); len(s.list) > 0 {
			groups = append(groups, s.group())
		}
	}
	return groups, nil
}

// arguments are those of a step, in JSON.
type arguments struct {
	name  string
	list  []json.RawMessage
	depth int
}

// parseStep reads a step in JSON, as an argument of another.
func parseStep(data json.RawMessage, depth int) (step, error) {
	if depth > maxPipelineDepth {
		return nil, errors.New("steps are nested too deeply")
	}
	var words []json.RawMessage
	var name string
	if json.Unmarshal(data, &words) != nil || len(words) == 0 || json.Unmarshal(words[0], &name) != nil {
		return nil, fmt.Errorf("a step is a list of its name and its arguments, not %s", data)
	}
	kinds := stepKinds()
	make := kinds[name]
	if make == nil {
		return nil, fmt.Errorf("step '%s' is unknown; there are %s", name, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	return make(arguments{name: name, list: words[1:], depth: depth + 1})
}

// read decodes the arguments into the values given, of which there must be as
// many.
func (a arguments) read(what string, into ...any) error {
	if len(a.list) == len(into) {
		ok := true
		for i, v := range into {
			ok = ok && json.Unmarshal(a.list[i], v) == nil
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("%s takes %s", a.name, what)
}

// mismatch is the error of a step that is given something that it cannot change.
func (a arguments) mismatch(wanted string, v value) error {
	is := "a graph"
	switch v := v.(type) {
	case list:
		is = "a list"
	case parts:
		var names []string
		for _, p := range v {
			names = append(names, "'"+p.name+"'")
		}
		is = "the parts " + strings.Join(names, ", ")
	}
	return fmt.Errorf("%s works on %s, but is given %s", a.name, wanted, is)
}

// onGraph is a step that changes a graph.
func (a arguments) onGraph(f func(*subgraph) value) step {
	return func(v value) (value, error) {
		s, ok := v.(*subgraph)
		if !ok {
			return nil, a.mismatch("a graph", v)
		}
		return f(s), nil
	}
}

// onList is a step that changes a list.
func (a arguments) onList(f func(list) (value, error)) step {
	return func(v value) (value, error) {
		l, ok := v.(list)
		if !ok {
			return nil, a.mismatch("a list", v)
		}
		return f(l)
	}
}

func pipeStep(a arguments) (step, error) {
	var inner []json.RawMessage
	if err := a.read("a list of steps", &inner); err != nil {
		return nil, err
	}
	steps := make([]step, len(inner))
	for i, data := range inner {
		var err error
		if steps[i], err = parseStep(data, a.depth); err != nil {
			return nil, err
		}
	}
	return func(v value) (value, error) {
		var err error
		for _, s := range steps {
			if v, err = s(v); err != nil {
				return nil, err
			}
		}
		return v, nil
	}, nil
}

func overStep(a arguments) (step, error) {
	var name string
	var data json.RawMessage
	if err := a.read("the name of a part and a step", &name, &data); err != nil {
		return nil, err
	}
	change, err := parseStep(data, a.depth)
	if err != nil {
		return nil, err
	}
	return func(v value) (value, error) {
		p, ok := v.(parts)
		at := slices.IndexFunc(p, func(x part) bool { return x.name == name })
		if !ok || at < 0 {
			return nil, a.mismatch("the part '"+name+"'", v)
		}
		changed, err := change(p[at].value)
		p = slices.Clone(p)
		p[at].value = changed
		return p, err
	}, nil
}

func mapStep(a arguments) (step, error) {
	var data json.RawMessage
	if err := a.read("a step", &data); err != nil {
		return nil, err
	}
	change, err := parseStep(data, a.depth)
	if err != nil {
		return nil, err
	}
	return a.onList(func(l list) (value, error) {
		out := make(list, len(l))
		for i, v := range l {
			var err error
			if out[i], err = change(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}), nil
}

func flattenStep(a arguments) (step, error) {
	return func(v value) (value, error) { return flatten(nil, v), nil }, a.read("no arguments")
}

// flatten appends the graphs in v to l.
func flatten(l list, v value) list {
	switch v := v.(type) {
	case list:
		for _, x := range v {
			l = flatten(l, x)
		}
		return l
	case parts:
		for _, p := range v {
			l = flatten(l, p.value)
		}
		return l
	}
	return append(l, v)
}

func reverseStep(a arguments) (step, error) {
	return a.onList(func(l list) (value, error) {
		l = slices.Clone(l)
		slices.Reverse(l)
		return l, nil
	}), a.read("no arguments")
}

func reorder(a arguments) (step, error) {
	var names []string
	if err := a.read("a list of names of parts", &names); err != nil {
		return nil, err
	}
	return func(v value) (value, error) {
		p, ok := v.(parts)
		if !ok {
			return v, nil // as the reference
		}
		rank := func(x part) int {
			if i := slices.Index(names, x.name); i >= 0 {
				return i
			}
			return len(names)
		}
		p = slices.Clone(p)
		slices.SortStableFunc(p, func(x, y part) int { return rank(x) - rank(y) })
		return p, nil
	}, nil
}

func limitLayers(a arguments) (step, error) {
	most := 0
	if err := a.read("a number above 0", &most); err != nil || most < 1 {
		return nil, errors.New("limit_layers takes a number above 0")
	}
	return a.onList(func(l list) (value, error) {
		if len(l) <= most {
			return l, nil
		}
		var rest []*subgraph
		for _, v := range l[most-1:] {
			s, ok := v.(*subgraph)
			if !ok {
				return nil, a.mismatch("a list of graphs (flatten makes one)", v)
			}
			rest = append(rest, s)
		}
		return append(slices.Clone(l[:most-1]), join(rest[0].all, rest)), nil
	}), nil
}
