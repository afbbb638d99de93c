package instantiate

import (
	"errors"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
)

// flags is the command line of gonix instantiate, which is that of
// nix-instantiate.
type flags struct {
	expression.Flags
	stdin      bool // a "-" among the arguments
	eval       bool
	parseOnly  bool
	findFile   bool
	strict     bool
	json       bool
	xml        bool
	raw        bool
	noLocation bool
	readWrite  bool
	readOnly   bool
	dryRun     bool
	addRoot    string
	noWarning  bool
}

// newFlags declares the flags; usage comes from the same table.
func newFlags(name string) (*flags, *pflag.FlagSet) {
	f := &flags{}
	fs := config.NewFlagSet(name)
	fs.BoolVar(&f.eval, "eval", false, "print values and make no derivations")
	fs.BoolVar(&f.eval, "eval-only", false, "the same")
	fs.BoolVar(&f.parseOnly, "parse", false, "print what the parser understands and evaluate nothing")
	fs.BoolVar(&f.parseOnly, "parse-only", false, "the same")
	fs.BoolVar(&f.findFile, "find-file", false, "print where the search path has the files that are named")
	f.Declare(fs, "take the attribute at this `path` (repeatable)")
	fs.BoolVar(&f.strict, "strict", false, "with --eval, evaluate what is in lists and sets")
	fs.BoolVar(&f.json, "json", false, "with --eval, print JSON")
	fs.BoolVar(&f.xml, "xml", false, "with --eval, print XML")
	fs.BoolVar(&f.noLocation, "no-location", false, "with --xml, do not say where things are defined")
	fs.BoolVar(&f.raw, "raw", false, "with --eval, print a string as it is")
	fs.BoolVar(&f.readWrite, "read-write-mode", false, "with --eval, write to the store and build, where the expression asks for it")
	fs.BoolVar(&f.readOnly, "readonly-mode", false, "do not write to the store")
	fs.BoolVar(&f.dryRun, "dry-run", false, "the same")
	fs.StringVar(&f.addRoot, "add-root", "", "keep the derivations by links at this `path`")
	fs.Bool("indirect", false, "of no effect, as roots are always indirect")
	fs.Lookup("indirect").Hidden = true
	fs.BoolVar(&f.noWarning, "no-gc-warning", false, "do not warn about derivations without roots")
	f.DeclareSettings(fs)
	f.DeclareSettingFlags(fs)
	f.DeclareImpure(fs)
	f.DeclareOutput(fs)
	f.DeclareLast(fs)
	return f, fs
}

// Parse reads the command line; what contradicts itself is an error.
func (f *flags) Parse(fs *pflag.FlagSet, args []string) error {
	if err := f.Flags.Parse(fs, args); err != nil {
		return err
	}
	files := f.Args[:0]
	for _, name := range f.Args {
		if name == "-" {
			f.stdin = true
		} else {
			files = append(files, name)
		}
	}
	f.Args = files
	if f.readWrite && (f.readOnly || f.dryRun) {
		return errors.New("'--read-write-mode' and '--readonly-mode' contradict each other")
	}
	f.eval = f.eval || f.parseOnly
	return nil
}

// writes reports whether the store is written to.
func (f *flags) writes() bool {
	if f.readOnly || f.dryRun || f.findFile || f.parseOnly {
		return false
	}
	return !f.eval || f.readWrite
}
