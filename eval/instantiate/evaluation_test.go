package instantiate_test

import (
	"path/filepath"
	"testing"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/render"
	"gonix/parser/source"
)

// evaluation evaluates cases.nix.
type evaluation struct {
	t      *testing.T
	state  *eval.State
	memory *store.Memory
}

// newEvaluation returns an evaluation on a store that keeps everything in
// memory, or on one that only computes paths.
func newEvaluation(t *testing.T, keeping bool) *evaluation {
	t.Helper()
	e := &evaluation{t: t, memory: new(store.Memory)}
	var s instantiate.Store = e.memory
	if !keeping {
		s = instantiate.ReadOnly(nil)
	}
	made := instantiate.New(t.Context(), instantiate.Options{Store: s})
	e.state = eval.New(eval.Options{Builtins: made.Builtins(), Paths: made})
	return e
}

// json applies fn to the path of cases.nix.
func (e *evaluation) json(fn string) string {
	e.t.Helper()
	file, err := filepath.Abs(casesFile)
	if err != nil {
		e.t.Fatal(err)
	}
	v, err := e.state.EvalString("("+fn+") "+file, "/", "test")
	if err != nil {
		e.t.Fatal(e.state.RenderError(err, true, false))
	}
	text, _, err := render.JSON(e.state.Thread(), v, source.NoPos, true, true)
	if err != nil {
		e.t.Fatal(e.state.RenderError(err, true, false))
	}
	return text
}

// text is the content of a .drv file.
func (e *evaluation) text(p storepath.Path) string {
	text, _ := e.memory.Text(p)
	return text
}
