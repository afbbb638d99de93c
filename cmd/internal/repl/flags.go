package repl

import (
	"errors"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
)

// usage is what --help shows.
var usage = config.Usage{
	Forms: []string{"[FLAG]... [FILE]...", "[FLAG]... (--file FILE | --expr EXPRESSION) [ATTRIBUTE PATH]..."},
	About: `Evaluate Nix expressions as they are typed, or read from standard input. The
attributes of what is in the files, or of the values at the attribute paths, are
variables. Type :? for the other things that can be asked for.`,
	End: `The lines of this and earlier sessions are kept in
$XDG_STATE_HOME/gonix/repl-history (usually below ~/.local/state). :e runs
$EDITOR. NIX_SHOW_STATS=1 prints statistics at the end.`,
}

// flags is the command line of gonix repl, which is that of nix repl, and
// of its older form where the arguments are files.
type flags struct {
	expression.Flags
	file, expr string
}

// newFlags declares the flags; usage comes from the same table.
func newFlags(name string) (*flags, *pflag.FlagSet) {
	f := &flags{}
	fs := config.NewFlagSet(name)
	fs.StringVarP(&f.file, "file", "f", "", "load this `file`; the arguments are attribute paths in it")
	fs.StringVarP(&f.expr, "expr", "E", "", "load the value of this `expression`; the arguments are attribute paths in it")
	f.DeclareArguments(fs)
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
	if fs.Changed("file") && fs.Changed("expr") {
		return errors.New("of --file and --expr only one can be loaded")
	}
	f.Exprs = fs.Changed("expr")
	return nil
}

// loads is what is loaded first.
func (f *flags) loads() []load {
	kind := loadFile
	if f.file != "" || f.Exprs {
		kind = loadAttr
		if len(f.Args) == 0 {
			return []load{{kind, ""}}
		}
	}
	var out []load
	for _, arg := range f.Args {
		out = append(out, load{kind, arg})
	}
	return out
}
