package realise

import (
	"context"
	"errors"
	"fmt"

	"gonix/derivation/build"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	nixpkgslite "gonix/nixpkgs-lite"
)

// sandboxShell returns the physical name of a static shell for the sandbox's
// /bin/sh. Derivations of a package set name their own; one is made for those
// of the plan that count on /bin/sh being there, as C++ Nix is set up to have
// it. "" means that nobody asks.
func (m *Maker) sandboxShell(ctx context.Context, plan *build.Plan) (string, error) {
	st := m.Store
	wanted := false
	for _, p := range plan.Builds {
		drv, err := st.ReadDerivation(ctx, p)
		if err != nil {
			return "", err
		}
		_, own := drv.Env["sandboxShell"]
		wanted = wanted || drv.Builder == "/bin/sh" && !own
	}
	if !wanted {
		return "", nil
	}
	files := eval.Files{Mounts: []eval.Mount{{Path: nixpkgslite.Mount, FS: nixpkgslite.FS}}, Physical: st.RealFile}
	inst := instantiate.New(ctx, instantiate.Options{Store: st, Files: files})
	s := eval.New(eval.Options{Files: files, System: m.Settings.System, Builtins: inst.Builtins(), Paths: inst})
	v, err := s.EvalString("(import "+nixpkgslite.Mount+" { }).hello.sandboxShell", "/", "«shell»")
	if err != nil {
		return "", fmt.Errorf("find a shell for the sandbox: %s", s.RenderError(err, false, false))
	}
	str, err := s.Thread().Coerce(v, 0, value.CoerceOptions{}, "")
	if err != nil {
		return "", err
	}
	goals, err := contextGoals(str.Ctx.Elems())
	if err != nil {
		return "", err
	}
	// Its own builders are static programs that need no shell.
	if err := m.Realise(ctx, goals, Manner{}); err != nil {
		return "", fmt.Errorf("make a shell for the sandbox: %w", err)
	}
	if _, _, err := storepath.Split(str.S); err != nil {
		return "", errors.New("the sandbox's shell is not in the store")
	}
	return st.RealFile(str.S), nil
}
