// Package nixenv is gonix env, the part of nix-env that lists packages: those
// that expressions offer, and those of a profile.
package nixenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/process"
	"gonix/eval"
)

// flags is the command line, which is that of nix-env --query.
type flags struct {
	expression.Flags
	query                                        bool
	file, profile, attr, systemFilter            string
	available, installed, prebuilt               bool
	status, noName, attrPath, system             bool
	drvPath, outPath, description, meta, compare bool
	xml, json                                    bool
}

func newFlags(name string) (*flags, *pflag.FlagSet) {
	f := &flags{}
	fs := config.NewFlagSet(name)
	fs.BoolVarP(&f.query, "query", "q", false, "list packages (the only operation that there is)")
	fs.BoolVarP(&f.available, "available", "a", false, "those that the expression offers")
	fs.BoolVar(&f.installed, "installed", false, "those of the profile; so it is unless told otherwise")
	fs.StringVarP(&f.file, "file", "f", "", "the expression (a `file`, <name> or URL), instead of ~/.nix-defexpr, or of <nixpkgs> if that does not exist")
	fs.StringVarP(&f.profile, "profile", "p", "", "the `profile`, instead of ~/.nix-profile")
	fs.StringVarP(&f.attr, "attr", "A", "", "what the attribute at this `path` offers")
	fs.StringVar(&f.systemFilter, "system-filter", "*", "only packages for this `system`")
	fs.BoolVarP(&f.prebuilt, "prebuilt-only", "b", false, "only packages that are built or can be fetched")
	fs.BoolVarP(&f.status, "status", "s", false, "say whether they are installed (I), present (P), can be fetched (S)")
	fs.BoolVar(&f.noName, "no-name", false, "leave out names")
	fs.BoolVarP(&f.attrPath, "attr-path", "P", false, "print attribute paths")
	fs.BoolVarP(&f.compare, "compare-versions", "c", false, "compare with the versions that are installed, or available")
	fs.BoolVar(&f.system, "system", false, "print systems")
	fs.BoolVar(&f.drvPath, "drv-path", false, "print the paths of derivations")
	fs.BoolVar(&f.outPath, "out-path", false, "print output paths")
	fs.BoolVar(&f.description, "description", false, "print descriptions")
	fs.BoolVar(&f.meta, "meta", false, "with --json and --xml, print all that packages say of themselves")
	fs.BoolVar(&f.xml, "xml", false, "print XML")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	f.DeclareArguments(fs)
	f.DeclareSettings(fs)
	f.DeclareSettingFlags(fs, "show-trace", "max-call-depth", "experimental-features", "extra-experimental-features")
	fs.CountVarP(&f.Verbose, "verbose", "v", "say more")
	fs.BoolVar(&f.Quiet, "quiet", false, "show errors only")
	f.DeclareLast(fs)
	return f, fs
}

// Command lists packages.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"-qa [FLAG]... [NAME]...", "-q [FLAG]... [NAME]..."},
		About: "List the packages of an expression, or of a profile. NAMEs are regular expressions\nfor names without versions, or names with versions.",
	})
	if set == nil {
		return err
	}
	defer stop()
	f.available = f.available && !f.installed
	switch {
	case !f.query:
		return config.SeeHelp(errors.New("no operation specified"), name)
	case f.attrPath && !f.available:
		return config.SeeHelp(errors.New("--attr-path(-P) only works with --available"), name)
	}
	x := &listing{f: f, out: bufio.NewWriter(w.Stdout), Evaluator: expression.Evaluator{
		World: w, Flags: &f.Flags, Settings: set, Progress: f.Progress(w),
	}}
	x.Trace = x.Progress
	shut, err := x.Open(ctx, false)
	if err != nil {
		return err
	}
	defer shut()
	defer x.Progress.Close()
	x.state = x.NewState(ctx)
	defer x.state.Close()
	if err := x.run(ctx); err != nil {
		x.Progress.Close()
		x.out.Flush()
		return x.Report(ctx, x.state, err)
	}
	if err := x.out.Flush(); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return x.Finish(x.state)
}

// listing is one run of it.
type listing struct {
	expression.Evaluator
	f     *flags
	out   *bufio.Writer
	state *eval.State

	others    []element           // what versions are compared with
	installed map[string]bool     // output paths
	status    map[string]presence // by output path
}

// run finds the packages and prints them. (Nix: opQuery)
func (x *listing) run(ctx context.Context) error {
	var available, installed []element
	var err error
	if !x.f.available || x.f.compare || x.f.status {
		if installed, err = x.profile(); err != nil {
			return err
		}
	}
	if x.f.available || x.f.compare {
		if available, err = x.offered(); err != nil {
			return err
		}
	}
	all := installed
	x.others = available
	if x.f.available {
		all, x.others = available, installed
	}
	list, err := filter(all, x.f.Args)
	if err != nil {
		return err
	}
	sortByName(list)
	if x.f.status || x.f.prebuilt {
		if list, err = x.findPresence(ctx, list, installed); err != nil {
			return err
		}
	}
	switch {
	case x.f.json:
		return x.printJSON(list)
	case x.f.xml:
		return x.printXML(list)
	}
	return x.printTable(list)
}
