package value

import (
	"path"
	"strconv"
	"strings"

	"gonix/eval/symbol"
	"gonix/parser/source"
)

// CoerceOptions say what Coerce accepts beyond strings, paths and sets with
// __toString or outPath.
type CoerceOptions struct {
	More        bool // null, Booleans, numbers and lists too (toString, derivation attributes)
	CopyToStore bool // a path becomes the store path of a copy of it
	KeepPaths   bool // a path stays as written, uncanonicalised
}

// Coerce turns v into a string as Nix's coerceToString does.
func (th *Thread) Coerce(v Value, pos source.Pos, opt CoerceOptions, why string) (*String, error) {
	v, err := th.Force(v, pos)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(*String); ok {
		return s, nil
	}
	if err := th.Enter(pos); err != nil {
		return nil, err
	}
	s, err := th.coerceForced(v, pos, opt, why)
	th.Leave()
	return s, err
}

func (th *Thread) coerceForced(v Value, pos source.Pos, opt CoerceOptions, why string) (*String, error) {
	switch v := v.(type) {
	case Path:
		if opt.CopyToStore {
			return th.copyPath(string(v))
		}
		return NewString(v.Text()), nil
	case *Attrs:
		if f, ok := v.Get(symbol.ToString); ok {
			s, err := th.ApplyAll(pos, f.Val, []Value{v})
			if err != nil {
				return nil, err
			}
			return th.Coerce(s, pos, opt, "while evaluating the result of the `__toString` attribute")
		}
		if out, ok := v.Get(symbol.OutPath); ok {
			return th.Coerce(out.Val, pos, opt, why)
		}
	case Bool:
		if opt.More {
			if v {
				return NewString("1"), nil
			}
			return NewString(""), nil
		}
	case Int:
		if opt.More {
			return NewString(strconv.FormatInt(int64(v), 10)), nil
		}
	case Float:
		if opt.More {
			return NewString(FormatFloatFixed(float64(v))), nil
		}
	case Null:
		if opt.More {
			return NewString(""), nil
		}
	case *List:
		if opt.More {
			return th.coerceList(v, pos, opt, why)
		}
	}
	err := th.Errorf(source.NoPos, TypeError, "cannot coerce %s to a string: %s", TypeName(v), th.Show(v))
	return nil, WithFrame(err, pos, why)
}

// coerceList joins the elements with spaces, but puts none after an empty
// list, nor after the last element.
func (th *Thread) coerceList(l *List, pos source.Pos, opt CoerceOptions, why string) (*String, error) {
	var b strings.Builder
	var growth Growth
	var room [8]*Context
	ctxs := room[:0]
	for i, e := range l.Elems {
		s, err := th.Coerce(e, pos, opt, "while evaluating one element of the list")
		if err != nil {
			return nil, WithFrame(err, pos, why)
		}
		if err := growth.Fit(th, pos, b.Len()+len(s.S)); err != nil {
			return nil, err
		}
		b.WriteString(s.S)
		if s.Ctx != nil {
			ctxs = append(ctxs, s.Ctx)
		}
		if i == len(l.Elems)-1 {
			break
		}
		if inner, ok := settled(e).(*List); !ok || len(inner.Elems) > 0 {
			b.WriteByte(' ')
		}
	}
	return &String{S: b.String(), Ctx: Union(ctxs)}, nil
}

func (th *Thread) copyPath(p string) (*String, error) {
	if strings.HasSuffix(p, ".drv") {
		return nil, th.Errorf(source.NoPos, EvalError, "file names are not allowed to end in '.drv'")
	}
	if th.Paths == nil {
		return nil, th.Errorf(source.NoPos, Restricted, "cannot copy '%s' to the store: this evaluation has no store", p)
	}
	out, err := th.Paths.CopyToStore(th, p)
	if err != nil {
		return nil, AsError(err)
	}
	return &String{S: out, Ctx: NewContext(ContextElem{Kind: Opaque, Path: out})}, nil
}

// CoercePath turns v into an absolute path, with the context of strings that
// were turned into one.
func (th *Thread) CoercePath(v Value, pos source.Pos, why string) (Path, *Context, error) {
	v, err := th.Force(v, pos)
	if err != nil {
		return "", nil, WithFrame(err, pos, why)
	}
	switch v := v.(type) {
	case Path:
		return v, nil, nil
	case *Attrs:
		if f, ok := v.Get(symbol.ToString); ok {
			if err := th.Enter(pos); err != nil {
				return "", nil, err
			}
			defer th.Leave()
			r, err := th.ApplyAll(pos, f.Val, []Value{v})
			if err != nil {
				return "", nil, err
			}
			return th.CoercePath(r, pos, why)
		}
	}
	s, err := th.Coerce(v, pos, CoerceOptions{}, why)
	if err != nil {
		return "", nil, err
	}
	if !strings.HasPrefix(s.S, "/") {
		err := th.Errorf(source.NoPos, EvalError, "string '%s' doesn't represent an absolute path", s.S)
		return "", nil, WithFrame(err, pos, why)
	}
	return Path(path.Clean(s.S)), s.Ctx, nil
}

// FormatFloatFixed is how toString spells a float: with six decimals.
func FormatFloatFixed(f float64) string { return cSpecial(strconv.FormatFloat(f, 'f', 6, 64)) }

// FormatFloat is how values print a float: six significant digits, no trailing
// zeros, an exponent where C's %g has one.
func FormatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'e', 5, 64)
	mant, exp, ok := strings.Cut(s, "e")
	if !ok {
		return cSpecial(s)
	}
	n, _ := strconv.Atoi(exp)
	if n < -4 || n >= 6 {
		return trimZeros(mant) + "e" + exp
	}
	return trimZeros(strconv.FormatFloat(f, 'f', 5-n, 64))
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// cSpecial spells infinities and NaN as C does.
func cSpecial(s string) string {
	switch s {
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	case "NaN":
		return "nan"
	}
	return s
}
