package printer_test

import (
	"testing"

	"gonix/parser/ast"
	"gonix/parser/printer"
)

// The forms that the parser's golden files cannot have.
func TestExpr(t *testing.T) {
	x := &ast.Ident{Name: "x"}
	for _, c := range []struct {
		e    ast.Expr
		want string
	}{
		{&ast.Str{}, `""`},
		{&ast.Str{Parts: []ast.Part{{Text: "a"}, {Text: "b"}}}, `("a" + "b")`},
		{&ast.Int{Value: -1}, `-1`},
		{&ast.Float{Value: 1e300}, `1e+300`},
		{&ast.Ident{Name: "if"}, `"if"`},
		{&ast.Ident{Name: ""}, `""`},
		{&ast.Attrs{Bindings: ast.Bindings{Static: []ast.Binding{{Name: "1", Value: x}, {Name: "a-'b", Value: x}}}}, `{ "1" = x; a-'b = x; }`},
		{&ast.Apply{Fn: &ast.SearchPath{Name: "n"}, Args: []ast.Expr{x}}, `(__findFile __nixPath "n" x)`},
		{&ast.Apply{Fn: &ast.Unary{Op: ast.OpNegate, X: x}, Args: []ast.Expr{x}}, `(__sub 0 x x)`},
		{&ast.Apply{Fn: &ast.Unary{Op: ast.OpNot, X: x}, Args: []ast.Expr{x}}, `((! x) x)`},
		{&ast.Apply{Fn: &ast.Binary{Op: ast.OpLeq, L: x, R: x}, Args: []ast.Expr{x}}, `((! (__lessThan x x)) x)`},
	} {
		if got := printer.Expr(c.e); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	path := []ast.AttrName{{Name: "a"}, {Name: "b c"}, {Expr: x}}
	if got, want := printer.AttrPath(path), `a."b c"."${x}"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
