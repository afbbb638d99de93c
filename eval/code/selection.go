package code

import (
	"errors"
	"strings"

	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Name is one step of an attribute path: Sym, or what Expr computes.
type Name struct {
	Sym  symbol.Symbol
	Expr Node   // nil if the name is static
	Text string // the source of Expr, for messages
}

// symbol returns the name, computing it if need be.
func (n *Name) symbol(th *value.Thread, f *value.Frame) (symbol.Symbol, error) {
	if n.Expr == nil {
		return n.Sym, nil
	}
	v, err := n.Expr.Eval(th, f)
	if err != nil {
		return 0, err
	}
	s, err := th.StringNoCtx(v, n.Expr.Pos(), "while evaluating an attribute name")
	if err != nil {
		return 0, err
	}
	return th.Symbols.Intern(s), nil
}

const whySelect = "while selecting an attribute"

// SelectOne is X.name, the commonest selection.
type SelectOne struct {
	X   Node
	Sym symbol.Symbol
	At  source.Pos
}

// Eval selects and forces the attribute.
func (s *SelectOne) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	th.Stats.Lookups++
	v, err := s.X.Eval(th, f)
	if err != nil {
		return nil, err
	}
	set, ok := v.(*value.Attrs)
	if !ok {
		_, err := th.Attrs(v, s.At, whySelect)
		return nil, err
	}
	a := set.Find(s.Sym)
	if a == nil {
		return nil, missing(th, set, s.Sym, s.At)
	}
	if t, lazy := a.Val.(*value.Thunk); lazy {
		pos := a.Pos
		if pos == source.NoPos {
			pos = s.At
		}
		v, err := th.ForceThunk(t, pos)
		if err != nil {
			return nil, selectFrame(th, err, a.Pos, th.AttrName(s.Sym))
		}
		return v, nil
	}
	return a.Val, nil
}

// Delay returns a thunk.
func (s *SelectOne) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeSelectOne, s, f)
}

// Pos returns where the selection starts.
func (s *SelectOne) Pos() source.Pos { return s.At }

// missing is the error of an attribute that is not there.
func missing(th *value.Thread, set *value.Attrs, name symbol.Symbol, pos source.Pos) error {
	err := th.Errorf(pos, value.MissingAttr, "attribute '%s' missing", th.AttrName(name))
	return err.WithNote(th.SuggestAttr(set, th.Symbols.Name(name)))
}

// selectFrame adds the frame that says which attribute was being evaluated; at
// is where that is defined. Attributes of the internal derivation function
// would only confuse.
func selectFrame(th *value.Thread, err error, at source.Pos, path string) error {
	if file := th.Sources.File(at); file == nil || file.Name == InternalFile {
		return err
	}
	return value.WithFrame(err, at, "while evaluating the attribute '%s'", path)
}

// InternalFile is the name of the text that defines derivation in the language
// itself; traces leave its attributes out.
const InternalFile = "«nix-internal»/derivation-internal.nix"

// Select is X.a.b, or X.a.b or Default.
type Select struct {
	X       Node
	Path    []Name
	Default Node // nil if there is none
	At      source.Pos
}

// Eval selects and forces the attribute.
func (s *Select) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	v, err := s.X.Eval(th, f)
	if err != nil {
		return nil, err
	}
	at := source.NoPos
	v, err = s.walk(th, f, v, &at)
	if errors.Is(err, errDefault) {
		v, err = s.Default.Eval(th, f) // its errors get the frame of the part of the path that was there
	}
	if err != nil && at != source.NoPos {
		return nil, selectFrame(th, err, at, pathText(th, f, s.Path))
	}
	return v, err
}

// errDefault says that the path ends early and that there is a default.
var errDefault = errors.New("code: attribute missing, default wanted")

// walk follows the path from v; at is where the last attribute found was
// defined.
func (s *Select) walk(th *value.Thread, f *value.Frame, v value.Value, at *source.Pos) (value.Value, error) {
	for i := range s.Path {
		th.Stats.Lookups++
		name, err := s.Path[i].symbol(th, f)
		if err != nil {
			return nil, err
		}
		v, err = th.Force(v, s.At)
		if err != nil {
			return nil, err
		}
		set, ok := v.(*value.Attrs)
		if !ok {
			if s.Default != nil {
				return nil, errDefault
			}
			_, err := th.Attrs(v, s.At, whySelect)
			return nil, err
		}
		a := set.Find(name)
		if a == nil {
			if s.Default != nil {
				return nil, errDefault
			}
			return nil, missing(th, set, name, s.At)
		}
		v, *at = a.Val, a.Pos
	}
	pos := *at
	if pos == source.NoPos {
		pos = s.At
	}
	return th.Force(v, pos)
}

// Delay returns a thunk.
func (s *Select) Delay(th *value.Thread, f *value.Frame) value.Value {
	return th.Suspend(typeSelect, s, f)
}

// Pos returns where the selection starts.
func (s *Select) Pos() source.Pos { return s.At }

// pathText is the path as messages show it; names that cannot be computed are
// shown as they are written.
func pathText(th *value.Thread, f *value.Frame, path []Name) string {
	var b strings.Builder
	for i := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		n := &path[i]
		sym, err := n.symbol(th, f)
		if err != nil {
			b.WriteString(`"${` + n.Text + `}"`)
			continue
		}
		value.AppendAttrName(&b, th.Symbols.Name(sym))
	}
	return b.String()
}

// Has is X ? a.b.
type Has struct {
	X    Node
	Path []Name
}

// Eval walks the path as far as it goes; the last attribute is not forced.
func (h *Has) Eval(th *value.Thread, f *value.Frame) (value.Value, error) {
	v, err := h.X.Eval(th, f)
	if err != nil {
		return nil, err
	}
	for i := range h.Path {
		v, err = th.Force(v, h.X.Pos())
		if err != nil {
			return nil, err
		}
		name, err := h.Path[i].symbol(th, f)
		if err != nil {
			return nil, err
		}
		set, ok := v.(*value.Attrs)
		if !ok {
			return value.Bool(false), nil
		}
		a := set.Find(name)
		if a == nil {
			return value.Bool(false), nil
		}
		v = a.Val
	}
	return value.Bool(true), nil
}

// Delay returns a thunk.
func (h *Has) Delay(th *value.Thread, f *value.Frame) value.Value { return th.Suspend(typeHas, h, f) }

// Pos returns the place of X.
func (h *Has) Pos() source.Pos { return h.X.Pos() }
