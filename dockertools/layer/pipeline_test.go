package layer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/storepath"
)

// pathOf is a made-up store path called name; sizes follow the names.
func pathOf(name string) storepath.Path {
	return storepath.MustParse("/nix/store/" + strings.Repeat(string("0123456789abcdfghijk"[len(name)]), 32) + "-" + name)
}

// graphOf reads "a>b,c b>c d": paths and what they refer to.
func graphOf(text string) Graph {
	var g Graph
	index := map[string]int{}
	add := func(name string) int {
		if i, ok := index[name]; ok {
			return i
		}
		index[name] = len(g)
		g = append(g, Item{Path: pathOf(name), NarSize: int64(len(g))})
		return len(g) - 1
	}
	for _, word := range strings.Fields(text) {
		name, refs, _ := strings.Cut(word, ">")
		i := add(name)
		for _, r := range strings.FieldsFunc(refs, func(r rune) bool { return r == ',' }) {
			add(r)
			g[i].References = append(g[i].References, pathOf(r))
		}
	}
	return g
}

// pipelineText writes @name as the path of that name.
func pipelineText(text string) []byte {
	for _, name := range []string{"app", "base", "lib", "tool", "none", "root", "data", "conf"} {
		text = strings.ReplaceAll(text, "@"+name, `"`+pathOf(name).String()+`"`)
	}
	return []byte(text)
}

func TestPipeline(t *testing.T) {
	//  root ─> app ─> lib ─> base     tool ─> lib     data
	//             └─> conf
	const graph = "root>app app>lib,conf lib>base conf tool>lib data"
	for _, c := range []struct{ pipeline, want string }{
		{`[["popularity_contest"]]`, "base | lib | conf | app | data | root | tool"},
		{`[["popularity_contest"],["limit_layers",3]]`, "base | lib | app conf data root tool"},
		{`[["popularity_contest"],["limit_layers",100]]`, "base | lib | conf | app | data | root | tool"},
		{`[["popularity_contest"],["reverse"],["limit_layers",2]]`, "tool | app base conf data lib root"},
		{`[["subcomponent_out",[@lib]]]`, "base lib | app conf data root tool"},
		{`[["subcomponent_in",[@lib]]]`, "app lib root tool | base conf data"},
		{`[["subcomponent_out",[@none]]]`, "app base conf data lib root tool"},
		{`[["subcomponent_in",@lib],["over","main",["split_every",1]],["flatten"],["reverse"]]`, "base conf data | tool | lib | app | root"},
		{`[["split_paths",[@app]]]`, "app conf | base lib | data root tool"},
		{`[["split_paths",[@app]],["reorder",["rest","common"]]]`, "data root tool | base lib | app conf"},
		{`[["split_paths",[{"children_of":@app}]]]`, "base conf lib | app data root tool"},
		{`[["split_paths",[@none]]]`, "app base conf data lib root tool"},
		{`[["split_paths",[@data]]]`, "data | app base conf lib root tool"},
		{`[["split_paths",[@app]],["over","main",["pipe",[["subcomponent_in",[@app]],["over","rest",["popularity_contest"]]]]],["flatten"],["map",["remove_paths",@data]],["limit_layers",3]]`,
			"app | conf | base lib root tool"},
		{`[["remove_paths",[@base,@data]],["split_every",3]]`, "app lib root | conf tool"},
		{`[]`, "app base conf data lib root tool"},
	} {
		p, err := ParsePipeline(pipelineText(c.pipeline))
		if err != nil {
			t.Errorf("%s: %v", c.pipeline, err)
			continue
		}
		groups, err := p.Cut(graphOf(graph))
		if err != nil {
			t.Errorf("%s: %v", c.pipeline, err)
			continue
		}
		var got []string
		for _, g := range groups {
			var names []string
			for _, p := range g {
				names = append(names, p.Name())
			}
			got = append(got, strings.Join(slices.Sorted(slices.Values(names)), " "))
		}
		if d := cmp.Diff(c.want, strings.Join(got, " | ")); d != "" {
			t.Errorf("%s: %s", c.pipeline, d)
		}
	}
	if p, err := ParsePipeline([]byte(`[["subcomponent_out",[]],["flatten"]]`)); err != nil {
		t.Error(err)
	} else if groups, err := p.Cut(nil); err != nil || len(groups) != 0 {
		t.Errorf("nothing: %v, error %v", groups, err)
	}
}

func TestPipelineErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                   "pipeline takes a list of steps",
		`["flatten"]`:                          `a step is a list of its name and its arguments, not "flatten"`,
		`[["sort"]]`:                           "step 'sort' is unknown; there are flatten, limit_layers, map, over, pipe,",
		`[["flatten",1]]`:                      "flatten takes no arguments",
		`[["limit_layers",0]]`:                 "limit_layers takes a number above 0",
		`[["split_every",-1]]`:                 "split_every takes a number above 0",
		`[["split_paths",[{"parents_of":1}]]]`: "split_paths takes a list of store paths",
		`[["over","main"]]`:                    "over takes the name of a part and a step",
		`[["over","main",["flatten"]]]`:        "over works on the part 'main', but is given a graph",
		`[["subcomponent_out",[]],["over","common",["flatten"]]]`: "given the parts 'main', 'rest'",
		`[["limit_layers",2]]`:                                                         "limit_layers works on a list, but is given a graph",
		`[["popularity_contest"],["subcomponent_in",[]]]`:                              "subcomponent_in works on a graph, but is given a list",
		`[["split_every",1],["map",["subcomponent_in",[]]],["limit_layers",1]]`:        "limit_layers works on a list of graphs (flatten makes one), but is given the parts",
		strings.Repeat(`[["pipe",`, 100) + `[["flatten"]]` + strings.Repeat(`]]`, 100): "steps are nested too deeply",
	} {
		p, err := ParsePipeline([]byte(text))
		if err == nil {
			_, err = p.Cut(graphOf("a>b b"))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: error %v, expected %s", text, err, want)
		}
	}
}

// TestPopularChains counts more chains than 64 bits hold, in time that does not
// grow with them.
func TestPopularChains(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "n%03d>", i)
		for j := i + 1; j < 200; j++ {
			fmt.Fprintf(&text, "n%03d,", j)
		}
		text.WriteByte(' ')
	}
	g := graphOf(text.String())
	p, err := ParsePipeline([]byte(`[["popularity_contest"]]`))
	if err != nil {
		t.Fatal(err)
	}
	groups, err := p.Cut(g)
	if err != nil || len(groups) != 200 || groups[0][0].Name() != "n199" || groups[199][0].Name() != "n000" {
		t.Errorf("%d groups, error %v", len(groups), err)
	}
}
