package value

import (
	"gonix/eval/symbol"
	"gonix/parser/source"
)

// Equal compares two values that are held somewhere (a list, an attribute, an
// argument): the very same holder is equal to itself, whatever it holds, as
// with Nix's eqValues. Functions are therefore equal to themselves inside of
// lists and sets.
func (th *Thread) Equal(a, b Value, pos source.Pos) (bool, error) {
	x, err := th.Force(a, pos)
	if err != nil {
		return false, err
	}
	y, err := th.Force(b, pos)
	if err != nil {
		return false, err
	}
	if sameHolder(a, b) {
		return true, nil
	}
	return th.EqualForced(x, y, pos)
}

// sameHolder reports whether a and b are one and the same thunk or object.
func sameHolder(a, b Value) bool {
	switch a := a.(type) {
	case *Thunk:
		b, ok := b.(*Thunk)
		return ok && a == b
	case *Closure:
		b, ok := b.(*Closure)
		return ok && a == b
	case *Builtin:
		b, ok := b.(*Builtin)
		return ok && a == b
	case *PartialApp:
		b, ok := b.(*PartialApp)
		return ok && a == b
	case *Attrs:
		b, ok := b.(*Attrs)
		return ok && a == b
	case *List:
		b, ok := b.(*List)
		return ok && a == b
	}
	return false
}

// EqualForced is == between two forced operands, which are not the same holder.
func (th *Thread) EqualForced(a, b Value, pos source.Pos) (bool, error) {
	switch a := a.(type) {
	case Int:
		switch b := b.(type) {
		case Int:
			return a == b, nil
		case Float:
			return Float(a) == b, nil
		}
		return false, nil
	case Float:
		switch b := b.(type) {
		case Int:
			return a == Float(b), nil
		case Float:
			return a == b, nil
		}
		return false, nil
	case Null:
		_, ok := b.(Null)
		return ok, nil
	case Bool:
		b, ok := b.(Bool)
		return ok && a == b, nil
	case *String:
		b, ok := b.(*String)
		return ok && a.S == b.S, nil
	case Path:
		b, ok := b.(Path)
		return ok && a == b, nil
	case *List:
		b, ok := b.(*List)
		if !ok || len(a.Elems) != len(b.Elems) {
			return false, nil
		}
		return th.equalLists(a, b, pos)
	case *Attrs:
		b, ok := b.(*Attrs)
		if !ok {
			return false, nil
		}
		return th.equalAttrs(a, b, pos)
	}
	return false, nil
}

func (th *Thread) equalLists(a, b *List, pos source.Pos) (bool, error) {
	if err := th.Enter(pos); err != nil {
		return false, err
	}
	defer th.Leave()
	for i, x := range a.Elems {
		if eq, err := th.Equal(x, b.Elems[i], pos); err != nil || !eq {
			return false, err
		}
	}
	return true, nil
}

// equalAttrs compares two derivations by their outPath, other sets attribute
// by attribute.
func (th *Thread) equalAttrs(a, b *Attrs, pos source.Pos) (bool, error) {
	if err := th.Enter(pos); err != nil {
		return false, err
	}
	defer th.Leave()
	isDrv, err := th.IsDerivation(a)
	if err == nil && isDrv {
		isDrv, err = th.IsDerivation(b)
	}
	if err != nil {
		return false, err
	}
	if isDrv {
		x, okX := a.Get(symbol.OutPath)
		y, okY := b.Get(symbol.OutPath)
		if okX && okY {
			return th.Equal(x.Val, y.Val, pos)
		}
	}
	if a.Len() != b.Len() {
		return false, nil
	}
	for x, y := a.walk(), b.walk(); x.next() && y.next(); {
		if x.at.Sym != y.at.Sym {
			return false, nil
		}
		if eq, err := th.Equal(x.at.Val, y.at.Val, pos); err != nil || !eq {
			return false, err
		}
	}
	return true, nil
}

// Less is <.
func (th *Thread) Less(a, b Value, pos source.Pos) (bool, error) {
	a, err := th.Force(a, pos)
	if err != nil {
		return false, err
	}
	b, err = th.Force(b, pos)
	if err != nil {
		return false, err
	}
	switch x := a.(type) {
	case Int:
		switch y := b.(type) {
		case Int:
			return x < y, nil
		case Float:
			return Float(x) < y, nil
		}
	case Float:
		switch y := b.(type) {
		case Int:
			return x < Float(y), nil
		case Float:
			return x < y, nil
		}
	case *String:
		if y, ok := b.(*String); ok {
			return x.S < y.S, nil
		}
	case Path:
		if y, ok := b.(Path); ok {
			return x < y, nil
		}
	case *List:
		if y, ok := b.(*List); ok {
			return th.lessLists(x, y, pos)
		}
	}
	if TypeOf(a) != TypeOf(b) {
		return false, th.Errorf(source.NoPos, EvalError, "cannot compare %s with %s; values are %s and %s",
			TypeName(a), TypeName(b), th.Show(a), th.Show(b))
	}
	return false, th.Errorf(source.NoPos, EvalError,
		"cannot compare %s with %s; values of that type are incomparable (values are %s and %s)",
		TypeName(a), TypeName(b), th.Show(a), th.Show(b))
}

func (th *Thread) lessLists(a, b *List, pos source.Pos) (bool, error) {
	if err := th.Enter(pos); err != nil {
		return false, err
	}
	defer th.Leave()
	for i, y := range b.Elems {
		if i == len(a.Elems) {
			return true, nil
		}
		eq, err := th.Equal(a.Elems[i], y, pos)
		if err != nil {
			return false, err
		}
		if !eq {
			less, err := th.Less(a.Elems[i], y, pos)
			if err != nil {
				return false, WithFrame(err, source.NoPos, "while comparing two list elements")
			}
			return less, nil
		}
	}
	return false, nil
}

// DeepForce forces v and all that it holds (deepSeq, --strict).
func (th *Thread) DeepForce(v Value, pos source.Pos) error {
	d := deepForcer{th: th, seen: map[Value]struct{}{}}
	return d.force(v, pos)
}

type deepForcer struct {
	th   *Thread
	seen map[Value]struct{}
}

func (d *deepForcer) force(v Value, pos source.Pos) error {
	th := d.th
	pos = DeterminePos(v, pos)
	if err := th.Enter(pos); err != nil {
		return err
	}
	defer th.Leave()
	v, err := th.Force(v, pos)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Attrs:
		if v.Len() == 0 || d.dup(v) {
			return nil
		}
		for a := range v.Each {
			if err := d.force(a.Val, source.NoPos); err != nil {
				return WithFrame(err, a.Pos, "while evaluating the attribute '%s'", th.AttrName(a.Sym))
			}
		}
	case *List:
		if len(v.Elems) == 0 || d.dup(v) {
			return nil
		}
		for i, e := range v.Elems {
			if err := d.force(e, source.NoPos); err != nil {
				return WithFrame(err, source.NoPos, "while evaluating list element at index %d", i)
			}
		}
	}
	return nil
}

func (d *deepForcer) dup(v Value) bool {
	if _, dup := d.seen[v]; dup {
		return true
	}
	d.seen[v] = struct{}{}
	return false
}

// DeterminePos returns where messages about a value point: where a set or function
// was written, or for a pending call, its function.
func DeterminePos(v Value, fallback source.Pos) source.Pos {
	switch v := settled(v).(type) {
	case *Attrs:
		return v.Pos()
	case *Closure:
		return v.Fn.Pos()
	case *Thunk:
		switch c := v.code().(type) { // settled has seen that it is not done
		case *applyOne:
			return c.Pos()
		case *applyAll:
			return c.Pos()
		case *mapped:
			return c.Pos()
		}
	}
	return fallback
}
