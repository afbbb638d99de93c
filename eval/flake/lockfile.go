package flake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gonix/derivation/fetch/flakeref"
)

// LockFile is the graph of a flake's inputs and theirs.
type LockFile struct{ Root *Node }

// Node is a locked input, or the flake itself.
type Node struct {
	Inputs   map[string]Edge
	Locked   flakeref.Ref
	Original flakeref.Ref
	IsFlake  bool
	// Parent is the flake in whose tree a relative input lies.
	Parent    []string
	hasParent bool
}

// Edge leads to an input: to a node, or along a path from the root.
type Edge struct {
	Node    *Node
	Follows []string
}

func newNode() *Node { return &Node{Inputs: map[string]Edge{}} }

// jsonNode is a node as it is written.
type jsonNode struct {
	Inputs   map[string]json.RawMessage `json:"inputs,omitempty"`
	Locked   flakeref.Attrs             `json:"locked,omitempty"`
	Info     flakeref.Attrs             `json:"info,omitempty"` // of version 5
	Original flakeref.Attrs             `json:"original,omitempty"`
	Flake    *bool                      `json:"flake,omitempty"`
	Parent   *[]string                  `json:"parent,omitempty"`
}

// ParseLock reads a flake.lock; name is what messages call it. warn is told
// of inputs that only their hash locks.
func ParseLock(text []byte, name string, refs flakeref.Parser, warn func(string)) (*LockFile, error) {
	var file struct {
		Version int                 `json:"version"`
		Root    string              `json:"root"`
		Nodes   map[string]jsonNode `json:"nodes"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("Could not parse '%s': %w", name, err)
	}
	if file.Version < 5 || file.Version > 7 {
		return nil, fmt.Errorf("lock file '%s' has unsupported version %d", name, file.Version)
	}
	root := newNode()
	nodes := map[string]*Node{file.Root: root}
	var inputs func(n *Node, j jsonNode) error
	inputs = func(n *Node, j jsonNode) error {
		for _, id := range slices.Sorted(maps.Keys(j.Inputs)) {
			var follows []string
			var key string
			if json.Unmarshal(j.Inputs[id], &follows) == nil {
				n.Inputs[id] = Edge{Follows: follows}
				continue
			}
			if err := json.Unmarshal(j.Inputs[id], &key); err != nil {
				return fmt.Errorf("Could not parse '%s': the input '%s' is neither a name nor a list of names", name, id)
			}
			child, ok := nodes[key]
			if !ok {
				jn, ok := file.Nodes[key]
				if !ok {
					return fmt.Errorf("lock file references missing node '%s'", key)
				}
				var err error
				if child, err = lockedNode(jn, refs, warn); err != nil {
					return err
				}
				nodes[key] = child
				if err := inputs(child, jn); err != nil {
					return err
				}
			}
			if child == root {
				return fmt.Errorf("lock file contains cycle to root node")
			}
			n.Inputs[id] = Edge{Node: child}
		}
		return nil
	}
	if err := inputs(root, file.Nodes[file.Root]); err != nil {
		return nil, err
	}
	return &LockFile{root}, nil
}

func lockedNode(j jsonNode, refs flakeref.Parser, warn func(string)) (*Node, error) {
	n := newNode()
	n.IsFlake = j.Flake == nil || *j.Flake
	if j.Parent != nil {
		n.Parent, n.hasParent = *j.Parent, true
	}
	for _, part := range []struct {
		name  string
		attrs flakeref.Attrs
		into  *flakeref.Ref
	}{{"locked", j.Locked, &n.Locked}, {"original", j.Original, &n.Original}} {
		if part.attrs == nil {
			return nil, fmt.Errorf("attribute '%s' missing in lock file", part.name)
		}
		attrs := maps.Clone(part.attrs)
		if part.name == "locked" {
			maps.Copy(attrs, j.Info)
		}
		var err error
		if *part.into, err = refs.FromAttrs(attrs); err != nil {
			return nil, err
		}
	}
	in := n.Locked.Input
	if _, relative := in.Relative(); !in.Locked() && !relative {
		if h, err := in.NARHash(); err != nil || h.IsZero() {
			return nil, fmt.Errorf("Lock file contains unlocked input '%s'. Use '--allow-dirty-locks' to accept this lock file.", in.Attrs.JSON())
		}
		warn(fmt.Sprintf("Lock file entry '%s' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. "+
			"This is not reproducible and will break after garbage collection or when shared.", n.Locked))
	}
	// What stands in a lock file is all there is to know.
	n.Locked.Input = in.With("__final", flakeref.Flag(true))
	return n, nil
}

// find follows a path from the root; it returns nil if there is no such input.
func (l *LockFile) find(at []string) (*Node, error) {
	var visited [][]string
	var walk func(at []string) (*Node, error)
	walk = func(at []string) (*Node, error) {
		for i, v := range visited {
			if slices.Equal(v, at) {
				var cycle []string
				for _, v := range append(visited[i:], at) {
					cycle = append(cycle, strings.Join(v, "/"))
				}
				return nil, fmt.Errorf("follow cycle detected: [%s]", strings.Join(cycle, " -> "))
			}
		}
		visited = append(visited, at)
		n := l.Root
		for _, id := range at {
			e, ok := n.Inputs[id]
			switch {
			case !ok:
				return nil, nil
			case e.Node != nil:
				n = e.Node
			default:
				next, err := walk(e.Follows)
				if next == nil || err != nil {
					return nil, err
				}
				n = next
			}
		}
		return n, nil
	}
	return walk(at)
}

// flat lists the inputs by their paths from the root, each node once.
func (l *LockFile) flat() map[string]Edge {
	out := map[string]Edge{}
	done := map[*Node]bool{}
	var walk func(prefix string, n *Node)
	walk = func(prefix string, n *Node) {
		if done[n] {
			return
		}
		done[n] = true
		for _, id := range slices.Sorted(maps.Keys(n.Inputs)) {
			e := n.Inputs[id]
			out[prefix+id] = e
			if e.Node != nil {
				walk(prefix+id+"/", e.Node)
			}
		}
	}
	walk("", l.Root)
	return out
}

// check finds inputs that follow nothing.
func (l *LockFile) check() error {
	flat := l.flat()
	for _, at := range slices.Sorted(maps.Keys(flat)) {
		e := flat[at]
		if e.Node != nil || len(e.Follows) == 0 {
			continue
		}
		n, err := l.find(e.Follows)
		if err != nil {
			return err
		}
		if n == nil {
			return fmt.Errorf("input '%s' follows a non-existent input '%s'", at, strings.Join(e.Follows, "/"))
		}
	}
	return nil
}

func (e Edge) equal(other Edge) bool {
	if (e.Node == nil) != (other.Node == nil) {
		return false
	}
	if e.Node == nil {
		return slices.Equal(e.Follows, other.Follows)
	}
	return e.Node.Locked.Equal(other.Node.Locked)
}

func (e Edge) describe() string {
	if e.Node == nil {
		return "follows '" + strings.Join(e.Follows, "/") + "'"
	}
	text := "'" + e.Node.Locked.String() + "'"
	if n, ok := e.Node.Locked.Input.Number("lastModified"); ok {
		text += time.Unix(int64(n), 0).UTC().Format(" (2006-01-02)")
	}
	return text
}

// diff says what differs, one line or two for each input; "" if nothing does.
func diff(old, now *LockFile) string {
	a, b := old.flat(), now.flat()
	all := maps.Clone(a)
	maps.Copy(all, b)
	var out strings.Builder
	for _, at := range slices.Sorted(maps.Keys(all)) {
		was, had := a[at]
		is, has := b[at]
		switch {
		case !had:
			fmt.Fprintf(&out, "• Added input '%s':\n    %s\n", at, is.describe())
		case !has:
			fmt.Fprintf(&out, "• Removed input '%s'\n", at)
		case !was.equal(is):
			fmt.Fprintf(&out, "• Updated input '%s':\n    %s\n  → %s\n", at, was.describe(), is.describe())
		}
	}
	return strings.TrimSuffix(out.String(), "\n")
}
