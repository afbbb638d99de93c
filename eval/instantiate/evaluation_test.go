package instantiate_test

import (
	"os"
	"path/filepath"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/builtin"
	"gonix/eval/instantiate"
	"gonix/eval/render"
	"gonix/eval/resolve"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser"
	"gonix/parser/source"
)

// evaluation is the least that evaluates cases.nix: the builtins, import, and
// derivation as Nix defines it.
type evaluation struct {
	builtin.Host // what no case needs is nil
	t            *testing.T
	th           *value.Thread
	memory       *store.Memory
	globals      map[string]value.Value
}

// derivationText is the lazy function over derivationStrict.
const derivationText = `
attrs@{ outputs ? [ "out" ], ... }:
let
  strict = derivationStrict attrs;
  common = attrs // builtins.listToAttrs list // { all = map (x: x.value) list; drvAttrs = attrs; };
  list = map (outputName: {
    name = outputName;
    value = common // {
      outPath = builtins.getAttr outputName strict;
      drvPath = strict.drvPath;
      type = "derivation";
      inherit outputName;
    };
  }) outputs;
in (builtins.head list).value
`

// newEvaluation returns an evaluation on a store that keeps everything in
// memory, or on one that only computes paths.
func newEvaluation(t *testing.T, keeping bool) *evaluation {
	t.Helper()
	e := &evaluation{t: t, memory: new(store.Memory), globals: map[string]value.Value{}}
	var s instantiate.Store = e.memory
	if !keeping {
		s = instantiate.ReadOnly(nil)
	}
	state := instantiate.New(t.Context(), instantiate.Options{Store: s})
	e.th = &value.Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), Paths: state, MaxDepth: value.DefaultMaxDepth}

	set := value.NewBuilder(128)
	add := func(name string, v value.Value) {
		set.Add(e.th.Symbols.Intern(name), source.NoPos, v)
		e.globals["__"+name] = v
		if builtin.GlobalNames()[name] {
			e.globals[name] = v
		}
	}
	for _, b := range append(builtin.Table(e), state.Builtins()...) {
		add(b.Name, b)
	}
	for name, v := range builtin.Constants(e) {
		add(name, v)
	}
	e.globals["builtins"] = set.Finish()
	e.globals["derivation"] = e.eval("derivation", derivationText, "/")
	return e
}

// eval evaluates a text whose paths are relative to base.
func (e *evaluation) eval(name, text, base string) value.Value {
	e.t.Helper()
	v, err := e.try(name, text, base)
	if err != nil {
		e.t.Fatalf("%s: %v\n%+v", name, err, value.AsError(err).Frames)
	}
	return v
}

func (e *evaluation) try(name, text, base string) (value.Value, error) {
	file, err := parser.Parse(e.th.Sources.Add(name, text), parser.Options{Base: base})
	if err != nil {
		return nil, err
	}
	program, err := resolve.File(file, resolve.Env{Symbols: e.th.Symbols, Globals: e.globals})
	if err != nil {
		return nil, err
	}
	return program.Eval(e.th, nil)
}

// json applies fn to the path of cases.nix.
func (e *evaluation) json(fn string) string {
	e.t.Helper()
	file, err := filepath.Abs(casesFile)
	if err != nil {
		e.t.Fatal(err)
	}
	v := e.eval("test", "("+fn+") "+file, "/")
	text, _, err := render.JSON(e.th, v, source.NoPos, true, true)
	if err != nil {
		e.t.Fatalf("%v\n%+v", err, value.AsError(err).Frames)
	}
	return text
}

// text is the content of a .drv file.
func (e *evaluation) text(p storepath.Path) string {
	text, _ := e.memory.Text(p)
	return text
}

func (e *evaluation) Symbols() *symbol.Table            { return e.th.Symbols }
func (e *evaluation) SearchPath() []builtin.SearchEntry { return nil }
func (e *evaluation) Now() (int64, bool)                { return 0, false }
func (e *evaluation) System() string                    { return "" }

func (e *evaluation) Realise(*value.Thread, source.Pos, *value.Context) error { return nil }

func (e *evaluation) Import(_ *value.Thread, _ source.Pos, p value.Path) (value.Value, error) {
	text, err := os.ReadFile(string(p))
	if err != nil {
		return nil, err
	}
	return e.try(string(p), string(text), filepath.Dir(string(p)))
}
