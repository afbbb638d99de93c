package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// buildFlags is the command line of gonix-build, which is nix-build's.
type buildFlags struct {
	files     []string // positional: files, or with -E expressions
	exprs     bool
	attrs     []string
	include   []string
	autoArgs  []autoArg
	outLink   string
	noOutLink bool
	jobs      string
	cores     int
	keepGoing bool
	keepFail  bool
	dryRun    bool
	check     bool
	store     string
	options   [][2]string
	showTrace bool
	verbose   int
	quiet     bool
	noOutput  bool
	logs      bool
	timeout   int
	maxSilent int
	cpuProf   string
	help      bool
	version   bool
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

// newBuildFlags declares the flags; usage comes from the same table.
func newBuildFlags(name string) (*buildFlags, *pflag.FlagSet) {
	f := &buildFlags{}
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringArrayVarP(&f.attrs, "attr", "A", nil, "build the attribute at this `path` (repeatable)")
	fs.BoolVarP(&f.exprs, "expr", "E", false, "the arguments are expressions, not files")
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, true})
		return nil
	}}, "arg", "pass the value of an expression as the argument of this name to the function in the file")
	fs.Var(pairValue{func(n, v string) error {
		f.autoArgs = append(f.autoArgs, autoArg{n, v, false})
		return nil
	}}, "argstr", "the same for a string")
	fs.StringArrayVarP(&f.include, "include", "I", nil, "add `name=path` or a folder to the search path (repeatable)")
	fs.StringVarP(&f.outLink, "out-link", "o", "result", "`name` of the link to the result")
	fs.BoolVar(&f.noOutLink, "no-out-link", false, "leave no link")
	fs.BoolVar(&f.noOutLink, "no-link", false, "the same")
	fs.StringVarP(&f.jobs, "max-jobs", "j", "", "derivations that are built at a time (a `number` or auto)")
	fs.IntVar(&f.cores, "cores", -1, "`cores` that each of them may use (0: all)")
	fs.BoolVarP(&f.keepGoing, "keep-going", "k", false, "after a failure build what does not depend on it")
	fs.BoolVarP(&f.keepFail, "keep-failed", "K", false, "keep the build directory of a failed build")
	fs.BoolVar(&f.dryRun, "dry-run", false, "say what would be built, build nothing")
	fs.BoolVar(&f.check, "check", false, "build again what is there, and compare")
	fs.StringVar(&f.store, "store", "", "keep the store below this `folder` (/ is the machine's own /nix/store)")
	fs.Var(pairValue{func(n, v string) error {
		f.options = append(f.options, [2]string{n, v})
		return nil
	}}, "option", "give a setting a value (see nix.conf(5))")
	fs.BoolVar(&f.showTrace, "show-trace", false, "show where each evaluation that led to an error was needed")
	fs.CountVarP(&f.verbose, "verbose", "v", "show build logs; twice: say more")
	fs.BoolVarP(&f.noOutput, "no-build-output", "Q", false, "show no build logs unless a build fails")
	fs.BoolVarP(&f.logs, "print-build-logs", "L", false, "show build logs as they are written")
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	fs.IntVar(&f.timeout, "timeout", -1, "`seconds` that a build may take")
	fs.IntVar(&f.maxSilent, "max-silent-time", -1, "`seconds` that a build may take without a line of log")
	fs.StringVar(&f.cpuProf, "cpuprofile", "", "write a CPU profile of this run to `file`")
	fs.BoolVar(&f.version, "version", false, "show the version")
	fs.BoolVarP(&f.help, "help", "h", false, "show this")
	return f, fs
}

// parse reads the command line; what contradicts itself is an error.
func (f *buildFlags) parse(fs *pflag.FlagSet, args []string) error {
	args, err := foldPairs(args)
	if err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	f.files = fs.Args()
	if f.exprs && len(f.files) == 0 {
		return fmt.Errorf("'--expr' needs an expression")
	}
	if f.outLink == "" && !f.noOutLink {
		return fmt.Errorf("'--out-link' needs a name")
	}
	return nil
}

// settings lays the flags over the settings.
func (f *buildFlags) apply(s *settings, warn func(string)) error {
	for _, o := range f.options {
		known, err := s.set(o[0], o[1])
		if err != nil {
			return err
		}
		if !known {
			warn(fmt.Sprintf("unknown setting '%s'", o[0]))
		}
	}
	if f.jobs != "" {
		if err := jobsSetting(&s.MaxJobs, f.jobs); err != nil {
			return fmt.Errorf("'--max-jobs': %w", err)
		}
	}
	if f.cores >= 0 {
		s.Cores = f.cores
	}
	if f.timeout >= 0 {
		s.set("timeout", fmt.Sprint(f.timeout))
	}
	if f.maxSilent >= 0 {
		s.set("max-silent-time", fmt.Sprint(f.maxSilent))
	}
	s.KeepGoing = s.KeepGoing || f.keepGoing
	s.KeepFailed = s.KeepFailed || f.keepFail
	s.ShowTrace = s.ShowTrace || f.showTrace
	return nil
}
