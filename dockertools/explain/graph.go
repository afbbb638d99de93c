package explain

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gonix/derivation/refscan"
	"gonix/derivation/storepath"
	"gonix/dockertools"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

// Graph is what an image consists of and how it hangs together.
type Graph struct {
	Nodes []*Node // store paths, by name
	// Roots keep store paths in the image: settings in the order of their names,
	// then files in the order of theirs.
	Roots  []Root
	Layers []Layer // lowest first
	Files  *listing.Listing

	byHash  map[string]*Node
	outside map[string][]int // what files outside of the store refer to
}

// Node is a store path of the image.
type Node struct {
	ID    int // its place in Graph.Nodes
	Path  storepath.Path
	Size  int64
	Count int // of regular files
	// Layers are the numbers, from 0, of those that its files are in.
	Layers []int
	Refs   []Ref // by ID, without itself
	// Referrers are those whose Refs name it, by ID.
	Referrers []int

	Measure
	keeper int // the nearest node without which it would leave; -1 for none
}

// Ref is a reference to a node.
type Ref struct {
	To int // ID
	// Via is the first file that holds it, inside the store path that refers;
	// "" for the store path itself. Files is how many hold it.
	Via   string
	Files int
}

// Root is a reference from outside of the store.
type Root struct {
	// Setting is the name of a setting of the configuration, or "" for a File,
	// which is an absolute name in the image; Files is how many of the folder
	// do the same.
	Setting, File string
	Files         int
	To            []int // IDs, sorted
}

// Layer is a layer of the image.
type Layer struct {
	Digest   image.Digest
	Size     int64 // as it is shipped
	Unpacked int64 // length of the tar
	FromBase bool
	// Other is the bytes of its files outside of the store, Files their number.
	Other int64
	Files int
}

// Read finds out about the image of t.
func Read(ctx context.Context, t archive.Tagged, watchers ...listing.Watcher) (*Graph, error) {
	// Which store paths there are has to be known before their files are scanned.
	sum, err := dockertools.Summarise(t)
	if err != nil {
		return nil, err
	}
	var candidates []storepath.Path
	for _, s := range sum.StorePaths {
		if p, err := storepath.Parse(s.Path); err == nil {
			candidates = append(candidates, p)
		}
	}
	scan := &scan{scanner: refscan.NewScanner(candidates), refs: map[image.Digest][]storepath.Path{}}
	l, err := listing.Read(ctx, t.Image, append(slices.Clip(watchers), scan)...)
	if err != nil {
		return nil, err
	}
	g := &Graph{Files: l, byHash: map[string]*Node{}, outside: map[string][]int{}}
	for i, s := range sum.Layers {
		g.Layers = append(g.Layers, Layer{Digest: s.Digest, Size: s.Size, Unpacked: l.UnpackedSizes[i], FromBase: s.FromBase})
	}
	g.nodes()
	g.references(scan)
	g.settings(t.Image.Config(), scan.scanner)
	g.measure()
	return g, nil
}

// scan is a [listing.Watcher] that notes what contents refer to.
type scan struct {
	scanner *refscan.Scanner
	refs    map[image.Digest][]storepath.Path
}

func (s *scan) Begin(string, int64) { s.scanner.Reset() }

func (s *scan) Write(p []byte) (int, error) { return s.scanner.Write(p) }

func (s *scan) End(digest image.Digest) {
	if found := s.scanner.Found(); len(found) > 0 {
		s.refs[digest] = found
	}
}

// text returns what a short text refers to.
func (s *scan) text(text string) []storepath.Path {
	if len(text) < storepath.HashLen {
		return nil
	}
	s.scanner.Reset()
	s.scanner.Write([]byte(text))
	return s.scanner.Found()
}

// nodes collects the store paths that are left when all layers are applied.
func (g *Graph) nodes() {
	var node *Node
	for i := range g.Files.Files {
		f := &g.Files.Files[i]
		base := listing.StorePath(f.Name)
		if base == "" {
			if f.Kind == tarball.Regular && !f.Linked && f.Layer >= 0 {
				g.Layers[f.Layer].Other += f.Size
				g.Layers[f.Layer].Files++
			}
			continue
		}
		p, err := storepath.FromBase(base)
		if err != nil {
			continue
		}
		if node == nil || node.Path != p {
			node = &Node{Path: p}
			g.Nodes = append(g.Nodes, node)
		}
		if f.Kind == tarball.Regular {
			node.Count++
			if !f.Linked {
				node.Size += f.Size
			}
		}
		if f.Layer >= 0 && !slices.Contains(node.Layers, f.Layer) {
			node.Layers = append(node.Layers, f.Layer)
		}
	}
	slices.SortFunc(g.Nodes, func(a, b *Node) int {
		return cmp.Or(strings.Compare(a.Path.Name(), b.Path.Name()), storepath.Compare(a.Path, b.Path))
	})
	for i, n := range g.Nodes {
		n.ID = i
		slices.Sort(n.Layers)
		g.byHash[n.Path.HashPart()] = n
	}
}

// unrooted are folders whose files name store paths without needing them.
var unrooted = []string{"nix/var/nix/", "nix/store/.links/"}

// references finds the edges of the graph, and the roots that are files.
func (g *Graph) references(s *scan) {
	type edge struct{ from, to int }
	refs := map[edge]*Ref{}
	folders := map[string]*Root{}
	for i := range g.Files.Files {
		f := &g.Files.Files[i]
		var found []storepath.Path
		switch f.Kind {
		case tarball.Regular:
			found = s.refs[f.Digest]
		case tarball.Symlink:
			found = s.text(f.Target)
		}
		base, rest, _ := strings.Cut(strings.TrimPrefix(f.Name, "nix/store/"), "/")
		var from *Node
		if listing.StorePath(f.Name) != "" && len(base) > storepath.HashLen {
			from = g.byHash[base[:storepath.HashLen]]
			if more := s.text(rest); len(more) > 0 {
				found = append(slices.Clone(found), more...)
			}
		} else if slices.ContainsFunc(unrooted, func(u string) bool { return strings.HasPrefix(f.Name, u) }) {
			continue
		}
		for _, p := range found {
			to := g.byHash[p.HashPart()]
			if to == nil || to == from {
				continue
			}
			if from == nil {
				g.outside[f.Name] = append(g.outside[f.Name], to.ID)
				// One root a folder keeps hundreds of links from hiding the rest.
				key := path.Dir("/"+f.Name) + fmt.Sprint(" ", to.ID)
				if r := folders[key]; r != nil {
					r.Files++
				} else {
					folders[key] = &Root{File: "/" + f.Name, Files: 1, To: []int{to.ID}}
				}
				continue
			}
			if r := refs[edge{from.ID, to.ID}]; r != nil {
				r.Files++
			} else {
				refs[edge{from.ID, to.ID}] = &Ref{To: to.ID, Via: rest, Files: 1}
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(refs), func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, e := range keys {
		g.Nodes[e.from].Refs = append(g.Nodes[e.from].Refs, *refs[e])
		g.Nodes[e.to].Referrers = append(g.Nodes[e.to].Referrers, e.from)
	}
	byFile := map[string]*Root{}
	for _, r := range folders {
		if have := byFile[r.File]; have != nil {
			have.To, have.Files = append(have.To, r.To...), max(have.Files, r.Files)
		} else {
			byFile[r.File] = r
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(byFile), tarball.Compare) {
		slices.Sort(byFile[name].To)
		g.Roots = append(g.Roots, *byFile[name])
	}
}

// settings finds the roots in the configuration and puts them first.
func (g *Graph) settings(cfg image.Config, scanner *refscan.Scanner) {
	var roots []Root
	for _, key := range slices.Sorted(maps.Keys(cfg.Settings)) {
		scanner.Reset()
		scanner.Write(bytes.ReplaceAll(cfg.Settings[key], []byte(`\/`), []byte(`/`)))
		root := Root{Setting: key}
		for _, p := range scanner.Found() {
			if n := g.byHash[p.HashPart()]; n != nil {
				root.To = append(root.To, n.ID)
			}
		}
		if len(root.To) > 0 {
			slices.Sort(root.To)
			roots = append(roots, root)
		}
	}
	g.Roots = append(roots, g.Roots...)
}

// String names the root as a person would.
func (r Root) String() string {
	switch {
	case r.Setting != "":
		return "setting " + r.Setting
	case r.Files > 1:
		return fmt.Sprintf("file %s and %d more beside it", r.File, r.Files-1)
	}
	return "file " + r.File
}

// MarshalJSON writes one of setting and file.
func (r Root) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Setting string `json:"setting,omitempty"`
		File    string `json:"file,omitempty"`
		Files   int    `json:"files,omitempty"`
	}{r.Setting, r.File, r.Files})
}
