package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"gonix/dockertools/tarball"
)

// Text writes explanations for people.
type Text struct {
	Graph *Graph
	// Size writes a number of bytes, Clean takes out what would disturb a terminal.
	Size  func(int64) string
	Clean func(string) string
	// All gives every chain of references, not only the shortest.
	All bool
}

// Table lists all store paths, those first with which most would leave.
func (t Text) Table(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "own size\tclosure\twould leave\tlayer\t")
	list := slices.Clone(t.Graph.Nodes)
	slices.SortStableFunc(list, func(a, b *Node) int {
		return cmp.Or(cmp.Compare(b.LeavingSize, a.LeavingSize), cmp.Compare(b.Size, a.Size))
	})
	for _, n := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t  %s\n", t.Size(n.Size), t.Size(n.ClosureSize), t.Size(n.LeavingSize), layerNumbers(n.Layers), n.Path)
	}
	for i, l := range t.Graph.Layers {
		if l.Files > 0 {
			fmt.Fprintf(tw, "%s\t\t\t%d\t  %s\n", t.Size(l.Other), i+1, filesOutside(l))
		}
	}
	return tw.Flush()
}

func filesOutside(l Layer) string {
	if l.FromBase {
		return fmt.Sprintf("%d files of the base image outside the store", l.Files)
	}
	return fmt.Sprintf("%d files outside the store", l.Files)
}

func layerNumbers(layers []int) string {
	var parts []string
	for _, l := range layers {
		parts = append(parts, strconv.Itoa(l+1))
	}
	return strings.Join(parts, ",")
}

// Subject says why s is in the image.
func (t Text) Subject(w io.Writer, s Subject) error {
	var b strings.Builder
	if s.File != nil {
		t.file(&b, s)
	}
	if s.Node != nil {
		t.node(&b, s.Node)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t Text) file(b *strings.Builder, s Subject) {
	f := s.File
	fmt.Fprintf(b, "/%s\n", t.Clean(f.Name))
	switch f.Kind {
	case tarball.Symlink:
		fmt.Fprintf(b, "  symbolic link to %s\n", t.Clean(f.Target))
	case tarball.Regular:
		fmt.Fprintf(b, "  size         %s\n", t.Size(f.Size))
	default:
		fmt.Fprintf(b, "  %s\n", f.Kind)
	}
	t.layers(b, []int{f.Layer})
	if f.Linked {
		fmt.Fprintf(b, "  bytes        shared: the layer has it as a hard link\n")
	}
	if s.Twin != "" {
		fmt.Fprintf(b, "  the same as  %s\n", t.Clean(s.Twin))
	}
	if s.Node == nil {
		if f.Layer >= 0 && t.Graph.Layers[f.Layer].FromBase {
			fmt.Fprintf(b, "It is not in the store: the base image has it.\n")
		} else {
			fmt.Fprintf(b, "It is not in the store: the contents or the scripts of the image put it there.\n")
		}
		for _, to := range t.Graph.outside[f.Name] {
			fmt.Fprintf(b, "  keeps        %s (%s with its closure)\n", t.Graph.Nodes[to].Path, t.Size(t.Graph.Nodes[to].ClosureSize))
		}
		return
	}
	fmt.Fprintln(b)
}

func (t Text) layers(b *strings.Builder, layers []int) {
	for _, l := range layers {
		if l < 0 {
			continue
		}
		base := ""
		if t.Graph.Layers[l].FromBase {
			base = ", of the base image"
		}
		fmt.Fprintf(b, "  layer        %d of %d, %s%s\n", l+1, len(t.Graph.Layers), t.Graph.Layers[l].Digest, base)
	}
}

func (t Text) node(b *strings.Builder, n *Node) {
	g := t.Graph
	fmt.Fprintf(b, "%s\n", n.Path)
	t.layers(b, n.Layers)
	fmt.Fprintf(b, "  own size     %s in %d files\n", t.Size(n.Size), n.Count)
	fmt.Fprintf(b, "  closure      %s in %d store paths\n", t.Size(n.ClosureSize), n.ClosureCount)
	fmt.Fprintf(b, "  would leave  %s in %d store paths\n", t.Size(n.LeavingSize), n.LeavingCount)
	if n.LeavingCount > 1 && t.All {
		for _, id := range g.Leaving(n.ID) {
			fmt.Fprintf(b, "    %9s  %s\n", t.Size(g.Nodes[id].Size), g.Nodes[id].Path)
		}
	}
	chains := g.Why(n.ID)
	show := chains
	if !t.All {
		show = chains[:1]
	}
	for _, c := range show {
		fmt.Fprintln(b)
		if c.Root == nil {
			fmt.Fprintf(b, "nothing outside of the store refers to\n")
		} else {
			fmt.Fprintf(b, "%s refers to\n", t.Clean(c.Root.String()))
		}
		for depth, s := range c.Steps {
			indent := strings.Repeat("   ", max(0, depth-1))
			if depth > 0 {
				via := ""
				if s.Via != "" {
					via = "/" + t.Clean(s.Via) + " refers to "
				}
				fmt.Fprintf(b, "%s└─ %s", indent, via)
			}
			at := g.Nodes[s.ID]
			fmt.Fprintf(b, "%s (%s, layer %s)\n", at.Path, t.Size(at.Size), layerNumbers(at.Layers))
		}
	}
	if rest := len(chains) - len(show); rest > 0 {
		fmt.Fprintf(b, "\n%d other roots lead there; --all shows them\n", rest)
	}
}
