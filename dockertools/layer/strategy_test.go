package layer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/storepath"
)

func item(letter string, size int64) Item {
	return Item{Path: storepath.MustParse("/nix/store/" + strings.Repeat(letter, 32) + "-" + letter), Size: size}
}

func show(groups []Group) []string {
	var out []string
	for _, g := range groups {
		var names []string
		for _, p := range g {
			names = append(names, p.Name())
		}
		out = append(out, strings.Join(names, " "))
	}
	return out
}

func TestStrategies(t *testing.T) {
	graph := Graph{item("a", 10), item("b", 300), item("c", 10), item("d", 300), item("f", 20)}
	for _, c := range []struct {
		strategy string
		layers   int
		graph    Graph
		want     []string
	}{
		{"single", 100, graph, []string{"a b c d f"}},
		{"single", 100, nil, nil},
		{"size-first", 100, graph, []string{"b", "d", "f", "a", "c"}},
		{"size-first", 5, graph, []string{"b", "d", "f", "a", "c"}},
		{"size-first", 4, graph, []string{"b", "d", "f", "a c"}},
		{"size-first", 2, graph, []string{"b", "a c d f"}},
		{"size-first", 1, graph, []string{"a b c d f"}},
		{"size-first", 1, nil, nil},
	} {
		s, err := Parse(c.strategy)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			rand.Shuffle(len(c.graph), func(i, j int) { c.graph[i], c.graph[j] = c.graph[j], c.graph[i] })
			if d := cmp.Diff(c.want, show(s.Cut(c.graph, Budget{c.layers}))); d != "" {
				t.Errorf("%s with %d layers: %s", c.strategy, c.layers, d)
			}
		}
	}
	if _, err := Parse("popularity"); err == nil || !strings.Contains(err.Error(), "there are single, size-first") {
		t.Errorf("error %v", err)
	}
}
