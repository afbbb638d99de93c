package code_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/eval/code"
	"gonix/eval/resolve"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/source"
)

// program returns what is evaluated in a frame that holds x alone, and a thread
// to do it on.
func program(t *testing.T, text string) (code.Node, *value.Thread) {
	t.Helper()
	th := &value.Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), MaxDepth: value.DefaultMaxDepth}
	tree, err := parser.Parse(th.Sources.Add("/test.nix", text), parser.Options{Base: "/"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := resolve.File(tree, resolve.Env{Symbols: th.Symbols, Globals: map[string]value.Value{
		"true":       value.Bool(true),
		"__lessThan": &value.Builtin{Name: "lessThan", Params: []string{"a", "b"}},
	}, Scope: []symbol.Symbol{th.Symbols.Intern("x")}})
	if err != nil {
		t.Fatal(err)
	}
	return n, th
}

// TestNodes says of each kind of node how it is written down, what it
// evaluates to where x is 5, and what a binding to it holds at first: a thunk,
// or the value where that costs nothing.
func TestNodes(t *testing.T) {
	for _, c := range []struct{ expr, dump, result, delayed string }{
		{`1`, `1`, `1`, `1`},
		{`x`, `0.0`, `5`, `5`},
		{`"a"`, `"a"`, `"a"`, `"a"`},
		{`"a${"b"}"`, `(string "a" "b")`, `"ab"`, `«thunk»`},
		{`[ ]`, `[ ]`, `[ ]`, `[ ]`},
		{`[ x (x < 1) ]`, `(list 0.0 (lessThan 0.0 1))`, `[ 5 false ]`, `«thunk»`},
		{`{ }`, `(literal { })`, `{ }`, `«thunk»`},
		{`{ a = x; b = "c"; }`, `(attrs a = 0.0 b = "c")`, `{ a = 5; b = "c"; }`, `«thunk»`},
		{`rec { a = x; b = a; }`, `(rec 0 a = 1.0 1 b = 0.0)`, `{ a = 5; b = 5; }`, `«thunk»`},
		{`{ ${"a${"b"}"} = x; }`,
			`(dynamic name = (string "a" "b") value = 0.0)`,
			`{ ab = 5; }`, `«thunk»`},
		{`y: x`, `(lambda 1.0)`, `«lambda @ /test.nix:1:1»`, `«lambda @ /test.nix:1:1»`},
		{`y: z: x`, `(curried 2 1.0)`, `«lambda @ /test.nix:1:1»`, `«lambda @ /test.nix:1:1»`},
		{`{ y ? x, ... }: y`,
			`(pattern y ? 1.0 ... 0.0)`,
			`«lambda @ /test.nix:1:1»`, `«lambda @ /test.nix:1:1»`},
		{`(y: z: [ x y z ]) 1 2`, `(call (curried 2 (list 1.0 0.0 0.1)) 1 2)`, `[ 5 1 2 ]`, `«thunk»`},
		{`(y: z: [ x y z ]) 1`,
			`(call-one (curried 2 (list 1.0 0.0 0.1)) 1)`,
			`«lambda @ /test.nix:1:5»`, `«thunk»`},
		{`({ y ? x, z }: [ y z ]) { z = 1; }`,
			`(call-one (pattern y ? 1.0 z (list 0.0 0.1)) (literal { z = 1; }))`,
			`[ 5 1 ]`, `«thunk»`},
		{`let inherit x; y = x; in y`, `(let 0 outer = 0.0 1 = 0.0 0.1)`, `5`, `«thunk»`},
		{`with { y = x; }; y`, `(with (attrs y = 0.0) (with-variable y 0))`, `5`, `«thunk»`},
		{`{ y = x; }.y`, `(select-one .y (attrs y = 0.0))`, `5`, `«thunk»`},
		{`{ y = x; }.y.z or 2`, `(select (attrs y = 0.0) .y .z or = 2)`, `2`, `«thunk»`},
		{`{ y = x; } ? y.z`, `(has (attrs y = 0.0) .y .z)`, `false`, `«thunk»`},
		{`{ a = 1; } // { a = x; } // { b = 2; }`,
			`(// (literal { a = 1; }) (attrs a = 0.0) (literal { b = 2; }))`,
			`{ a = 5; b = 2; }`, `«thunk»`},
		{`if x == 5 then "yes" else "no"`, `(if (== 0.0 5) "yes" "no")`, `"yes"`, `«thunk»`},
		{`assert x < 9; x`, `(assert "(__lessThan x 9)" (lessThan 0.0 9) 0.0)`, `5`, `«thunk»`},
		{`!true || x != 5 -> true`, `(-> (|| (not true) (!= 0.0 5)) true)`, `true`, `«thunk»`},
		{`[ 1 ] ++ [ x ]`, `(++ (literal [ 1 ]) (list 0.0))`, `[ 1 5 ]`, `«thunk»`},
		{`x + 1`, `(+ 0.0 1)`, `6`, `«thunk»`},
		{`/a + "b"`, `(+ /a "b")`, `/ab`, `«thunk»`},
	} {
		n, th := program(t, c.expr)
		f := th.NewFrame1(nil, value.Int(5))
		dump := strings.Join(strings.Fields(code.Dump(n, th.Symbols)), " ")
		delayed := n.Delay(th, f)
		kind := th.Show(delayed)
		v, err := n.Eval(th, f)
		if err == nil {
			err = th.DeepForce(v, source.NoPos)
		}
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		result := th.Show(v)
		if v, err := th.Force(delayed, source.NoPos); err != nil || th.DeepForce(v, source.NoPos) != nil || th.Show(v) != result {
			t.Errorf("%s: not the same later: %s, %v", c.expr, th.Show(v), err)
		}
		want := []string{c.dump, c.result, c.delayed}
		if diff := cmp.Diff(want, []string{dump, result, kind}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.expr, diff)
		}
	}
}
