package flake

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval/value"
	"gonix/parser/source"
)

// evaluation is one call of getFlake.
type evaluation struct {
	host Host
	th   *value.Thread
	lock *LockFile
	// dirs are the folders of the inputs that were looked at, with their trees.
	dirs      map[*Node]place
	overrides map[string]override
	parents   []flakeref.Ref
	dirty     bool // the lock file would have to be another
}

// place is a folder in a fetched tree.
type place struct {
	tree flakeref.Tree
	dir  string
}

// override is what an outer flake says of an inner one's input.
type override struct {
	input  *Input
	file   string   // the flake.nix that says it
	parent []string // that flake, from the root
}

// fetch brings a flake's tree into the store, and reads its flake.nix.
func (e *evaluation) fetch(ref flakeref.Ref, root []string) (*Flake, error) {
	t, err := e.tree(ref.Input)
	if err != nil {
		return nil, err
	}
	locked := flakeref.Ref{Input: t.Input, Dir: ref.Dir}
	f, err := e.read(ref, locked, t, path.Join(t.Path.String(), ref.Dir), root)
	if err != nil || len(f.self) == 0 {
		return f, err
	}
	in := t.Input
	for _, name := range f.self.Names() {
		if name != "submodules" && name != "lfs" {
			return nil, fmt.Errorf("flake 'self' attribute '%s' is not supported", name)
		}
		in = in.With(name, f.self[name])
	}
	if in.Equal(t.Input) {
		return f, nil
	}
	if t, err = e.tree(in.Without("narHash", "__final")); err != nil {
		return nil, err
	}
	locked.Input = t.Input
	return e.read(ref, locked, t, path.Join(t.Path.String(), ref.Dir), root)
}

// tree fetches an input with all that is known of it.
func (e *evaluation) tree(in flakeref.Input) (flakeref.Tree, error) {
	u, err := in.URL()
	if err != nil {
		return flakeref.Tree{}, err
	}
	if err := e.host.CheckURI(u.String()); err != nil {
		return flakeref.Tree{}, err
	}
	t, err := e.host.FetchTree(in)
	if err != nil {
		return t, err
	}
	if t.Input, err = t.Counted(); err != nil {
		return t, err
	}
	t.RevCount = nil
	return t, nil
}

func (e *evaluation) readLock(flakeFile string) (*LockFile, error) {
	name := path.Join(path.Dir(flakeFile), "flake.lock")
	text, err := e.host.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &LockFile{newNode()}, nil
	}
	if err != nil {
		return nil, err
	}
	return ParseLock(text, name, e.host.Refs(), e.host.Warn)
}

// lockInputs makes the graph of the flake's inputs (Nix: lockFlake).
func (e *evaluation) lockInputs(f *Flake) error {
	old, err := e.readLock(f.File)
	if err != nil {
		return err
	}
	e.lock = &LockFile{newNode()}
	e.dirs[e.lock.Root] = place{f.Tree, path.Dir(f.File)}
	if err := e.compute(level{inputs: f.Inputs, node: e.lock.Root, old: old.Root, file: f.File}); err != nil {
		return err
	}
	if err := e.lock.check(); err != nil {
		return err
	}
	if text := diff(old, e.lock); text != "" {
		e.host.Warn(fmt.Sprintf("not writing modified lock file of flake '%s':\n%s", f.Ref, text))
		e.dirty = true
	}
	return nil
}

// level is a flake whose inputs are to be locked.
type level struct {
	inputs map[string]*Input
	node   *Node
	at     []string // the node, from the root
	old    *Node    // what was locked before; nil if nothing was
	// prefix is what follows in the old nodes is relative to: the flake that
	// the lock file belongs to.
	prefix []string
	file   string // the flake.nix
	// trusted says that the inputs are those of the lock file.
	trusted bool
}

func key(at []string) string { return strings.Join(at, "/") }

func join(at []string, id string) []string { return append(slices.Clip(at), id) }

func (e *evaluation) compute(l level) error {
	ids := slices.Sorted(maps.Keys(l.inputs))
	for _, id := range ids {
		e.override(l, l.inputs[id], join(l.at, id))
	}
	for _, at := range slices.Sorted(maps.Keys(e.overrides)) {
		id := path.Base(at)
		if strings.TrimSuffix(at, id) == keyPrefix(l.at) && l.inputs[id] == nil {
			e.host.Warn(fmt.Sprintf("input '%s' has an override for a non-existent input '%s'", key(l.at), id))
		}
	}
	for _, id := range ids {
		if err := e.input(l, id); err != nil {
			return value.WithFrame(err, source.NoPos, "while updating the flake input '%s'", key(join(l.at, id)))
		}
	}
	return nil
}

func keyPrefix(at []string) string {
	if len(at) == 0 {
		return ""
	}
	return key(at) + "/"
}

// override remembers what an input says about its own inputs; the outermost
// flake has the last word.
func (e *evaluation) override(l level, in *Input, at []string) {
	for _, id := range slices.Sorted(maps.Keys(in.Overrides)) {
		o, inner := in.Overrides[id], join(at, id)
		if _, given := e.overrides[key(inner)]; !given && (o.Ref != nil || o.follows) {
			e.overrides[key(inner)] = override{o, l.file, l.at}
		}
		e.override(l, o, inner)
	}
}

// input locks one input.
func (e *evaluation) input(l level, id string) error {
	at := join(l.at, id)
	in := *l.inputs[id]
	file, parent := l.file, l.at
	if o, ok := e.overrides[key(at)]; ok {
		isFlake := in.IsFlake
		in = *o.input
		// Whether it is a flake is up to who uses it.
		in.IsFlake = isFlake
		file, parent = o.file, o.parent
	}
	if in.follows {
		l.node.Inputs[id] = Edge{Follows: in.Follows}
		return nil
	}
	if in.Ref == nil {
		ref, err := e.host.Refs().FromAttrs(flakeref.Attrs{"type": flakeref.Text("indirect"), "id": flakeref.Text(id)})
		if err != nil {
			return err
		}
		in.Ref = &ref
	}
	n := newNode()
	n.Original, n.IsFlake = *in.Ref, in.IsFlake
	dir, relative := in.Ref.Input.Relative()
	if relative {
		n.Parent, n.hasParent = parent, true
		dir = path.Join(path.Dir(file), dir)
	}
	if old := l.oldNode(id); old != nil && old.Original.Canonical().Equal(in.Ref.Canonical()) &&
		old.hasParent == n.hasParent && slices.Equal(old.Parent, n.Parent) {
		return e.keep(l, id, old, dir)
	}
	if e.host.Pure() && !in.Ref.Input.Locked() && !relative {
		return fmt.Errorf("cannot update unlocked flake input '%s' in pure mode", key(at))
	}
	l.node.Inputs[id] = Edge{Node: n}
	if !in.IsFlake {
		if relative {
			n.Locked = *in.Ref
			e.dirs[n] = place{flakeref.Tree{Path: e.dirs[l.node].tree.Path, Input: in.Ref.Input}, dir}
			return nil
		}
		t, err := e.tree(in.Ref.Input)
		if err != nil {
			return err
		}
		n.Locked = flakeref.Ref{Input: t.Input, Dir: in.Ref.Dir}
		e.dirs[n] = place{t, path.Join(t.Path.String(), in.Ref.Dir)}
		return nil
	}
	f, err := e.inputFlake(l, *in.Ref, dir, relative, at)
	if err != nil {
		return err
	}
	n.Locked = f.Locked
	for _, p := range e.parents {
		if p.Equal(*in.Ref) {
			return fmt.Errorf("found circular import of flake '%s'", p)
		}
	}
	e.parents = append(e.parents, *in.Ref)
	defer func() { e.parents = e.parents[:len(e.parents)-1] }()
	e.dirs[n] = place{f.Tree, path.Dir(f.File)}
	own, err := e.readLock(f.File)
	if err != nil {
		return err
	}
	return e.compute(level{inputs: f.Inputs, node: n, at: at, old: own.Root, prefix: at, file: f.File})
}

func (l level) oldNode(id string) *Node {
	if l.old == nil {
		return nil
	}
	return l.old.Inputs[id].Node
}

// inputFlake reads the flake.nix of an input.
func (e *evaluation) inputFlake(l level, ref flakeref.Ref, dir string, relative bool, at []string) (*Flake, error) {
	if !relative {
		return e.fetch(ref, at)
	}
	t := flakeref.Tree{Path: e.dirs[l.node].tree.Path, Input: ref.Input}
	return e.read(ref, ref, t, path.Join(dir, ref.Dir), at)
}

// keep takes an input over from the lock file, unfetched if its own inputs are
// known without.
func (e *evaluation) keep(l level, id string, old *Node, dir string) error {
	at := join(l.at, id)
	n := newNode()
	n.Locked, n.Original, n.IsFlake, n.Parent, n.hasParent = old.Locked, old.Original, old.IsFlake, old.Parent, old.hasParent
	l.node.Inputs[id] = Edge{Node: n}
	inputs := map[string]*Input{}
	for _, inner := range slices.Sorted(maps.Keys(old.Inputs)) {
		edge := old.Inputs[inner]
		if edge.Node != nil {
			inputs[inner] = &Input{Ref: &edge.Node.Original, IsFlake: edge.Node.IsFlake}
			continue
		}
		if _, given := e.overrides[key(join(at, inner))]; !given && !l.trusted {
			// The flake that said so may have changed its mind.
			return e.refetch(l, n, old, at, dir)
		}
		inputs[inner] = &Input{Follows: append(slices.Clone(l.prefix), edge.Follows...), follows: true}
	}
	return e.compute(level{inputs: inputs, node: n, at: at, old: old, prefix: l.prefix, file: l.file, trusted: true})
}

func (e *evaluation) refetch(l level, n, old *Node, at []string, dir string) error {
	_, relative := old.Original.Input.Relative()
	f, err := e.inputFlake(l, old.Locked, dir, relative, at)
	if err != nil {
		return err
	}
	e.dirs[n] = place{f.Tree, path.Dir(f.File)}
	return e.compute(level{inputs: f.Inputs, node: n, at: at, old: old, prefix: l.prefix, file: f.File})
}
