package expression

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
)

// Wish is one derivation that the command line asks for, in its order.
type Wish struct {
	Drv    storepath.Path
	Output string
}

// FindWishes evaluates each file or expression and each attribute of it.
func (e *Evaluator) FindWishes(s *eval.State) ([]Wish, error) {
	args, err := e.AutoArgs(s)
	if err != nil {
		return nil, err
	}
	attrs := e.Flags.Attrs
	if len(attrs) == 0 {
		attrs = []string{""}
	}
	names := e.Flags.Args
	if len(names) == 0 {
		if names = DefaultFiles(e.World); !exists(names[0]) {
			return nil, errors.New("there is no default.nix here; name a file, or an expression with -E")
		}
	}
	var wishes []Wish
	for _, name := range names {
		if e.Derivation != nil && !e.Flags.Exprs {
			x, ok, err := e.Derivation(name)
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
				x, err := WishOf(pkg)
				if err != nil {
					return nil, err
				}
				wishes = append(wishes, x)
			}
		}
	}
	return wishes, nil
}

// DerivationArgument recognises DERIVATION and DERIVATION!OUTPUT.
func DerivationArgument(ctx context.Context, w *process.World, st *store.Local, arg string) (Wish, bool, error) {
	file, output, _ := strings.Cut(arg, "!")
	p, err := storepath.Parse(st.LogicalFile(w.Abs(file)))
	if err != nil || !p.IsDerivation() {
		return Wish{}, false, nil // an expression
	}
	if err := st.TempRoot(p); err != nil {
		return Wish{}, false, err
	}
	drv, err := st.ReadDerivation(ctx, p)
	if err != nil {
		return Wish{}, false, err
	}
	switch {
	case strings.Contains(output, ","):
		return Wish{}, false, errors.New("building more than one derivation output is not supported, in this case: '" + arg + "'")
	case output == "":
		output = cmp.Or(drv.Env["outputName"], "out")
	}
	return Wish{p, output}, true, nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

func WishOf(pkg eval.Package) (Wish, error) {
	drv, err := pkg.DrvPath()
	if err != nil {
		return Wish{}, err
	}
	output, err := pkg.OutputName()
	if err != nil {
		return Wish{}, err
	}
	if output == "" {
		return Wish{}, fmt.Errorf("derivation '%s' lacks an 'outputName' attribute", drv)
	}
	return Wish{drv, output}, nil
}

// DefaultFiles is what is evaluated when no file is named.
func DefaultFiles(w *process.World) []string {
	return []string{filepath.Join(w.Cwd, "default.nix")}
}
