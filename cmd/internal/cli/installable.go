package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/value"
	"gonix/parser/source"
)

// nixFlags is what the commands of nix have in common that work on installables:
// store paths, or attributes of an expression.
type nixFlags struct {
	storeFlags
	file       string
	expr       string
	impure     bool
	derivation bool // the derivation is meant, not what it makes
	json       bool
}

func newNixFlags(name string, installables bool) (*nixFlags, *pflag.FlagSet) {
	f := &nixFlags{}
	fs := newFlagSet(name)
	if installables {
		fs.StringVarP(&f.file, "file", "f", "", "take attributes of the expression in this `file`")
		fs.StringVar(&f.expr, "expr", "", "take attributes of this `expression`")
		fs.BoolVar(&f.impure, "impure", false, "let --expr read what lies outside of the store")
		fs.BoolVar(&f.derivation, "derivation", false, "mean the derivations, not what they make")
		fs.BoolVar(&f.stdin, "stdin", false, "read more installables from standard input")
		f.declareArguments(fs)
	}
	f.declareSettings(fs)
	f.declareSettingFlags(fs)
	f.declareOutput(fs)
	f.declareLogs(fs)
	fs.BoolVar(&f.version, "version", false, "show the version")
	fs.BoolVar(&f.help, "help", false, "show this")
	return f, fs
}

// begin is [begin] for the commands of nix.
func (f *nixFlags) begin(w *world, fs *pflag.FlagSet, args []string) (set *settings, stop func(), err error) {
	set, stop, err = begin(w, f, fs, args, usage{forms: []string{"[FLAG]... [ARGUMENT]..."}})
	if set == nil {
		return nil, nil, err
	}
	if f.stdin {
		lines := bufio.NewScanner(w.stdin)
		for lines.Scan() {
			if lines.Text() != "" {
				f.args = append(f.args, lines.Text())
			}
		}
	}
	f.noLog = !f.logs && f.verbose == 0
	return set, stop, nil
}

// installable is what an argument means.
type installable struct {
	realisation
	text string // the argument
}

// installables says what the arguments mean.
func (x *storeRun) installables(f *nixFlags) ([]installable, error) {
	if f.file == "" && f.expr == "" {
		return x.storeInstallables(f)
	}
	names := f.args
	if len(names) == 0 {
		names = []string{""}
	}
	e, state := x.evaluator(f)
	list, err := evalInstallables(e, state, f, names)
	if err != nil {
		x.p.close()
		return nil, e.report(x.ctx, state, err)
	}
	return list, nil
}

// storeInstallables are store paths with ^ and outputs behind derivations.
func (x *storeRun) storeInstallables(f *nixFlags) ([]installable, error) {
	var list []installable
	for _, arg := range f.args {
		name, names, some := strings.Cut(arg, "^")
		p, err := x.follow(name)
		if err != nil {
			return nil, fmt.Errorf("%w (flakes are not supported: name an expression with --file or --expr)", err)
		}
		i := installable{text: arg, realisation: realisation{path: p}}
		if some && names != "*" {
			i.outputs = strings.Split(names, ",")
		}
		if p.IsDerivation() && !some && !f.derivation {
			// A derivation without outputs means its file.
			i.outputs = []string{}
		}
		list = append(list, i)
	}
	return list, nil
}

// evaluator evaluates for installables, building what the evaluation reads.
func (x *storeRun) evaluator(f *nixFlags) (*evaluator, *eval.State) {
	if f.expr != "" && !f.impure {
		x.set.Pure = true
	}
	e := &evaluator{
		w: x.w, flags: &f.evalFlags, set: x.set, progress: x.p,
		trace: progressWriter{x.p},
	}
	e.use(x.ctx, x.maker, manner{})
	return e, e.newState(x.ctx)
}

// root is the value that attributes are taken of.
func (f *nixFlags) root(e *evaluator, s *eval.State) (value.Value, error) {
	if f.file == "" {
		return s.Expression(f.expr, e.w.cwd, "«string»")
	}
	file, err := s.Lookup(f.file)
	if err != nil {
		return nil, err
	}
	return s.EvalFile(file)
}

func evalInstallables(e *evaluator, s *eval.State, f *nixFlags, names []string) ([]installable, error) {
	args, err := e.autoArgs(s)
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
			i := installable{text: name, realisation: realisation{path: drv}}
			switch {
			case some && outputs != "*":
				i.outputs = strings.Split(outputs, ",")
			case !some:
				if i.outputs, err = outputsToInstall(s, pkg); err != nil {
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
	if !ok || str.Ctx == nil {
		return installable{}, false, nil
	}
	elems := str.Ctx.Elems()
	if len(elems) != 1 {
		return installable{}, false, nil
	}
	p, err := storepath.Parse(elems[0].Path)
	if err != nil {
		return installable{}, false, err
	}
	i := installable{realisation: realisation{path: p}}
	switch {
	case elems[0].Kind == value.Built:
		i.outputs = []string{elems[0].Output}
	case p.IsDerivation():
		i.outputs = []string{}
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
	return i.path.IsDerivation() && i.outputs != nil && len(i.outputs) == 0
}

// buildAll makes installables valid, except derivations that are meant as files.
func (x *storeRun) buildAll(list []installable) error {
	var todo []realisation
	for _, i := range list {
		if i.isFile() {
			if err := x.ensureFile(i.path); err != nil {
				return err
			}
			continue
		}
		todo = append(todo, i.realisation)
	}
	return x.build(todo)
}

// ensureFile checks that a derivation's file is valid.
func (x *storeRun) ensureFile(p storepath.Path) error {
	ok, err := x.st.IsValid(x.ctx, p)
	if err == nil && !ok {
		err = fmt.Errorf("path '%s' is not valid", p)
	}
	return err
}

// pathsOf are the store paths that installables come to: outputs, or derivations
// if f says so.
func (x *storeRun) pathsOf(f *nixFlags, list []installable) ([]storepath.Path, error) {
	var paths []storepath.Path
	for _, i := range list {
		if !i.path.IsDerivation() || f.derivation || i.isFile() {
			paths = append(paths, i.path)
			continue
		}
		outputs, err := x.named(i.realisation)
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
func (x *storeRun) named(r realisation) ([]namedOutput, error) {
	drv, err := x.st.ReadDerivation(x.ctx, r.path)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(r.outputs)
	if len(names) == 0 {
		names = drv.OutputNames()
	}
	slices.Sort(names)
	var list []namedOutput
	for _, name := range names {
		o, ok := drv.Outputs[name]
		if !ok {
			return nil, fmt.Errorf("derivation '%s' does not have wanted outputs '%s'", r.path, name)
		}
		list = append(list, namedOutput{name, o.Path})
	}
	return list, nil
}
