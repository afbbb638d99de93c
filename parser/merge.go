package parser

import (
	"gonix/parser/ast"
	"gonix/parser/printer"
	"gonix/parser/source"
)

// smallSet is how many names are looked through one by one; more take a map.
const smallSet = 12

// find returns the index of the binding called name, or -1.
func (p *parse) find(b *ast.Bindings, name string) int {
	n := len(b.Static)
	if n <= smallSet {
		for i := range b.Static {
			if b.Static[i].Name == name {
				return i
			}
		}
		return -1
	}
	index := p.indexes[b]
	if index == nil {
		if p.indexes == nil {
			p.indexes = map[*ast.Bindings]map[string]int{}
		}
		index = make(map[string]int, 4*smallSet)
		p.indexes[b] = index
	}
	// The names are unique, so the index has the first len(index) of them.
	for i := len(index); i < n; i++ {
		index[b.Static[i].Name] = i
	}
	if i, ok := index[name]; ok {
		return i
	}
	return -1
}

// bind adds path = value; to a set: a.b = 1; makes a set for a, or goes on in
// the one that is there, as long as it is written as a set.
func (p *parse) bind(set *ast.Attrs, path []ast.AttrName, value ast.Expr) error {
	at := path[0].At
	last := len(path) - 1
	for i := range path[:last] {
		name := &path[i]
		if name.Expr != nil {
			nested := p.slabs.sets.one()
			set.Dynamic = append(set.Dynamic, ast.Dynamic{At: at, Name: name.Expr, Value: nested})
			set = nested
			continue
		}
		if j := p.find(&set.Bindings, name.Name); j >= 0 {
			b := &set.Static[j]
			nested, ok := b.Value.(*ast.Attrs)
			if !ok {
				return p.duplicate(path[:i+1], at, b)
			}
			set = nested
			continue
		}
		nested := p.slabs.sets.one()
		add(set, ast.Binding{At: at, Name: name.Name, Value: nested})
		set = nested
	}
	if e := path[last].Expr; e != nil {
		set.Dynamic = append(set.Dynamic, ast.Dynamic{At: at, Name: e, Value: value})
		return nil
	}
	return p.insert(set, path, ast.Binding{At: at, Name: path[last].Name, Value: value})
}

// insert adds b, whose path is for messages, to a set, or merges it with the
// one of that name if both are written as sets.
//
// As in Nix a rec of the later one is forgotten, and a rec of the earlier one
// holds for all (https://github.com/NixOS/nix/issues/9020).
func (p *parse) insert(set *ast.Attrs, path []ast.AttrName, b ast.Binding) error {
	i := p.find(&set.Bindings, b.Name)
	if i < 0 {
		add(set, b)
		return nil
	}
	old := &set.Static[i]
	into, ok := old.Value.(*ast.Attrs)
	from, ok2 := b.Value.(*ast.Attrs)
	if !ok || !ok2 {
		return p.duplicate(path, b.At, old)
	}
	shift := len(into.From)
	for _, inner := range from.Static {
		if inner.Kind == ast.InheritFrom {
			inner.From += shift
		}
		innerPath := append(path[:len(path):len(path)], ast.AttrName{Name: inner.Name})
		if err := p.insert(into, innerPath, inner); err != nil {
			return err
		}
	}
	into.From = append(into.From, from.From...)
	into.Dynamic = append(into.Dynamic, from.Dynamic...)
	return nil
}

// inheritName adds an inherited name to a set.
func (p *parse) inheritName(set *ast.Attrs, b ast.Binding) error {
	if i := p.find(&set.Bindings, b.Name); i >= 0 {
		return p.duplicate([]ast.AttrName{{Name: b.Name}}, b.At, &set.Static[i])
	}
	add(set, b)
	return nil
}

// add adds a binding whose name is new.
func add(set *ast.Attrs, b ast.Binding) {
	if set.Static == nil {
		set.Static = make([]ast.Binding, 0, 4)
	}
	set.Static = append(set.Static, b)
}

// duplicate is the error that the attribute at path is there already.
func (p *parse) duplicate(path []ast.AttrName, at ast.At, old *ast.Binding) error {
	first := p.source.Position(old.Pos())
	return p.errorf(source.Pos(at), "attribute '%s' already defined at %s:%d:%d",
		printer.AttrPath(path), first.File.Name, first.Line, first.Column)
}
