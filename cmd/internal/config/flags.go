package config

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/terminal"
)

// Flags is the part of the command line that all commands have in common.
type Flags struct {
	Args    []string // positional
	Store   string
	options []option // in the order in which they were given
	cpuProf string
	Help    bool
	Version bool

	Verbose int
	Quiet   bool
	Logs    bool // build logs as they are written
	NoLog   bool // none unless a build fails

	logFormat string // one of logFormats, "" for that of the command
	jsonLogs  []*terminal.JSONLog
}

// option is --option NAME VALUE or --NAME VALUE; a value that is wrong is an error
// in the second form alone, as in Nix.
type option struct {
	name, value string
	strict      bool
}

// settingFlag is what --NAME VALUE becomes.
const settingFlag = "setting"

func (f *Flags) Common() *Flags { return f }

// DeclareSettings declares where the store is and how settings are given.
func (f *Flags) DeclareSettings(fs *pflag.FlagSet) {
	fs.StringVar(&f.Store, "store", "", "keep the store below this `folder` (/ is the machine's own /nix/store)")
	give := func(strict bool) func(n, v string) {
		return func(n, v string) { f.options = append(f.options, option{n, v, strict}) }
	}
	PairVar(fs, give(false), "option", "give a setting a value (see nix.conf(5))")
	PairVar(fs, give(true), settingFlag, "")
	fs.Lookup(settingFlag).Hidden = true
}

// DeclareOutput declares how much is said.
func (f *Flags) DeclareOutput(fs *pflag.FlagSet) {
	fs.CountVarP(&f.Verbose, "verbose", "v", "show build logs; twice: say more")
	fs.BoolVarP(&f.NoLog, "no-build-output", "Q", false, "show no build logs unless a build fails")
	fs.BoolVar(&f.Quiet, "quiet", false, "show errors only")
	f.declareLogFormat(fs)
}

// DeclareLogs declares -L.
func (f *Flags) DeclareLogs(fs *pflag.FlagSet) {
	fs.BoolVarP(&f.Logs, "print-build-logs", "L", false, "show build logs as they are written")
}

// DeclareLast declares the flags that end every usage.
func (f *Flags) DeclareLast(fs *pflag.FlagSet) {
	fs.StringVar(&f.cpuProf, "cpuprofile", "", "write a CPU profile of this run to `file`, for go tool pprof; NIX_SHOW_STATS=1 prints statistics")
	fs.BoolVar(&f.Version, "version", false, "show the version")
	fs.BoolVarP(&f.Help, "help", "h", false, "show this")
}

// Parse reads the command line.
func (f *Flags) Parse(fs *pflag.FlagSet, args []string) error {
	args, err := foldPairs(foldSettings(fs, args))
	if err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	f.Args = fs.Args()
	return nil
}

// Apply lays the flags over the settings.
func (f *Flags) Apply(s *Settings, warn func(string)) error {
	s.fromFlags = true
	for _, o := range f.options {
		known, err := s.Set(o.name, o.value)
		switch {
		case err != nil && o.strict:
			return err
		case err != nil:
			warn(err.Error())
		case !known:
			warn(fmt.Sprintf("unknown setting '%s'", o.name))
		}
	}
	return nil
}

// profile starts --cpuprofile, if it was asked for; stop ends it.
func (f *Flags) profile() (stop func(), err error) {
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

// pairFlags take two words, which pflag cannot say: they are folded into one.
var pairFlags = []string{"--arg", "--argstr", "--arg-from-file", "--option", "--" + settingFlag}

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

// PairVar declares a flag that takes two words; it must be one of pairFlags.
func PairVar(fs *pflag.FlagSet, add func(a, b string), name, usage string) {
	fs.Var(pairValue(add), name, usage)
}

// pairValue is the pflag.Value of a folded pair.
type pairValue func(a, b string)

func (pairValue) String() string { return "" }
func (pairValue) Type() string   { return "name value" }
func (p pairValue) Set(s string) error {
	a, b, ok := strings.Cut(s, pairSep)
	if !ok {
		return fmt.Errorf("two words are needed, a name and a value")
	}
	p(a, b)
	return nil
}
