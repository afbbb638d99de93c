package explain

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gonix/derivation/storepath"
	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

// Subject is what is to be explained: a store path, a file in one, or a file
// elsewhere.
type Subject struct {
	Node *Node         // nil for a file outside of the store
	File *listing.File // nil for a whole store path
	// Twin is a file of a store path of the image with the same bytes as a File
	// outside of the store; "" if there is none.
	Twin string
}

// maxLinks bounds the symbolic links followed for one name.
const maxLinks = 40

// Find returns what a word names: a store path, its base name, its hash part or
// the beginning of that, the name of a package, or an absolute file name, of
// which directories that are symbolic links are followed.
func (g *Graph) Find(word string) (Subject, error) {
	if path.IsAbs(word) {
		return g.findFile(path.Clean(word))
	}
	var found []*Node
	for _, n := range g.Nodes {
		if n.Path.Base() == word || n.Path.HashPart() == word {
			return Subject{Node: n}, nil
		}
		if n.Path.Name() == word || packageName(n.Path.Name()) == word || len(word) >= 4 && strings.HasPrefix(n.Path.HashPart(), word) {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 1:
		return Subject{Node: found[0]}, nil
	case 0:
		return Subject{}, fmt.Errorf("the image has no store path '%s' (a store path, its hash or name, or an absolute file name is expected)%s", word, g.similar(word))
	}
	var names []string
	for _, n := range found {
		names = append(names, n.Path.String())
	}
	return Subject{}, fmt.Errorf("'%s' may be each of\n  %s", word, strings.Join(names, "\n  "))
}

// similar names store paths that have the word in their name.
func (g *Graph) similar(word string) string {
	var names []string
	for _, n := range g.Nodes {
		if len(names) < 5 && strings.Contains(strings.ToLower(n.Path.Name()), strings.ToLower(word)) {
			names = append(names, n.Path.String())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; it has\n  " + strings.Join(names, "\n  ")
}

// packageName is a name up to its version (Nix: DrvName).
func packageName(name string) string {
	for i := 0; i+1 < len(name); i++ {
		if c := name[i+1]; name[i] == '-' && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return name[:i]
		}
	}
	return name
}

func (g *Graph) findFile(name string) (Subject, error) {
	if p, err := storepath.Parse(name); err == nil {
		n := g.byHash[p.HashPart()]
		if n == nil || n.Path != p {
			return Subject{}, fmt.Errorf("the image has no store path '%s'%s", name, g.similar(packageName(p.Name())))
		}
		return Subject{Node: n}, nil
	}
	files := make(map[string]*listing.File, len(g.Files.Files))
	for i := range g.Files.Files {
		files[g.Files.Files[i].Name] = &g.Files.Files[i]
	}
	f := lookup(files, name, 0)
	if f == nil {
		return Subject{}, fmt.Errorf("the image has no file '%s'", name)
	}
	s := Subject{File: f}
	if p, rest, err := storepath.Split("/" + f.Name); err == nil {
		s.Node = g.byHash[p.HashPart()]
		if rest == "" {
			s.File = nil
		}
		return s, nil
	}
	if f.Kind == tarball.Regular && f.Size > 0 {
		s.Twin = g.twin(f.Digest)
	}
	return s, nil
}

func (g *Graph) twin(digest image.Digest) string {
	for i := range g.Files.Files {
		if f := &g.Files.Files[i]; f.Digest == digest && listing.StorePath(f.Name) != "" {
			return "/" + f.Name
		}
	}
	return ""
}

// lookup finds a file; of its name all but the last part may be links.
func lookup(files map[string]*listing.File, name string, links int) *listing.File {
	parts := strings.Split(strings.Trim(name, "/"), "/")
	at := ""
	for i, part := range parts[:len(parts)-1] {
		full := strings.TrimPrefix(at+"/"+part, "/")
		f := files[full]
		if f != nil && f.Kind == tarball.Symlink {
			if links++; links > maxLinks {
				return nil
			}
			target := f.Target
			if !path.IsAbs(target) {
				target = "/" + at + "/" + target
			}
			return lookup(files, path.Join(append([]string{"/", target}, parts[i+1:]...)...), links)
		}
		at = full
	}
	return files[strings.TrimPrefix(at+"/"+parts[len(parts)-1], "/")]
}

// Chain is a way from a root to a node.
type Chain struct {
	Root *Root // nil where nothing outside of the store refers to the first node
	// Steps are nodes by ID, the first one named by the root, each of the others
	// by the one before it, in the file Via of that one.
	Steps []Step
}

// Step is a node of a chain.
type Step struct {
	ID  int
	Via string // file of the step before that refers to this one; "" at first
}

// Why returns one chain for each root that leads to a node, each a shortest one,
// the shortest first and otherwise in the order of the roots. A node that no root
// leads to has a chain from each node that nothing refers to.
func (g *Graph) Why(id int) []Chain {
	// next leads towards id by a shortest way.
	distance := make([]int, len(g.Nodes))
	next := make([]Ref, len(g.Nodes))
	for i := range distance {
		distance[i] = -1
	}
	distance[id] = 0
	todo := []int{id}
	for ; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		for _, from := range g.Nodes[at].Referrers {
			if distance[from] < 0 {
				distance[from] = distance[at] + 1
				for _, r := range g.Nodes[from].Refs {
					if r.To == at {
						next[from] = r
					}
				}
				todo = append(todo, from)
			}
		}
	}
	walk := func(root *Root, at int) Chain {
		c := Chain{Root: root, Steps: []Step{{ID: at}}}
		for at != id {
			r := next[at]
			at = r.To
			c.Steps = append(c.Steps, Step{ID: at, Via: r.Via})
		}
		return c
	}
	var chains []Chain
	for i := range g.Roots {
		best := -1
		for _, to := range g.Roots[i].To {
			if distance[to] >= 0 && (best < 0 || distance[to] < distance[best]) {
				best = to
			}
		}
		if best >= 0 {
			chains = append(chains, walk(&g.Roots[i], best))
		}
	}
	if len(chains) == 0 {
		for _, n := range g.Nodes {
			if distance[n.ID] >= 0 && len(n.Referrers) == 0 {
				chains = append(chains, walk(nil, n.ID))
			}
		}
		if len(chains) == 0 { // only a cycle leads there
			chains = append(chains, walk(nil, id))
		}
	}
	slices.SortStableFunc(chains, func(a, b Chain) int { return len(a.Steps) - len(b.Steps) })
	return chains
}
