// Package printer turns a syntax tree into text: the canonical form that
// nix-instantiate --parse prints and that messages about assertions quote.
//
// The form shows what Nix makes of an expression: a - b is (__sub a b),
// x |> f is (f x), and names are sorted. It is not made to be read back: the
// body of an assert has no parentheses, and floats are rounded.
package printer

import (
	"cmp"
	"slices"
	"strconv"

	"gonix/parser/ast"
)

// Expr returns the canonical text of e.
func Expr(e ast.Expr) string { return string(Append(nil, e)) }

// Append appends the canonical text of e to b.
func Append(b []byte, e ast.Expr) []byte {
	switch e := e.(type) {
	case *ast.Int:
		return strconv.AppendInt(b, e.Value, 10)
	case *ast.Float:
		return strconv.AppendFloat(b, e.Value, 'g', 6, 64)
	case *ast.Str:
		switch {
		case len(e.Parts) == 0:
			return append(b, `""`...)
		case len(e.Parts) == 1 && e.Parts[0].Expr == nil:
			return AppendString(b, e.Parts[0].Text)
		}
		b = append(b, '(')
		b = parts(b, e.Parts)
		return append(b, ')')
	case *ast.Path:
		if len(e.Parts) == 1 {
			return append(b, e.Parts[0].Text...)
		}
		b = append(b, '(')
		b = append(b, e.Parts[0].Text...)
		b = append(b, " + "...)
		b = parts(b, e.Parts[1:])
		return append(b, ')')
	case *ast.Ident:
		return AppendName(b, e.Name)
	case *ast.CurPos:
		return append(b, "__curPos"...)
	case *ast.List:
		b = append(b, "[ "...)
		for _, x := range e.Elems {
			b = append(b, '(')
			b = Append(b, x)
			b = append(b, ") "...)
		}
		return append(b, ']')
	case *ast.Attrs:
		if e.Recursive {
			b = append(b, "rec "...)
		}
		b = append(b, "{ "...)
		b = bindings(b, &e.Bindings)
		return append(b, '}')
	case *ast.Let:
		b = append(b, "(let "...)
		b = bindings(b, &e.Bindings)
		b = append(b, "in "...)
		b = Append(b, e.Body)
		return append(b, ')')
	case *ast.Lambda:
		return lambda(b, e)
	case *ast.Select:
		b = append(b, '(')
		b = Append(b, e.X)
		b = append(b, ")."...)
		b = attrPath(b, e.Path)
		if e.Default != nil {
			b = append(b, " or ("...)
			b = Append(b, e.Default)
			b = append(b, ')')
		}
		return b
	case *ast.HasAttr:
		b = append(b, "(("...)
		b = Append(b, e.X)
		b = append(b, ") ? "...)
		b = attrPath(b, e.Path)
		return append(b, ')')
	case *ast.If:
		b = append(b, "(if "...)
		b = Append(b, e.Cond)
		b = append(b, " then "...)
		b = Append(b, e.Then)
		b = append(b, " else "...)
		b = Append(b, e.Else)
		return append(b, ')')
	case *ast.Assert:
		b = append(b, "assert "...)
		b = Append(b, e.Cond)
		b = append(b, "; "...)
		return Append(b, e.Body)
	case *ast.With:
		b = append(b, "(with "...)
		b = Append(b, e.Scope)
		b = append(b, "; "...)
		b = Append(b, e.Body)
		return append(b, ')')
	case *ast.Unary:
		if e.Op == ast.OpNot {
			b = append(b, "(! "...)
			b = Append(b, e.X)
			return append(b, ')')
		}
		return call(b, e)
	case *ast.Binary:
		return binary(b, e)
	case *ast.SearchPath, *ast.Apply:
		return call(b, e)
	}
	panic("printer: unknown expression")
}

// parts appends a + b + c, the text of a string with interpolation.
func parts(b []byte, list []ast.Part) []byte {
	for i, p := range list {
		if i > 0 {
			b = append(b, " + "...)
		}
		if p.Expr != nil {
			b = Append(b, p.Expr)
		} else {
			b = AppendString(b, p.Text)
		}
	}
	return b
}

// symbols has the operators that are not calls.
var symbols = [...]string{
	ast.OpImpl:   " -> ",
	ast.OpOr:     " || ",
	ast.OpAnd:    " && ",
	ast.OpEq:     " == ",
	ast.OpNeq:    " != ",
	ast.OpUpdate: " // ",
	ast.OpAdd:    " + ",
	ast.OpConcat: " ++ ",
}

// calls has the operators that stand for a builtin function.
var calls = [...]string{
	ast.OpLt:     "__lessThan",
	ast.OpLeq:    "__lessThan", // not (b < a)
	ast.OpGt:     "__lessThan", // b < a
	ast.OpGeq:    "__lessThan", // not (a < b)
	ast.OpSub:    "__sub",
	ast.OpMul:    "__mul",
	ast.OpDiv:    "__div",
	ast.OpNegate: "__sub", // 0 - a
}

// binary appends an operator and its operands.
func binary(b []byte, e *ast.Binary) []byte {
	switch e.Op {
	case ast.OpLeq, ast.OpGeq:
		l, r := e.L, e.R
		if e.Op == ast.OpLeq {
			l, r = r, l
		}
		b = append(b, "(! (__lessThan "...)
		b = Append(b, l)
		b = append(b, ' ')
		b = Append(b, r)
		return append(b, "))"...)
	}
	if int(e.Op) < len(symbols) && symbols[e.Op] != "" {
		b = append(b, '(')
		b = Append(b, e.L)
		b = append(b, symbols[e.Op]...)
		b = Append(b, e.R)
		return append(b, ')')
	}
	return call(b, e)
}

// call appends a function and its arguments.
func call(b []byte, e ast.Expr) []byte {
	b = append(b, '(')
	b, _ = flatCall(b, e)
	return append(b, ')')
}

// flatCall appends a call without its parentheses: the arguments of a call of a
// call are one list. ok is false, and nothing is appended, if e is no call.
func flatCall(b []byte, e ast.Expr) (_ []byte, ok bool) {
	switch e := e.(type) {
	case *ast.SearchPath:
		b = append(b, "__findFile __nixPath "...)
		return AppendString(b, e.Name), true
	case *ast.Unary:
		if e.Op != ast.OpNegate {
			return b, false
		}
		b = append(b, "__sub 0 "...)
		return Append(b, e.X), true
	case *ast.Binary:
		l, r := e.L, e.R
		switch e.Op {
		case ast.OpPipeFrom:
			return args(b, l, r), true
		case ast.OpPipeInto:
			return args(b, r, l), true
		case ast.OpLt, ast.OpSub, ast.OpMul, ast.OpDiv:
		case ast.OpGt:
			l, r = r, l
		default:
			return b, false
		}
		b = append(b, calls[e.Op]...)
		b = append(b, ' ')
		b = Append(b, l)
		b = append(b, ' ')
		return Append(b, r), true
	case *ast.Apply:
		return args(b, e.Fn, e.Args...), true
	}
	return b, false
}

// args appends fn, without parentheses if it is a call, and list. The function
// before the word or keeps them: or binds tighter than other arguments.
func args(b []byte, fn ast.Expr, list ...ast.Expr) []byte {
	flat := false
	if id, ok := list[0].(*ast.Ident); !ok || id.Name != "or" {
		b, flat = flatCall(b, fn)
	}
	if !flat {
		b = Append(b, fn)
	}
	for _, x := range list {
		b = append(b, ' ')
		b = Append(b, x)
	}
	return b
}

// lambda appends a function.
func lambda(b []byte, e *ast.Lambda) []byte {
	b = append(b, '(')
	if e.Formals != nil {
		sorted := slices.Clone(e.Formals.List)
		slices.SortFunc(sorted, func(x, y ast.Formal) int { return cmp.Compare(x.Name, y.Name) })
		b = append(b, "{ "...)
		for i, f := range sorted {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = AppendName(b, f.Name)
			if f.Default != nil {
				b = append(b, " ? "...)
				b = Append(b, f.Default)
			}
		}
		if e.Formals.Ellipsis {
			if len(sorted) > 0 {
				b = append(b, ", "...)
			}
			b = append(b, "..."...)
		}
		b = append(b, " }"...)
		if e.Arg != "" {
			b = append(b, " @ "...)
		}
	}
	if e.Arg != "" {
		b = AppendName(b, e.Arg)
	}
	b = append(b, ": "...)
	b = Append(b, e.Body)
	return append(b, ')')
}

// bindings appends what is between the braces: inherited names, then the
// others, each sorted, then the dynamic ones.
func bindings(b []byte, s *ast.Bindings) []byte {
	sorted := make([]*ast.Binding, len(s.Static))
	for i := range s.Static {
		sorted[i] = &s.Static[i]
	}
	slices.SortFunc(sorted, func(x, y *ast.Binding) int { return cmp.Compare(x.Name, y.Name) })
	first := true
	for _, x := range sorted {
		if x.Kind == ast.Inherit {
			if first {
				b = append(b, "inherit"...)
				first = false
			}
			b = append(b, ' ')
			b = AppendName(b, x.Name)
		}
	}
	if !first {
		b = append(b, "; "...)
	}
	names := make([][]string, len(s.From))
	for _, x := range sorted {
		if x.Kind == ast.InheritFrom {
			names[x.From] = append(names[x.From], x.Name)
		}
	}
	for i, from := range s.From {
		if len(names[i]) == 0 {
			continue
		}
		b = append(b, "inherit ("...)
		b = Append(b, from)
		b = append(b, ')')
		for _, n := range names[i] {
			b = append(b, ' ')
			b = AppendName(b, n)
		}
		b = append(b, "; "...)
	}
	for _, x := range sorted {
		if x.Kind == ast.Plain {
			b = AppendName(b, x.Name)
			b = append(b, " = "...)
			b = Append(b, x.Value)
			b = append(b, "; "...)
		}
	}
	for _, d := range s.Dynamic {
		b = append(b, `"${`...)
		b = Append(b, d.Name)
		b = append(b, `}" = `...)
		b = Append(b, d.Value)
		b = append(b, "; "...)
	}
	return b
}

// AttrPath returns the canonical text of an attribute path.
func AttrPath(path []ast.AttrName) string { return string(attrPath(nil, path)) }

func attrPath(b []byte, path []ast.AttrName) []byte {
	for i, n := range path {
		if i > 0 {
			b = append(b, '.')
		}
		if n.Expr == nil {
			b = AppendName(b, n.Name)
			continue
		}
		b = append(b, `"${`...)
		b = Append(b, n.Expr)
		b = append(b, `}"`...)
	}
	return b
}
