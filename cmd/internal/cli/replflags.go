package cli

import (
	"errors"

	"github.com/spf13/pflag"
)

// replUsage is what --help shows.
var replUsage = usage{
	forms: []string{"[FLAG]... [FILE]...", "[FLAG]... (--file FILE | --expr EXPRESSION) [ATTRIBUTE PATH]..."},
	about: `Evaluate Nix expressions as they are typed, or read from standard input. The
attributes of what is in the files, or of the values at the attribute paths, are
variables. Type :? for the other things that can be asked for.`,
	end: `The lines of this and earlier sessions are kept in
$XDG_STATE_HOME/gonix/repl-history (usually below ~/.local/state). :e runs
$EDITOR. NIX_SHOW_STATS=1 prints statistics at the end.`,
}

// replFlags is the command line of gonix repl, which is that of nix repl, and
// of its older form where the arguments are files.
type replFlags struct {
	evalFlags
	file, expr string
}

// newReplFlags declares the flags; usage comes from the same table.
func newReplFlags(name string) (*replFlags, *pflag.FlagSet) {
	f := &replFlags{}
	fs := newFlagSet(name)
	fs.StringVarP(&f.file, "file", "f", "", "load this `file`; the arguments are attribute paths in it")
	fs.StringVarP(&f.expr, "expr", "E", "", "load the value of this `expression`; the arguments are attribute paths in it")
	f.declareArguments(fs)
	f.declareSettings(fs)
	f.declareSettingFlags(fs)
	f.declareImpure(fs)
	f.declareOutput(fs)
	f.declareLast(fs)
	return f, fs
}

// parse reads the command line; what contradicts itself is an error.
func (f *replFlags) parse(fs *pflag.FlagSet, args []string) error {
	if err := f.evalFlags.parse(fs, args); err != nil {
		return err
	}
	if fs.Changed("file") && fs.Changed("expr") {
		return errors.New("of --file and --expr only one can be loaded")
	}
	f.exprs = fs.Changed("expr")
	return nil
}

// loads is what is loaded first.
func (f *replFlags) loads() []load {
	kind := loadFile
	if f.file != "" || f.exprs {
		kind = loadAttr
		if len(f.args) == 0 {
			return []load{{kind, ""}}
		}
	}
	var out []load
	for _, arg := range f.args {
		out = append(out, load{kind, arg})
	}
	return out
}
