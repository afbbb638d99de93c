package eval_test

import (
	"testing"

	"gonix/eval"
	"gonix/eval/value"
	"gonix/parser/source"
)

// show evaluates a text in a scope and writes the value.
func show(t *testing.T, s *eval.State, scope *value.Attrs, text string) string {
	t.Helper()
	v, err := s.ExpressionIn(scope, text, "/", "«string»")
	if err != nil {
		return "error: " + err.Error()
	}
	out, err := s.Thread().ShowAs(v, value.ShowOptions{Force: true, TopErrors: true})
	if err != nil {
		return "error: " + err.Error()
	}
	return out
}

func TestBindingsIn(t *testing.T) {
	s := newState(t)
	outer, err := s.BindingsIn(value.EmptyAttrs, "x = 1; map = x: x; f = x: { inherit x; }; a.b = throw \"no\"", "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want string }{
		{"x", "1"},
		{"map 2", "2"},
		{"builtins.map f [ x ]", "[ { x = 1; } ]"},
		{"f", "«lambda f @ «string»:1:24»"},
		{"let x = 2; in x", "2"},
		{"with { x = 3; y = 4; }; x + y", "5"},
		{"a", "{ b = «error: no»; }"},
		{"a.b", "error: no"},
		{"nothing", "error: undefined variable 'nothing'"},
	} {
		if got := show(t, s, outer, c.text); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
	// Bindings see what was there before, and not each other.
	inner, err := s.BindingsIn(outer, "x = x + 1; inherit (f 5) x", "/", "«string»")
	if err == nil {
		t.Errorf("x was taken twice: %v", inner.Len())
	}
	inner, err = s.BindingsIn(outer, "x = x + 1; y = x", "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	if got := show(t, s, inner, "[ x y ]"); got != "[ 2 1 ]" {
		t.Errorf("got %s", got)
	}
	if _, err := s.BindingsIn(outer, "z = q", "/", "«string»"); err == nil || err.Error() != "undefined variable 'q'" {
		t.Errorf("got error %v", err)
	}
}

func TestSelectionIn(t *testing.T) {
	s := newState(t)
	scope, err := s.BindingsIn(value.EmptyAttrs, "a.b.c = throw \"not asked for\"", "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, name string
		ok         bool
		err        string
	}{
		{"a.b.c", "c", true, ""},
		{"a.b", "b", true, ""},
		{"({ d = 1; }).d", "d", true, ""},
		{"a", "", false, ""},
		{"a.b or 1", "", false, ""},
		{"a.${\"b\"}", "b", true, ""},
		{"a.x", "", true, "attribute 'x' missing"},
		{"a.b.c.d", "", true, "not asked for"},
		{"a.", "", false, "syntax error, unexpected end of file, expecting identifier or 'or' or '${' or '\"'"},
	} {
		attr, ok, err := s.SelectionIn(scope, c.text, "/", "«string»")
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err || ok != c.ok && err == nil {
			t.Errorf("%s: got %v, error %q", c.text, ok, text)
		}
		if c.name != "" && s.Symbols().Name(attr.Sym) != c.name {
			t.Errorf("%s: got attribute %s", c.text, s.Symbols().Name(attr.Sym))
		}
	}
}

func TestComments(t *testing.T) {
	s := newState(t)
	const text = `{
  /** Adds. */
  add = a: b: a + b;
  /**
    More
      text.
  */
  deep.er."x y" =
    # not this
    /* nor this */
    { a, b ? { } }@args: c: a;
  inner = /** outer */ x: /** within */ y: x;
  none = /* no */ x: x;
  /** Of the
      attribute. */
  one.two = 1;
  /** In parentheses. */
  paren = ((q: q));
  /***/
  empty = x: x;
  /** Whole. */
  whole = args@{ a }: b: a;
}
`
	scope, err := s.BindingsIn(value.EmptyAttrs, "s = "+text, "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ expr, want string }{
		{"s.add", "Adds."},
		{"s.add 1", "Adds."},
		{"s.deep.er.\"x y\"", "More\n  text."},
		{"s.deep.er.\"x y\" { a = 1; }", "More\n  text."},
		{"s.inner", "outer"},
		{"s.inner 1", "within"},
		{"s.none", ""},
		{"s.paren", "In parentheses."},
		{"s.empty", ""},
		{"s.whole { a = 1; }", "Whole."},
	} {
		v, err := s.ExpressionIn(scope, c.expr, "/", "«string»")
		if err == nil {
			v, err = s.Thread().Force(v, source.NoPos)
		}
		if err != nil {
			t.Fatalf("%s: %v", c.expr, err)
		}
		if got := s.FunctionComment(v.(*value.Closure).Fn.Pos()); got != c.want {
			t.Errorf("%s: got %q, want %q", c.expr, got, c.want)
		}
	}
	attr, _, err := s.SelectionIn(scope, "s.one.two", "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Comment(attr.Pos), "Of the\n  attribute."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
