package expression

import (
	"fmt"
	"io"

	"gonix/derivation/fetch/flakeref"
	"gonix/eval"
	"gonix/eval/flake"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	"gonix/parser/source"
)

// flakeHost is the flake.Host of an evaluation, made of its two halves.
type flakeHost struct {
	*eval.State
	inst *instantiate.State
	warn io.Writer
	pure bool
}

var _ flake.Host = (*flakeHost)(nil)

// Refs implements [flake.Host].
func (h *flakeHost) Refs() flakeref.Parser { return h.inst.Refs() }

// FetchTree implements [flake.Host].
func (h *flakeHost) FetchTree(in flakeref.Input) (flakeref.Tree, error) { return h.inst.FetchTree(in) }

// TreeAttrs implements [flake.Host].
func (h *flakeHost) TreeAttrs(th *value.Thread, pos source.Pos, t flakeref.Tree, dirty bool) *value.Attrs {
	return h.inst.TreeAttrs(th, pos, t, instantiate.TreeForm{Dirty: dirty})
}

// EvalFile implements [flake.Host].
func (h *flakeHost) EvalFile(th *value.Thread, file string) (value.Value, error) {
	return h.State.Import(th, source.NoPos, value.Path(file))
}

// ReadFile implements [flake.Host].
func (h *flakeHost) ReadFile(file string) ([]byte, error) { return h.State.ReadFile(value.Path(file)) }

// Warn implements [flake.Host].
func (h *flakeHost) Warn(msg string) { fmt.Fprintf(h.warn, "warning: %s\n", msg) }

// Pure implements [flake.Host].
func (h *flakeHost) Pure() bool { return h.pure }
