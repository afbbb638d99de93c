package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
)

// evaluate finds the derivations that the command line asks for. Language
// errors are shown here, with their traces.
func evaluate(ctx context.Context, m *maker, f *buildFlags) ([]wish, error) {
	e := &evaluator{
		w: m.w, flags: &f.evalFlags, set: m.set, progress: m.p,
		trace:      progressWriter{m.p},
		alwaysSet:  true,
		derivation: func(arg string) (wish, bool, error) { return derivationArgument(ctx, m.w, m.st, arg) },
	}
	e.use(ctx, m, manner{repair: f.repair})
	state := e.newState(ctx)
	defer state.Close()
	wishes, err := e.findWishes(state)
	if err != nil {
		m.p.close()
		return nil, e.report(ctx, state, err)
	}
	if err := e.finish(state); err != nil {
		return nil, err
	}
	if len(wishes) == 0 {
		m.w.warn("the expression holds no derivation, so there is nothing to build")
	}
	return wishes, nil
}

// findWishes evaluates each file or expression and each attribute of it.
func (e *evaluator) findWishes(s *eval.State) ([]wish, error) {
	args, err := e.autoArgs(s)
	if err != nil {
		return nil, err
	}
	attrs := e.flags.attrs
	if len(attrs) == 0 {
		attrs = []string{""}
	}
	names := e.flags.args
	if len(names) == 0 {
		if names = defaultFiles(e.w); !exists(names[0]) {
			return nil, errors.New("there is no default.nix here; name a file, or an expression with -E")
		}
	}
	var wishes []wish
	for _, name := range names {
		if e.derivation != nil && !e.flags.exprs {
			x, ok, err := e.derivation(name)
			if err != nil {
				return nil, err
			}
			if ok {
				wishes = append(wishes, x)
				continue
			}
		}
		v, err := e.argument(s, name)
		if err != nil {
			return nil, err
		}
		for _, attr := range attrs {
			sel, _, err := s.Attr(args, attr, v)
			if err != nil {
				return nil, err
			}
			packages, err := s.Packages(args, sel)
			if err != nil {
				return nil, err
			}
			for _, pkg := range packages {
				x, err := wishOf(pkg)
				if err != nil {
					return nil, err
				}
				wishes = append(wishes, x)
			}
		}
	}
	return wishes, nil
}

// derivationArgument recognises DERIVATION and DERIVATION!OUTPUT.
func derivationArgument(ctx context.Context, w *world, st *store.Local, arg string) (wish, bool, error) {
	file, output, _ := strings.Cut(arg, "!")
	p, err := storepath.Parse(st.LogicalFile(w.abs(file)))
	if err != nil || !p.IsDerivation() {
		return wish{}, false, nil // an expression
	}
	if err := st.TempRoot(p); err != nil {
		return wish{}, false, err
	}
	drv, err := st.ReadDerivation(ctx, p)
	if err != nil {
		return wish{}, false, err
	}
	switch {
	case strings.Contains(output, ","):
		return wish{}, false, errors.New("building more than one derivation output is not supported, in this case: '" + arg + "'")
	case output == "":
		output = cmp.Or(drv.Env["outputName"], "out")
	}
	return wish{p, output}, true, nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

func wishOf(pkg eval.Package) (wish, error) {
	drv, err := pkg.DrvPath()
	if err != nil {
		return wish{}, err
	}
	output, err := pkg.OutputName()
	if err != nil {
		return wish{}, err
	}
	if output == "" {
		return wish{}, fmt.Errorf("derivation '%s' lacks an 'outputName' attribute", drv)
	}
	return wish{drv, output}, nil
}

// progressWriter prints what an evaluation traces above the running lines.
type progressWriter struct{ p *progress }

func (w progressWriter) Write(b []byte) (int, error) {
	w.p.printf("%s", b)
	return len(b), nil
}
