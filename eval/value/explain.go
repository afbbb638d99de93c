package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// ExplainUnequal returns the error that says in what two forced values that
// are not equal differ (Nix: assertEqValues). It returns nil if it finds them
// equal after all.
func (th *Thread) ExplainUnequal(a, b Value, pos source.Pos) error {
	if err := th.Enter(pos); err != nil {
		return err
	}
	defer th.Leave()
	differ := func(format string, args ...any) error {
		return th.Errorf(source.NoPos, AssertFailed, format, args...)
	}
	typ := TypeOf(a)
	if isNumber(a) && isNumber(b) && typ != TypeOf(b) {
		if eq, err := th.EqualForced(a, b, pos); err != nil || eq {
			return err
		}
		return differ("%s with value '%s' is not equal to %s with value '%s'",
			TypeName(a), th.Show(a), TypeName(b), th.Show(b))
	}
	if typ != TypeOf(b) {
		return differ("%s of value '%s' is not equal to %s of value '%s'",
			TypeName(a), th.Show(a), TypeName(b), th.Show(b))
	}
	switch a := a.(type) {
	case *List:
		return th.explainLists(a, b.(*List), pos)
	case *Attrs:
		return th.explainAttrs(a, b.(*Attrs), pos)
	case *Closure, *Builtin, *PartialApp:
		return differ("distinct functions and immediate comparisons of identical functions compare as unequal")
	}
	eq, err := th.EqualForced(a, b, pos)
	if err != nil || eq {
		return err
	}
	if isNumber(a) {
		return differ("%s with value '%s' is not equal to %s with value '%s'",
			TypeName(a), th.Show(a), TypeName(b), th.Show(b))
	}
	if typ == "bool" {
		typ = "boolean"
	}
	return differ("%s '%s' is not equal to %s '%s'", typ, th.Show(a), typ, th.Show(b))
}

func isNumber(v Value) bool {
	switch v.(type) {
	case Int, Float:
		return true
	}
	return false
}

// explainHeld forces two values that are held somewhere first.
func (th *Thread) explainHeld(a, b Value, pos source.Pos) error {
	x, err := th.Force(a, pos)
	if err != nil {
		return err
	}
	y, err := th.Force(b, pos)
	if err != nil || sameHolder(a, b) {
		return err
	}
	return th.ExplainUnequal(x, y, pos)
}

func (th *Thread) explainLists(a, b *List, pos source.Pos) error {
	if len(a.Elems) != len(b.Elems) {
		return th.Errorf(source.NoPos, AssertFailed,
			"list of size '%d' is not equal to list of size '%d', left hand side is '%s', right hand side is '%s'",
			len(a.Elems), len(b.Elems), th.Show(a), th.Show(b))
	}
	for i, x := range a.Elems {
		if err := th.explainHeld(x, b.Elems[i], pos); err != nil {
			return WithFrame(err, pos, "while comparing list element %d", i)
		}
	}
	return nil
}

func (th *Thread) explainAttrs(a, b *Attrs, pos source.Pos) error {
	drv, err := th.IsDerivation(a)
	if err == nil && drv {
		drv, err = th.IsDerivation(b)
	}
	if err != nil {
		return err
	}
	if drv {
		x, okX := a.Get(symbol.OutPath)
		y, okY := b.Get(symbol.OutPath)
		if okX && okY {
			if err := th.explainHeld(x.Val, y.Val, pos); err != nil {
				return WithFrame(err, pos, "while comparing a derivation by its 'outPath' attribute")
			}
			return nil
		}
	}
	if a.Len() != b.Len() {
		return th.Errorf(source.NoPos, AssertFailed, "attribute names of attribute set '%s' differs from attribute set '%s'",
			th.Show(a), th.Show(b))
	}
	bs := b.All()
	for i, x := range a.All() {
		y := bs[i]
		if x.Sym != y.Sym {
			if _, ok := b.Get(x.Sym); !ok {
				return th.Errorf(source.NoPos, AssertFailed, "attribute name '%s' is contained in '%s', but not in '%s'",
					th.AttrName(x.Sym), th.Show(a), th.Show(b))
			}
			return th.Errorf(source.NoPos, AssertFailed, "attribute name '%s' is missing in '%s', but is contained in '%s'",
				th.AttrName(y.Sym), th.Show(a), th.Show(b))
		}
		if err := th.explainHeld(x.Val, y.Val, pos); err != nil {
			if y.Pos != source.NoPos {
				err = WithFrame(err, y.Pos, "where right hand side is")
			}
			if x.Pos != source.NoPos {
				err = WithFrame(err, x.Pos, "where left hand side is")
			}
			return WithFrame(err, pos, "while comparing attribute '%s'", th.AttrName(x.Sym))
		}
	}
	return nil
}
