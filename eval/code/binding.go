package code

import (
	"slices"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Bind fills one slot of a frame.
type Bind struct {
	X     Node
	Outer bool // inherit x: evaluated outside the new frame
}

// fill delays each binding into its slot of frame, whose parent is f.
func fill(th *value.Thread, frame, f *value.Frame, binds []Bind) {
	for i := range binds {
		scope := frame
		if binds[i].Outer {
			scope = f
		}
		frame.SetSlot(i, binds[i].X.Delay(th, scope))
	}
}

// Let is let … in Body. The sources of inherit (e) … have the first slots.
type Let struct {
	Binds []Bind
	Body  Node
}

// Eval evaluates the body in the new frame.
func (l *Let) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	frame := th.NewFrame(f, len(l.Binds))
	fill(th, frame, f, l.Binds)
	return l.Body.Eval(th, frame)
}

// Delay returns a thunk.
func (l *Let) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeLet, l, f) }

// Pos returns no place, as in Nix.
func (l *Let) Pos() source.Pos { return source.NoPos }

// Attr is one attribute of a set literal.
type Attr struct {
	Sym symbol.Symbol
	At  source.Pos
	X   Node
}

// Attrs is a set literal that is not recursive and has only static names.
type Attrs struct {
	Attrs []Attr // sorted by symbol
	At    source.Pos
}

// Eval makes the set.
func (s *Attrs) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	set, out := th.MakeAttrs(s.At, len(s.Attrs))
	for i := range s.Attrs {
		a := &s.Attrs[i]
		out[i] = value.Attr{Sym: a.Sym, Pos: a.At, Val: a.X.Delay(th, f)}
	}
	return set, nil
}

// Delay returns a thunk.
func (s *Attrs) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeAttrs, s, f)
}

// Pos returns where the set starts.
func (s *Attrs) Pos() source.Pos { return s.At }

// Sources gives Body a frame with the sources of inherit (e) … in a set that is
// not recursive.
type Sources struct {
	From []Node
	Body Node
}

// Eval evaluates the body in the new frame.
func (s *Sources) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	frame := th.NewFrame(f, len(s.From))
	for i, x := range s.From {
		frame.SetSlot(i, x.Delay(th, f))
	}
	return s.Body.Eval(th, frame)
}

// Delay returns a thunk.
func (s *Sources) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeSources, s, f)
}

// Pos returns the place of the set.
func (s *Sources) Pos() source.Pos { return s.Body.Pos() }

// Rec is rec { … } with static names. The sources of inherit (e) … have the
// first slots, the attributes those after them, in the order of Attrs.
type Rec struct {
	Binds     []Bind // sources, then one for each of Attrs
	Attrs     []Attr // sorted by symbol; X is nil
	Overrides int    // index into Attrs of __overrides, or -1
	Dynamic   []DynamicAttr
	At        source.Pos
}

// Eval makes the frame and the set.
func (r *Rec) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	frame := th.NewFrame(f, len(r.Binds))
	if r.Overrides < 0 {
		fill(th, frame, f, r.Binds)
	} else {
		r.fillLazily(th, frame, f)
	}
	out := make([]value.Attr, len(r.Attrs), len(r.Attrs)+len(r.Dynamic))
	base := len(r.Binds) - len(r.Attrs)
	for i := range r.Attrs {
		out[i] = value.Attr{Sym: r.Attrs[i].Sym, Pos: r.Attrs[i].At, Val: frame.Slot(base + i)}
	}
	if r.Overrides >= 0 {
		var err error
		if out, err = r.override(th, frame, out, base); err != nil {
			return nil, err
		}
	}
	if len(r.Dynamic) > 0 {
		return addDynamic(th, frame, r.At, out, r.Dynamic)
	}
	return th.KeepAttrs(r.At, out), nil
}

// fillLazily makes thunks even where a value is at hand: __overrides may
// replace what a slot holds.
func (r *Rec) fillLazily(th *value.Thread, frame, f *value.Frame) {
	for i := range r.Binds {
		b := &r.Binds[i]
		if b.Outer {
			frame.SetSlot(i, b.X.Delay(th, f))
			continue
		}
		frame.SetSlot(i, th.NewThunk(b.X, frame))
	}
}

// override lets the attributes of __overrides replace those of the set, in the
// frame too, and adds the others.
func (r *Rec) override(th *value.Thread, frame *value.Frame, out []value.Attr, base int) ([]value.Attr, error) {
	held := out[r.Overrides].Val
	set, err := th.Attrs(held, source.NoPos, "while evaluating the `__overrides` attribute")
	if err != nil {
		return nil, err
	}
	n := len(out)
	for _, a := range set.All() {
		i, ok := slices.BinarySearchFunc(r.Attrs, a.Sym, func(x Attr, s symbol.Symbol) int { return int(x.Sym) - int(s) })
		if ok {
			out[i] = a
			frame.SetSlot(base+i, a.Val)
			continue
		}
		out = append(out, a)
	}
	if len(out) > n {
		sortAttrs(out)
	}
	return out, nil
}

// DynamicAttr is ${Name} = X.
type DynamicAttr struct {
	Name, X Node
	At      source.Pos
}

// Dynamic adds attributes with computed names to a set that is not recursive.
type Dynamic struct {
	Static *Attrs
	Attrs  []DynamicAttr
}

// Eval makes the set.
func (d *Dynamic) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	out := make([]value.Attr, len(d.Static.Attrs), len(d.Static.Attrs)+len(d.Attrs))
	for i := range d.Static.Attrs {
		a := &d.Static.Attrs[i]
		out[i] = value.Attr{Sym: a.Sym, Pos: a.At, Val: a.X.Delay(th, f)}
	}
	return addDynamic(th, f, d.Static.At, out, d.Attrs)
}

// Delay returns a thunk.
func (d *Dynamic) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeDynamic, d, f)
}

// Pos returns where the set starts.
func (d *Dynamic) Pos() source.Pos { return d.Static.At }

// addDynamic evaluates the names and adds the attributes to out, which is
// sorted. A null name leaves its attribute out.
func addDynamic(th *value.Thread, f *value.Frame, pos source.Pos, out []value.Attr, dyn []DynamicAttr) (value.Value, error) {
	for i := range dyn {
		d := &dyn[i]
		v, err := d.Name.Eval(th, f)
		if err != nil {
			return nil, err
		}
		if _, null := v.(value.Null); null {
			continue
		}
		name, err := th.StringNoCtx(v, d.At, "while evaluating the name of a dynamic attribute")
		if err != nil {
			return nil, err
		}
		sym := th.Symbols.Intern(name)
		at, dup := slices.BinarySearchFunc(out, sym, func(x value.Attr, s symbol.Symbol) int { return int(x.Sym) - int(s) })
		if dup {
			return nil, th.Errorf(d.At, value.EvalError, "dynamic attribute '%s' already defined at %s",
				th.AttrName(sym), th.ShowPos(out[at].Pos))
		}
		out = slices.Insert(out, at, value.Attr{Sym: sym, Pos: d.At, Val: d.X.Delay(th, f)})
	}
	return th.KeepAttrs(pos, out), nil
}

func sortAttrs(attrs []value.Attr) {
	slices.SortFunc(attrs, func(a, b value.Attr) int { return int(a.Sym) - int(b.Sym) })
}

// Delay returns a thunk.
func (r *Rec) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeRec, r, f) }

// Pos returns where the set starts.
func (r *Rec) Pos() source.Pos { return r.At }

// List is [ … ] with at least one element.
type List struct {
	Elems []Node
}

// Eval makes the list.
func (l *List) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	elems := th.NewValues(len(l.Elems))
	for i, e := range l.Elems {
		elems[i] = e.Delay(th, f)
	}
	return th.MakeList(elems), nil
}

// Delay returns a thunk.
func (l *List) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeList, l, f) }

// Pos returns the place of the first element, as in Nix.
func (l *List) Pos() source.Pos { return l.Elems[0].Pos() }
