package eval_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/eval"
	"gonix/eval/render"
	"gonix/parser/source"
)

// TestSame evaluates the test programs twice: neither the results and errors
// nor the numbers of symbols may differ.
func TestSame(t *testing.T) {
	var files []string
	for _, class := range []string{"eval-okay", "eval-fail"} {
		for _, name := range programs(t, class) {
			files = append(files, "/lang/"+name+".nix")
		}
	}
	run := func() (texts, names []string) {
		s := newState(t)
		for _, file := range files {
			text, err := strictText(s, file)
			if err != nil {
				text = s.RenderError(err, true, false)
			}
			texts = append(texts, text)
		}
		return texts, slices.Clone(s.Symbols().Names())
	}
	texts, names := run()
	againTexts, againNames := run()
	if diff := cmp.Diff(texts, againTexts); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	if diff := cmp.Diff(names, againNames); diff != "" {
		t.Errorf("symbols differ:\n%s", diff)
	}
}

// TestSymbolOrder evaluates expressions after others that made the symbols of
// their names in another order: no result may depend on that.
func TestSymbolOrder(t *testing.T) {
	for _, expr := range []string{
		`builtins.attrNames { zoo = 1; zob = 2; abc = 3; Zed = 4; "a b" = 5; }`,
		`builtins.attrValues { zoo = 1; zob = 2; abc = 3; Zed = 4; "a b" = 5; }`,
		`builtins.mapAttrs (n: v: n) { zoo = 1; zob = 2; abc = 3; }`,
		`builtins.toJSON { zoo = 1; zob = 2; abc = 3; }`,
		`builtins.toXML { zoo = 1; zob = 2; abc = 3; }`,
		`builtins.zipAttrsWith (n: vs: n) [ { zoo = 1; abc = 3; } { zob = 2; } ]`,
		`builtins.groupBy (x: x) [ "zoo" "zob" "abc" ]`,
		`builtins.functionArgs ({ zoo, zob ? 1, abc }: 1)`,
		`{ zoo = 1; zob = 2; abc = 3; } < { }`,
		`{ zoo = 1; zob = 2; zom = 3; zon = 4; zop = 5; }.zox`,
		`(derivation { name = "d"; system = "s"; builder = "b"; zoo = 1; zob = 2; outputs = [ "out" "abc" ]; }).drvPath`,
		`(builtins.derivationStrict { name = "d"; system = "s"; builder = "b"; zoo = throw "zoo"; zob = throw "zob"; }).drvPath`,
	} {
		show := func(s *eval.State) string {
			v, err := s.EvalString(expr, "/", "«string»")
			if err == nil {
				err = s.Thread().DeepForce(v, source.NoPos)
			}
			if err != nil {
				return s.RenderError(err, true, false)
			}
			text, err := render.Text(s.Thread(), v)
			if err != nil {
				return s.RenderError(err, true, false)
			}
			return text
		}
		want := show(newState(t))
		other := newState(t)
		if _, err := other.EvalString(`{ zoy = 1; zox = 1; zop = 1; zon = 1; zom = 1; zob = 1; zoo = 1; abc = 1; Zed = 1; "a b" = 1; }`, "/", "«string»"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, show(other)); diff != "" {
			t.Errorf("%s differs:\n%s", expr, diff)
		}
	}
}

// TestErrorOrder is about which of two errors comes first: as in Nix it is that
// of the name that was read first.
func TestErrorOrder(t *testing.T) {
	for _, expr := range []string{
		`builtins.deepSeq { zoo = throw "zoo"; zob = throw "zob"; } 1`,
		`{ zoo = throw "zoo"; zob = throw "zob"; } == { zob = 1; zoo = 1; }`,
		`({ zoo, zob }: 1) { }`,
		`({ }: 1) { zoo = 1; zob = 2; }`,
	} {
		for before, first := range map[string]string{"": "zoo", "let zob = 1; in ": "zob"} {
			if got := evalText(newState(t), before+expr); !strings.HasPrefix(got, "error: ") || !strings.Contains(got, first) {
				t.Errorf("%s: %s, not about %s", before+expr, got, first)
			}
		}
	}
}
