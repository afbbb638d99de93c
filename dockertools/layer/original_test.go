package layer

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/storepath"
)

// TestOriginal compares with what nixpkgs' flatten-references-graph makes of
// random graphs: which paths each layer has, and the order of the layers. The
// order within a layer says nothing, because a layer's files are sorted.
func TestOriginal(t *testing.T) {
	data, err := os.ReadFile("testdata/pipelines.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Graphs map[string][]struct {
			Path       string
			References []string
			NarSize    int64
		}
		Cases []struct {
			Name, Graph, Layers string
			Pipeline            json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, c := range recorded.Cases {
		t.Run(c.Name, func(t *testing.T) {
			var g Graph
			for _, n := range recorded.Graphs[c.Graph] {
				item := Item{Path: storepath.MustParse(n.Path), NarSize: n.NarSize}
				for _, r := range n.References {
					item.References = append(item.References, storepath.MustParse(r))
				}
				g = append(g, item)
			}
			p, err := ParsePipeline(c.Pipeline)
			if err != nil {
				t.Fatal(err)
			}
			groups, err := p.Cut(g)
			if err != nil {
				t.Fatal(err)
			}
			var layers []string
			for _, group := range groups {
				var names []string
				for _, p := range group {
					names = append(names, p.Name())
				}
				slices.Sort(names)
				layers = append(layers, strings.Join(names, " "))
			}
			if d := cmp.Diff(c.Layers, strings.Join(layers, " | ")); d != "" {
				t.Error(d)
			}
		})
	}
}
