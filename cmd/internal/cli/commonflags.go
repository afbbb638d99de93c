package cli

import (
	"fmt"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/spf13/pflag"
)

// commonFlags is the part of the command line that all commands have in common.
type commonFlags struct {
	args    []string // positional
	store   string
	options [][2]string // settings in the order in which they were given
	cpuProf string
	help    bool
	version bool

	verbose int
	quiet   bool
	logs    bool // build logs as they are written
	noLog   bool // none unless a build fails
}

func (f *commonFlags) common() *commonFlags { return f }

// declareSettings declares where the store is and how settings are given.
func (f *commonFlags) declareSettings(fs *pflag.FlagSet) {
	fs.StringVar(&f.store, "store", "", "keep the store below this `folder` (/ is the machine's own /nix/store)")
	fs.Var(pairValue{func(n, v string) error {
		f.options = append(f.options, [2]string{n, v})
		return nil
	}}, "option", "give a setting a value (see nix.conf(5))")
}

// declareOutput declares how much is said.
func (f *commonFlags) declareOutput(fs *pflag.FlagSet) {
	fs.CountVarP(&f.verbose, "verbose", "v", "show build logs; twice: say more")
	fs.BoolVarP(&f.noLog, "no-build-output", "Q", false, "show no build logs unless a build fails")
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
}

// declareLogs declares -L.
func (f *commonFlags) declareLogs(fs *pflag.FlagSet) {
	fs.BoolVarP(&f.logs, "print-build-logs", "L", false, "show build logs as they are written")
}

// progress shows what goes on as the flags say.
func (f *commonFlags) progress(w *world) *progress {
	p := newProgress(w.stderr, w.terminal && !f.quiet, w.width)
	p.quiet = f.quiet
	p.logs = !f.noLog && !f.quiet && (f.verbose > 0 || f.logs || !w.terminal)
	return p
}

// declareLast declares the flags that end every usage.
func (f *commonFlags) declareLast(fs *pflag.FlagSet) {
	fs.StringVar(&f.cpuProf, "cpuprofile", "", "write a CPU profile of this run to `file`, for go tool pprof; NIX_SHOW_STATS=1 prints statistics")
	fs.BoolVar(&f.version, "version", false, "show the version")
	fs.BoolVarP(&f.help, "help", "h", false, "show this")
}

// parse reads the command line.
func (f *commonFlags) parse(fs *pflag.FlagSet, args []string) error {
	args, err := foldPairs(foldSettings(fs, args))
	if err != nil {
		return err
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	f.args = fs.Args()
	return nil
}

// apply lays the flags over the settings.
func (f *commonFlags) apply(s *settings, warn func(string)) error {
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
func (f *commonFlags) profile() (stop func(), err error) {
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
