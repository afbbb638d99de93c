package code

import (
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Local is a variable of the innermost frame.
type Local struct {
	Slot int
	At   source.Pos
}

// Eval forces the variable.
func (v *Local) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	x := f.Slot(v.Slot)
	if t, lazy := x.(*value.Thunk); lazy {
		return th.ForceThunk(t, v.At)
	}
	return x, nil
}

// Delay returns what is in the slot.
func (v *Local) Delay(th *value.Thread, f *value.Frame) value.Value {
	if x := f.Slot(v.Slot); x != nil {
		th.Stats.ThunksAvoided++
		return x
	}
	return th.Suspend(typeLocal, v, f) // a frame that is still being filled
}

// Pos returns where the variable is used.
func (v *Local) Pos() source.Pos { return v.At }

// Up is a variable of the frame around the innermost one.
type Up struct {
	Slot int
	At   source.Pos
}

// Eval forces the variable.
func (v *Up) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	x := f.Up().Slot(v.Slot)
	if t, lazy := x.(*value.Thunk); lazy {
		return th.ForceThunk(t, v.At)
	}
	return x, nil
}

// Delay returns what is in the slot.
func (v *Up) Delay(th *value.Thread, f *value.Frame) value.Value {
	if x := f.Up().Slot(v.Slot); x != nil {
		th.Stats.ThunksAvoided++
		return x
	}
	return th.Suspend(typeUp, v, f)
}

// Pos returns where the variable is used.
func (v *Up) Pos() source.Pos { return v.At }

// Far is a variable two or more frames up.
type Far struct {
	Depth, Slot int
	At          source.Pos
}

func (v *Far) slot(f *value.Frame) value.Value {
	for range v.Depth {
		f = f.Up()
	}
	return f.Slot(v.Slot)
}

// Eval forces the variable.
func (v *Far) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	x := v.slot(f)
	if t, lazy := x.(*value.Thunk); lazy {
		return th.ForceThunk(t, v.At)
	}
	return x, nil
}

// Delay returns what is in the slot.
func (v *Far) Delay(th *value.Thread, f *value.Frame) value.Value {
	if x := v.slot(f); x != nil {
		th.Stats.ThunksAvoided++
		return x
	}
	return th.Suspend(typeFar, v, f)
}

// Pos returns where the variable is used.
func (v *Far) Pos() source.Pos { return v.At }

// FromWith is a variable that no lexical scope has: it comes from the innermost
// with whose set holds it.
type FromWith struct {
	Name  symbol.Symbol
	Withs []WithScope // innermost first
	At    source.Pos
}

// WithScope is a with around a variable.
type WithScope struct {
	Depth int        // of its frame
	At    source.Pos // of the with
}

// Eval looks the variable up and forces it.
func (v *FromWith) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	depth := 0
	for _, w := range v.Withs {
		for ; depth < w.Depth; depth++ {
			f = f.Up()
		}
		set, err := th.Attrs(f.Slot(0), w.At, "while evaluating the first subexpression of a with expression")
		if err != nil {
			return nil, err
		}
		if a := set.Find(v.Name); a != nil {
			return th.Force(a.Val, v.At)
		}
	}
	return nil, th.Errorf(v.At, value.UndefinedVar, "undefined variable '%s'", th.Symbols.Name(v.Name))
}

// Delay returns a thunk: looking the variable up may evaluate the sets.
func (v *FromWith) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeFromWith, v, f)
}

// Pos returns where the variable is used.
func (v *FromWith) Pos() source.Pos { return v.At }

// Here is __curPos: the file, line and column of At, or null outside of files.
type Here struct{ At source.Pos }

// Eval returns the set.
func (h *Here) Eval(th *value.Thread, _ *value.Frame) (value.Value, error) {
	p, ok := th.Sources.Position(h.At)
	if !ok || p.File.Path() == "" {
		return value.Null{}, nil
	}
	b := value.NewBuilder(3)
	b.Add(symbol.File, source.NoPos, value.NewString(p.File.Path()))
	b.Add(symbol.Line, source.NoPos, value.Int(p.Line))
	b.Add(symbol.Column, source.NoPos, value.Int(p.Column))
	return b.Finish(), nil
}

// Delay returns a thunk.
func (h *Here) Delay(th *value.Thread, f *value.Frame) value.Value { return th.NewThunk(h, f) }

// Pos returns At.
func (h *Here) Pos() source.Pos { return h.At }
