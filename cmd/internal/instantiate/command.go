// Package instantiate is gonix instantiate, which is nix-instantiate.
package instantiate

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/process"
	"gonix/eval"
	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/ast"
	"gonix/parser/printer"
	"gonix/parser/source"
)

// instantiation is one run of gonix instantiate.
type instantiation struct {
	expression.Evaluator
	ctx    context.Context
	f      *flags
	state  *eval.State
	roots  int  // links made so far
	warned bool // about missing links
}

// Command is gonix instantiate: it writes the derivations that
// expressions describe to the store and prints their paths, or it prints
// values, or trees.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"[FLAG]... [FILE]..."},
		About: "Write the derivations that Nix expressions describe to the store (default.nix if\nno file is named; - is standard input) and print their paths, or print what\nexpressions mean.",
	})
	if set == nil {
		return err
	}
	defer stop()
	x := &instantiation{
		Evaluator: expression.Evaluator{World: w, Flags: &f.Flags, Settings: set, Progress: f.Progress(w)},
		ctx:       ctx,
		f:         f,
	}
	x.Trace = x.Progress
	shut, err := x.Open(ctx, f.writes())
	if err != nil {
		return err
	}
	defer shut()
	x.state = x.NewState(ctx)
	defer x.state.Close()
	if err := x.run(); err != nil {
		x.Progress.Close()
		return x.Report(ctx, x.state, err)
	}
	return x.Finish(x.state)
}

// run does what the flags say with standard input and all arguments.
func (x *instantiation) run() error {
	if x.f.findFile {
		for _, name := range x.f.Args {
			file, err := x.state.Find(name)
			if err != nil {
				return err
			}
			if shown := value.Path(file).Show(); shown != file {
				return fmt.Errorf("'%s' has no physical path", shown)
			}
			fmt.Fprintln(x.World.Stdout, file)
		}
		return nil
	}
	args, err := x.AutoArgs(x.state)
	if err != nil {
		return err
	}
	if x.f.stdin {
		text, err := io.ReadAll(x.World.Stdin)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		if err := x.text(args, string(text), "«stdin»"); err != nil {
			return err
		}
	} else if len(x.f.Args) == 0 && !x.f.Exprs {
		return x.file(args, expression.DefaultFiles(x.World)[0])
	}
	for _, name := range x.f.Args {
		if x.f.Exprs {
			err = x.text(args, name, "«string»")
		} else {
			err = x.file(args, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *instantiation) text(args *value.Attrs, text, name string) error {
	if x.f.parseOnly {
		return x.printTree(x.state.Syntax(text, x.World.Cwd, name))
	}
	v, err := x.state.EvalString(text, x.World.Cwd, name)
	if err != nil {
		return err
	}
	return x.process(args, v)
}

func (x *instantiation) file(args *value.Attrs, name string) error {
	file, err := x.state.Lookup(name)
	if err != nil {
		return err
	}
	if x.f.parseOnly {
		return x.printTree(x.state.FileSyntax(file))
	}
	v, err := x.state.EvalFile(file)
	if err != nil {
		return err
	}
	return x.process(args, v)
}

func (x *instantiation) printTree(tree ast.Expr, err error) error {
	if err == nil {
		fmt.Fprintln(x.World.Stdout, printer.Expr(tree))
	}
	return err
}

// process prints what v has at each attribute path (Nix: processExpr).
func (x *instantiation) process(args *value.Attrs, v value.Value) error {
	attrs := x.f.Attrs
	if len(attrs) == 0 {
		attrs = []string{""}
	}
	for _, attr := range attrs {
		sel, _, err := x.state.Attr(args, attr, v)
		if err != nil {
			return err
		}
		if sel, err = x.state.Thread().Force(sel, source.NoPos); err != nil {
			return err
		}
		if x.f.eval {
			err = x.printValue(args, sel)
		} else {
			err = x.printDerivations(args, sel)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *instantiation) printValue(args *value.Attrs, v value.Value) error {
	th := x.state.Thread()
	var err error
	if args.Len() > 0 {
		if v, err = x.state.AutoCall(args, v); err != nil {
			return err
		}
	}
	var out string
	switch {
	case x.f.xml: // of several forms the first one here
		out, _, err = render.XML(th, v, source.NoPos, x.f.strict, !x.f.noLocation)
	case x.f.raw:
		var s *value.String
		s, err = th.Coerce(v, source.NoPos, value.CoerceOptions{CopyToStore: true}, "while generating the nix-instantiate output")
		if err == nil {
			out = s.S
		}
	case x.f.json:
		out, _, err = render.JSON(th, v, source.NoPos, x.f.strict, true)
		out += "\n"
	case x.f.strict:
		if err = th.DeepForce(v, source.NoPos); err == nil {
			out, err = render.Text(th, v)
		}
		out += "\n"
	default:
		out, err = render.LazyText(th, v)
		out += "\n"
	}
	if err == nil {
		io.WriteString(x.World.Stdout, out)
	}
	return err
}

func (x *instantiation) printDerivations(args *value.Attrs, v value.Value) error {
	packages, err := x.state.Packages(args, v)
	if err != nil {
		return err
	}
	for _, pkg := range packages {
		d, err := expression.WishOf(pkg)
		if err != nil {
			return err
		}
		line := d.Drv.String()
		switch {
		case x.f.addRoot == "":
			x.warnRoots()
		case x.Maker == nil:
			return errors.New("'--add-root' needs a store that is written to")
		default:
			line = x.World.Abs(x.f.addRoot)
			if x.roots++; x.roots > 1 {
				line += fmt.Sprintf("-%d", x.roots)
			}
			if err := x.Maker.Store.AddRoot(x.ctx, line, d.Drv); err != nil {
				return err
			}
		}
		if d.Output != "out" {
			line += "!" + d.Output
		}
		fmt.Fprintln(x.World.Stdout, line)
	}
	return nil
}

// warnRoots says once that nothing keeps the derivations.
func (x *instantiation) warnRoots() {
	if x.warned || x.f.noWarning || x.Maker == nil {
		return
	}
	x.warned = true
	x.World.Warn("you did not specify '--add-root'; the result might be removed by the garbage collector")
}
