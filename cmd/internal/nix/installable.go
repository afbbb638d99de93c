package nix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/realise"
	"gonix/cmd/internal/stores"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/binarycache"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/value"
	"gonix/parser/source"
)

// flags is what the commands of nix have in common that work on installables:
// store paths, or attributes of an expression.
type flags struct {
	nixstore.Flags
	file       string
	expr       string
	impure     bool
	derivation bool // the derivation is meant, not what it makes
	json       bool
	remote     bool // the store may be a binary cache
	foreign    bool // links into other stores name the same path here
	usage      config.Usage
}

// newFlags declares the flags of a command, its own, which may be nil, first.
func newFlags(name string, installables bool, own func(*flags, flagSet)) (*flags, *pflag.FlagSet) {
	f := &flags{usage: config.Usage{Forms: []string{"[FLAG]... [ARGUMENT]..."}}}
	fs := config.NewFlagSet(name)
	if own != nil {
		own(f, fs)
	}
	if installables {
		fs.StringVarP(&f.file, "file", "f", "", "take attributes of the expression in this `file`")
		fs.StringVar(&f.expr, "expr", "", "take attributes of this `expression`")
		fs.BoolVar(&f.impure, "impure", false, "let --expr read what lies outside of the store")
		fs.BoolVar(&f.derivation, "derivation", false, "mean the derivations, not what they make")
		fs.BoolVar(&f.Stdin, "stdin", false, "read more installables from standard input")
		f.DeclareArguments(fs)
	}
	f.DeclareSettings(fs)
	f.DeclareSettingFlags(fs)
	f.DeclareOutput(fs)
	f.DeclareLogs(fs)
	fs.BoolVar(&f.Version, "version", false, "show the version")
	fs.BoolVar(&f.Help, "help", false, "show this")
	return f, fs
}

// begin is [begin] for the commands of nix.
func (f *flags) begin(w *process.World, fs *pflag.FlagSet, args []string) (set *config.Settings, stop func(), err error) {
	set, stop, err = config.Begin(w, f, fs, args, f.usage)
	if set == nil {
		return nil, nil, err
	}
	if f.Stdin {
		lines := bufio.NewScanner(w.Stdin)
		for lines.Scan() {
			if lines.Text() != "" {
				f.Args = append(f.Args, lines.Text())
			}
		}
	}
	f.NoLog = !f.Logs && f.Verbose == 0
	return set, stop, nil
}

// run is one run of a command of nix.
type run struct {
	*nixstore.Run
	remote *binarycache.Adder // the store, if it is a cache
}

// open begins the run.
func (f *flags) open(ctx context.Context, w *process.World, set *config.Settings, bare bool) (x *run, shut func(), err error) {
	if f.remote && binarycache.IsURL(f.Store) {
		return f.openRemote(ctx, w, set)
	}
	inner, shut, err := nixstore.Open(ctx, w, &f.Flags, set, bare)
	return &run{Run: inner}, shut, err
}

// withInstallables begins the run and does do with what the arguments mean.
func (f *flags) withInstallables(ctx context.Context, w *process.World, set *config.Settings, do func(*run, []installable) error) error {
	x, shut, err := f.open(ctx, w, set, false)
	if err != nil {
		return err
	}
	defer shut()
	list, err := x.installables(f)
	if err != nil {
		return err
	}
	return do(x, list)
}

// installable is what an argument means.
type installable struct {
	nixstore.Realisation
	text string // the argument
}

// installables says what the arguments mean.
func (x *run) installables(f *flags) ([]installable, error) {
	if f.file == "" && f.expr == "" {
		return x.storeInstallables(f)
	}
	names := f.Args
	if len(names) == 0 {
		names = []string{""}
	}
	e, state := x.evaluator(f)
	list, err := evalInstallables(e, state, f, names)
	if err != nil {
		x.Progress.Close()
		return nil, e.Report(x.Context, state, err)
	}
	return list, nil
}

// storeInstallables are store paths with ^ and outputs behind derivations. Where
// none is named Nix means the flake of the folder.
func (x *run) storeInstallables(f *flags) ([]installable, error) {
	if len(f.Args) == 0 && !f.Stdin {
		return nil, errors.New("flakes are not supported: name a store path, or an expression with --file or --expr")
	}
	var list []installable
	for _, arg := range f.Args {
		name, names, some := strings.Cut(arg, "^")
		p, err := x.follow(name)
		if err != nil && f.foreign {
			p, err = stores.PathOf(x.World, x.Store, name)
		}
		if err != nil {
			return nil, fmt.Errorf("%w (flakes are not supported: name an expression with --file or --expr)", err)
		}
		i := installable{text: arg, Realisation: nixstore.Realisation{Path: p}}
		if some && names != "*" {
			i.Outputs = strings.Split(names, ",")
		}
		if p.IsDerivation() && !some && !f.derivation {
			// A derivation without outputs means its file.
			i.Outputs = []string{}
		}
		list = append(list, i)
	}
	return list, nil
}

// evaluator evaluates for installables, building what the evaluation reads.
func (x *run) evaluator(f *flags) (*expression.Evaluator, *eval.State) {
	e := f.evaluator(x.World, x.Settings, x.Progress)
	e.Use(x.Context, x.Maker, realise.Manner{})
	return e, e.NewState(x.Context)
}

// evaluator returns one that has no store yet. What --expr says is pure.
func (f *flags) evaluator(w *process.World, set *config.Settings, p *terminal.Progress) *expression.Evaluator {
	if f.expr != "" && !f.impure {
		set.Pure = true
	}
	return &expression.Evaluator{World: w, Flags: &f.Flags.Flags, Settings: set, Progress: p, Trace: p}
}

// root is the value that attributes are taken of.
func (f *flags) root(e *expression.Evaluator, s *eval.State) (value.Value, error) {
	if f.file == "" {
		return s.Expression(f.expr, e.World.Cwd, "«string»")
	}
	if f.file == "-" {
		text, err := io.ReadAll(e.World.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return s.EvalString(string(text), e.World.Cwd, "«stdin»")
	}
	file, err := s.Lookup(f.file)
	if err != nil {
		return nil, err
	}
	return s.EvalFile(file)
}

func evalInstallables(e *expression.Evaluator, s *eval.State, f *flags, names []string) ([]installable, error) {
	args, err := e.AutoArgs(s)
	if err != nil {
		return nil, err
	}
	v, err := f.root(e, s)
	if err != nil {
		return nil, err
	}
	var list []installable
	for _, name := range names {
		attr, outputs, some := strings.Cut(name, "^")
		sel, _, err := s.Attr(args, attr, v)
		if err != nil {
			return nil, err
		}
		if i, ok, err := stringInstallable(s, sel); err != nil {
			return nil, err
		} else if ok {
			i.text = name
			list = append(list, i)
			continue
		}
		packages, err := s.Packages(args, sel)
		if err != nil {
			return nil, err
		}
		for _, pkg := range packages {
			drv, err := pkg.DrvPath()
			if err != nil {
				return nil, err
			}
			i := installable{text: name, Realisation: nixstore.Realisation{Path: drv}}
			switch {
			case some && outputs != "*":
				i.Outputs = strings.Split(outputs, ",")
			case !some:
				if i.Outputs, err = outputsToInstall(s, pkg); err != nil {
					return nil, err
				}
			}
			list = append(list, i)
		}
	}
	return list, nil
}

// stringInstallable recognises a string that is one store path or output.
func stringInstallable(s *eval.State, v value.Value) (installable, bool, error) {
	v, err := s.Thread().Force(v, source.NoPos)
	if err != nil {
		return installable{}, false, err
	}
	str, ok := v.(*value.String)
	if !ok {
		return installable{}, false, nil
	}
	var elems []value.ContextElem
	if str.Ctx != nil {
		elems = str.Ctx.Elems()
	}
	if len(elems) != 1 {
		return installable{}, false, s.Thread().Errorf(source.NoPos, value.EvalError,
			"string '%s' has %d entries in its context. It should only have exactly one entry", str.S, len(elems))
	}
	if elems[0].Kind == value.DrvDeep {
		return installable{}, false, s.Thread().Errorf(source.NoPos, value.EvalError,
			"string '%s' has a context which refers to a complete source and binary closure. This is not supported at this time", str.S)
	}
	p, err := storepath.Parse(elems[0].Path)
	if err != nil {
		return installable{}, false, err
	}
	i := installable{Realisation: nixstore.Realisation{Path: p}}
	switch {
	case elems[0].Kind == value.Built:
		i.Outputs = []string{elems[0].Output}
	case p.IsDerivation():
		i.Outputs = []string{}
	}
	return i, true, nil
}

// outputsToInstall are the outputs that a package without further words means:
// the one that was selected, or what meta.outputsToInstall says; none for all.
func outputsToInstall(s *eval.State, pkg eval.Package) ([]string, error) {
	th := s.Thread()
	if a, ok := pkg.Attrs.Get(s.Symbols().Intern("outputSpecified")); ok {
		one, err := th.Bool(a.Val, a.Pos, "while evaluating the 'outputSpecified' attribute")
		if err != nil {
			return nil, err
		}
		if one {
			name, err := pkg.OutputName()
			return []string{name}, err
		}
	}
	meta, ok := pkg.Attrs.Get(s.Symbols().Intern("meta"))
	if !ok {
		return nil, nil
	}
	v, err := th.Force(meta.Val, meta.Pos)
	if err != nil {
		return nil, err
	}
	set, ok := v.(*value.Attrs)
	if !ok {
		return nil, nil
	}
	a, ok := set.Get(s.Symbols().Intern("outputsToInstall"))
	if !ok {
		return nil, nil
	}
	if v, err = th.Force(a.Val, a.Pos); err != nil {
		return nil, err
	}
	names, ok := v.(*value.List)
	if !ok {
		return nil, th.Errorf(source.NoPos, value.TypeError, "this derivation has bad 'meta.outputsToInstall'")
	}
	var list []string
	for _, e := range names.Elems {
		name, err := th.StringNoCtx(e, source.NoPos, "while evaluating 'meta.outputsToInstall'")
		if err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, nil
}

// isFile reports whether the derivation's file itself is meant.
func (i installable) isFile() bool {
	return i.Path.IsDerivation() && i.Outputs != nil && len(i.Outputs) == 0
}

// buildAll makes installables valid, except derivations that are meant as files.
func (x *run) buildAll(list []installable) error {
	var todo []nixstore.Realisation
	for _, i := range list {
		if i.isFile() {
			if err := x.ensureFile(i.Path); err != nil {
				return err
			}
			continue
		}
		todo = append(todo, i.Realisation)
	}
	return x.Build(todo)
}

// ensureFile checks that a derivation's file is valid.
func (x *run) ensureFile(p storepath.Path) error {
	ok, err := x.Store.IsValid(x.Context, p)
	if err == nil && !ok {
		err = fmt.Errorf("path '%s' is not valid", p)
	}
	return err
}

// pathsOf are the store paths that installables come to: outputs, or derivations
// if f says so.
func (x *run) pathsOf(f *flags, list []installable) ([]storepath.Path, error) {
	var paths []storepath.Path
	for _, i := range list {
		if !i.Path.IsDerivation() || f.derivation || i.isFile() {
			paths = append(paths, i.Path)
			continue
		}
		outputs, err := x.named(i.Realisation)
		if err != nil {
			return nil, err
		}
		for _, o := range outputs {
			paths = append(paths, o.path)
		}
	}
	return paths, nil
}

// namedOutput is an output with its name.
type namedOutput struct {
	name string
	path storepath.Path
}

// named returns the outputs of a derivation that r means.
func (x *run) named(r nixstore.Realisation) ([]namedOutput, error) {
	drv, err := x.Store.ReadDerivation(x.Context, r.Path)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(r.Outputs)
	if len(names) == 0 {
		names = drv.OutputNames()
	}
	slices.Sort(names)
	var list []namedOutput
	for _, name := range names {
		o, ok := drv.Outputs[name]
		if !ok {
			return nil, fmt.Errorf("derivation '%s' does not have wanted outputs '%s'", r.Path, name)
		}
		list = append(list, namedOutput{name, o.Path})
	}
	return list, nil
}
