// Package graphtext draws the references of store objects as text: trees, and the
// graphs of Graphviz and GraphML, as nix-store --query does.
package graphtext

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// The parts of a tree.
const (
	connector = "├───"
	corner    = "└───"
	line      = "│   "
	blank     = "    "
)

// Tree draws what the roots refer to. What was drawn before is not drawn again
// but marked by dots. Objects come before what refers to them, which keeps the
// tree flat. (Nix: printTree)
func Tree(ctx context.Context, w io.Writer, st store.Store, roots []storepath.Path) error {
	out := bufio.NewWriter(w)
	t := tree{ctx: ctx, w: out, st: st, done: map[storepath.Path]bool{}}
	for _, p := range roots {
		if err := t.node(p, "", ""); err != nil {
			return err
		}
	}
	return out.Flush()
}

type tree struct {
	ctx  context.Context
	w    *bufio.Writer
	st   store.Store
	done map[storepath.Path]bool
}

func (t *tree) node(p storepath.Path, first, rest string) error {
	if t.done[p] {
		fmt.Fprintf(t.w, "%s%s [...]\n", first, p)
		return nil
	}
	t.done[p] = true
	fmt.Fprintf(t.w, "%s%s\n", first, p)
	info, err := t.st.Info(t.ctx, p)
	if err != nil {
		return err
	}
	sorted, err := store.TopoSort(t.ctx, t.st, info.References)
	if err != nil {
		return err
	}
	for i, ref := range sorted {
		mark, more := connector, line
		if i == len(sorted)-1 {
			mark, more = corner, blank
		}
		if err := t.node(ref, rest+mark, rest+more); err != nil {
			return err
		}
	}
	return nil
}

// edgeColours take turns.
var edgeColours = [...]string{"black", "red", "green", "blue", "magenta", "burlywood"}

// Dot writes the graph of the roots' closures for Graphviz. (Nix: printDotGraph)
func Dot(ctx context.Context, w io.Writer, st store.Store, roots []storepath.Path) error {
	out := bufio.NewWriter(w)
	edges := 0
	out.WriteString("digraph G {\n")
	err := walk(ctx, st, roots, func(info *store.Info) {
		fmt.Fprintf(out, "\"%s\" [label = \"%s\", shape = box, style = filled, fillcolor = \"#ff0000\"];\n", info.Path.Base(), info.Path.Name())
	}, func(from, to storepath.Path) {
		fmt.Fprintf(out, "\"%s\" -> \"%s\" [color = \"%s\"];\n", to.Base(), from.Base(), edgeColours[edges%len(edgeColours)])
		edges++
	})
	if err != nil {
		return err
	}
	out.WriteString("}\n")
	return out.Flush()
}

// GraphML writes the same as GraphML. (Nix: printGraphML)
func GraphML(ctx context.Context, w io.Writer, st store.Store, roots []storepath.Path) error {
	out := bufio.NewWriter(w)
	out.WriteString(`<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns='http://graphml.graphdrawing.org/xmlns'
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'
    xsi:schemaLocation='http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd'>
<key id='narSize' for='node' attr.name='narSize' attr.type='long'/>` +
		`<key id='name' for='node' attr.name='name' attr.type='string'/>` +
		`<key id='type' for='node' attr.name='type' attr.type='string'/>` +
		`<graph id='G' edgedefault='directed'>
`)
	err := walk(ctx, st, roots, func(info *store.Info) {
		kind := "output-path"
		if info.Path.IsDerivation() {
			kind = "derivation"
		}
		// Up to its first dash, nothing without one: what Nix calls the name here.
		name := info.Path.Name()[:strings.IndexByte(info.Path.Name(), '-')+1]
		fmt.Fprintf(out, "  <node id=\"%s\">\n    <data key=\"narSize\">%d</data>\n    <data key=\"name\">%s</data>\n    <data key=\"type\">%s</data>\n  </node>\n",
			info.Path.Base(), info.NarSize, name, kind)
	}, func(from, to storepath.Path) {
		fmt.Fprintf(out, "  <edge source=\"%s\" target=\"%s\"/>\n", from.Base(), to.Base())
	})
	if err != nil {
		return err
	}
	out.WriteString("</graph>\n</graphml>\n")
	return out.Flush()
}

// walk visits the closure of roots, always what sorts first of what is known and
// not visited yet.
func walk(ctx context.Context, st store.Store, roots []storepath.Path, node func(*store.Info), edge func(from, to storepath.Path)) error {
	done := map[storepath.Path]bool{}
	todo := slices.Clone(roots)
	slices.SortFunc(todo, storepath.Compare)
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		if done[p] {
			continue
		}
		done[p] = true
		info, err := st.Info(ctx, p)
		if err != nil {
			return err
		}
		node(info)
		for _, ref := range info.References {
			if ref == p {
				continue
			}
			if i, found := slices.BinarySearchFunc(todo, ref, storepath.Compare); !found {
				todo = slices.Insert(todo, i, ref)
			}
			edge(p, ref)
		}
	}
	return nil
}
