package cli

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/spf13/pflag"
)

// evalFlags is the part of the command line that all commands have in common
// which evaluate.
type evalFlags struct {
	files    []string // positional: files, or with -E expressions
	exprs    bool
	attrs    []string
	include  []string
	autoArgs []autoArg
	store    string
	options  [][2]string // settings in the order in which they were given
	cpuProf  string
	help     bool
	version  bool
}

// declare declares what is evaluated and with what; usageAttr says what
// becomes of the attributes.
func (f *evalFlags) declare(fs *pflag.FlagSet, usageAttr string) {
	fs.StringArrayVarP(&f.attrs, "attr", "A", nil, usageAttr)
	fs.BoolVarP(&f.exprs, "expr", "E", false, "the arguments are expressions, not files")
	f.declareArguments(fs)
}

// declareArguments declares what functions in files are called with and where
// expressions find files.
func (f *evalFlags) declareArguments(fs *pflag.FlagSet) {
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, true})
		return nil
	}}, "arg", "pass the value of an expression as the argument of this name to the function in the file")
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, false})
		return nil
	}}, "argstr", "the same for a string")
	fs.StringArrayVarP(&f.include, "include", "I", nil, "add `name=path` or a folder to the search path (repeatable)")
}

// declareSettings declares where the store is and how settings are given.
func (f *evalFlags) declareSettings(fs *pflag.FlagSet) {
	fs.StringVar(&f.store, "store", "", "keep the store below this `folder` (/ is the machine's own /nix/store)")
	fs.Var(pairValue{func(n, v string) error {
		f.options = append(f.options, [2]string{n, v})
		return nil
	}}, "option", "give a setting a value (see nix.conf(5))")
}

// declareLast declares the flags that end every usage.
func (f *evalFlags) declareLast(fs *pflag.FlagSet) {
	fs.StringVar(&f.cpuProf, "cpuprofile", "", "write a CPU profile of this run to `file`, for go tool pprof; NIX_SHOW_STATS=1 prints statistics")
	fs.BoolVar(&f.version, "version", false, "show the version")
	fs.BoolVarP(&f.help, "help", "h", false, "show this")
}

// parse reads the command line.
func (f *evalFlags) parse(fs *pflag.FlagSet, args []string) error {
	args, err := foldPairs(foldSettings(fs, args))
	if err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	f.files = fs.Args()
	return nil
}

// apply lays the flags over the settings.
func (f *evalFlags) apply(s *settings, warn func(string)) error {
	s.fromFlags = true
	for _, o := range f.options {
		known, err := s.set(o[0], o[1])
		if err != nil {
			return err
		}
		if !known {
			warn(fmt.Sprintf("unknown setting '%s'", o[0]))
		}
	}
	return nil
}

// profile starts --cpuprofile, if it was asked for; stop ends it.
func (f *evalFlags) profile() (stop func(), err error) {
	if f.cpuProf == "" {
		return func() {}, nil
	}
	out, err := os.Create(f.cpuProf)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		out.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		out.Close()
	}, nil
}

// autoArg is --arg NAME EXPR or --argstr NAME TEXT.
type autoArg struct {
	name, text string
	isExpr     bool
}

// pairFlags take two words, which pflag cannot say: they are folded into one.
var pairFlags = []string{"--arg", "--argstr", "--option"}

const pairSep = "\x00"

// foldPairs turns --arg NAME EXPR into --arg=NAME\x00EXPR.
func foldPairs(args []string) ([]string, error) {
	var out []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(out, args[i:]...), nil
		}
		pair := false
		for _, f := range pairFlags {
			pair = pair || args[i] == f
		}
		if !pair {
			out = append(out, args[i])
			continue
		}
		if i+2 >= len(args) {
			return nil, fmt.Errorf("'%s' requires two arguments", args[i])
		}
		out = append(out, args[i]+"="+args[i+1]+pairSep+args[i+2])
		i += 2
	}
	return out, nil
}

// pairValue is the pflag.Value of a folded pair.
type pairValue struct{ add func(a, b string) error }

func (pairValue) String() string { return "" }
func (pairValue) Type() string   { return "name value" }
func (p pairValue) Set(s string) error {
	a, b, ok := strings.Cut(s, pairSep)
	if !ok {
		return fmt.Errorf("two words are needed, a name and a value")
	}
	return p.add(a, b)
}
