package flake

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

// called is an input as its users see it. What is in it is fetched and
// evaluated when it is needed.
type called struct {
	result, info, outPath value.Value
}

// caller makes sets of nodes (Nix: call-flake.nix).
type caller struct {
	*evaluation
	done map[*Node]*called
}

// call returns what the node is to its users.
func (c *caller) call(n *Node) *called {
	if done, ok := c.done[n]; ok {
		return done
	}
	out := &called{}
	c.done[n] = out
	lazy := func(fn func(th *value.Thread) (value.Value, error)) value.Value { return c.th.Lazy(source.NoPos, fn) }
	out.info = lazy(func(*value.Thread) (value.Value, error) { return c.info(n) })
	out.outPath = lazy(func(*value.Thread) (value.Value, error) { return c.outPath(n) })
	program := lazy(func(th *value.Thread) (value.Value, error) {
		p, err := th.String(out.outPath, source.NoPos, "")
		if err != nil {
			return nil, err
		}
		return c.host.EvalFile(th, p.S+"/flake.nix")
	})
	if !n.IsFlake && n != c.lock.Root {
		out.result = lazy(func(th *value.Thread) (value.Value, error) {
			info, err := th.Attrs(out.info, source.NoPos, "")
			if err != nil {
				return nil, err
			}
			return value.Update(info, c.set(field{"sourceInfo", out.info}, field{"outPath", out.outPath})), nil
		})
		return out
	}
	inputs := c.inputs(n)
	function := lazy(func(th *value.Thread) (value.Value, error) {
		set, err := th.Attrs(program, source.NoPos, "")
		if err != nil {
			return nil, err
		}
		a, ok := set.Get(th.Symbols.Intern("outputs"))
		if !ok {
			return nil, th.Errorf(source.NoPos, value.MissingAttr, "attribute 'outputs' missing")
		}
		return th.Function(a.Val, a.Pos, "")
	})
	var self value.Value
	outputs := lazy(func(th *value.Thread) (value.Value, error) {
		fn, err := th.Force(function, source.NoPos)
		if err != nil {
			return nil, err
		}
		return th.Apply(source.NoPos, fn, value.Update(inputs, c.set(field{"self", self})))
	})
	self = lazy(func(th *value.Thread) (value.Value, error) {
		made, err := th.Attrs(outputs, source.NoPos, "")
		if err != nil {
			return nil, err
		}
		info, err := th.Attrs(out.info, source.NoPos, "")
		if err != nil {
			return nil, err
		}
		return value.Update(value.Update(made, info), c.set(field{"outPath", out.outPath}, field{"inputs", inputs},
			field{"outputs", outputs}, field{"sourceInfo", out.info}, field{"_type", value.NewString("flake")})), nil
	})
	out.result = self
	return out
}

// field is an attribute to be.
type field struct {
	name string
	val  value.Value
}

func (c *caller) set(fields ...field) *value.Attrs {
	b := value.NewBuilder(len(fields))
	for _, f := range fields {
		b.Add(c.th.Symbols.Intern(f.name), source.NoPos, f.val)
	}
	return b.Finish()
}

func (c *caller) inputs(n *Node) *value.Attrs {
	b := value.NewBuilder(len(n.Inputs))
	for _, id := range slices.Sorted(maps.Keys(n.Inputs)) {
		e := n.Inputs[id]
		b.Add(c.th.Symbols.Intern(id), source.NoPos, c.th.Lazy(source.NoPos, func(th *value.Thread) (value.Value, error) {
			target := e.Node
			if target == nil {
				var err error
				if target, err = c.lock.find(e.Follows); err != nil {
					return nil, err
				}
				if target == nil {
					return nil, fmt.Errorf("input '%s' follows a non-existent input '%s'", id, strings.Join(e.Follows, "/"))
				}
			}
			return th.Force(c.call(target).result, source.NoPos)
		}))
	}
	return b.Finish()
}

// parent is the flake in whose tree a relative input lies; nil if the input is
// not relative.
func (c *caller) parent(n *Node) (*called, string, error) {
	dir, relative := n.Locked.Input.Relative()
	if n == c.lock.Root || !relative {
		return nil, "", nil
	}
	p, err := c.lock.find(n.Parent)
	if err != nil {
		return nil, "", err
	}
	if p == nil {
		return nil, "", fmt.Errorf("lock file references missing node '%s'", strings.Join(n.Parent, "/"))
	}
	return c.call(p), dir, nil
}

func (c *caller) info(n *Node) (value.Value, error) {
	if p, ok := c.dirs[n]; ok {
		return c.host.TreeAttrs(c.th, source.NoPos, p.tree, n == c.lock.Root && c.dirty), nil
	}
	parent, _, err := c.parent(n)
	if err != nil {
		return nil, err
	}
	if parent != nil {
		return c.th.Force(parent.info, source.NoPos)
	}
	t, err := c.tree(n.Locked.Input)
	if err != nil {
		return nil, err
	}
	return c.host.TreeAttrs(c.th, source.NoPos, t, false), nil
}

func (c *caller) outPath(n *Node) (value.Value, error) {
	if p, ok := c.dirs[n]; ok {
		return storeString(p.dir, p.tree), nil
	}
	parent, rel, err := c.parent(n)
	if err != nil {
		return nil, err
	}
	var base *value.String
	if parent != nil {
		if base, err = c.th.String(parent.outPath, source.NoPos, ""); err != nil {
			return nil, err
		}
	} else {
		info, err := c.th.Attrs(c.call(n).info, source.NoPos, "")
		if err != nil {
			return nil, err
		}
		a, _ := info.Get(c.th.Symbols.Intern("outPath"))
		if base, err = c.th.String(a.Val, source.NoPos, ""); err != nil {
			return nil, err
		}
	}
	text := base.S
	for _, dir := range []string{rel, n.Locked.Dir} {
		if dir != "" {
			text += "/" + dir
		}
	}
	return &value.String{S: text, Ctx: base.Ctx}, nil
}

// storeString is the path of a folder in a tree.
func storeString(dir string, t flakeref.Tree) value.Value {
	p := t.Path
	if object, _, err := storepath.Split(dir); err == nil {
		p = object
	}
	return &value.String{S: dir, Ctx: value.NewContext(value.ContextElem{Kind: value.Opaque, Path: p.String()})}
}
