package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// instantiateFlags is the command line of gonix instantiate, which is that of
// nix-instantiate.
type instantiateFlags struct {
	evalFlags
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
	verbose    int
	quiet      bool
	noOutput   bool
}

// settingFlags are settings that have flags of their own. A switch can be
// turned off again with --no-NAME; what is given last counts.
var settingFlags = []struct {
	name, short string
	isSwitch    bool
	usage       string
}{
	{"show-trace", "", true, "show where each evaluation that led to an error was needed"},
	{"restrict-eval", "", true, "let expressions read the search path and the store only"},
	{"pure-eval", "", true, "let results depend on the expression alone"},
	{"trace-verbose", "", true, "let builtins.traceVerbose print"},
	{"abort-on-warn", "", true, "end the evaluation at the first builtins.warn"},
	{"allow-import-from-derivation", "", true, "let evaluation build what it reads"},
	{"nix-path", "", false, "search path instead of NIX_PATH (`entries` as of -I, separated by blanks)"},
	{"extra-nix-path", "", false, "`entries` at the end of the search path"},
	{"max-call-depth", "", false, "`number` of calls that may be nested"},
	{"system", "", false, "`name` of the kind of machine that is built on"},
	{"eval-system", "", false, "`name` that is builtins.currentSystem"},
	{"experimental-features", "", false, "`names` of features of Nix that are not settled"},
	{"extra-experimental-features", "", false, "the same, in addition"},
	{"lint-url-literals", "", false, "what becomes of URLs without quotes: ignore, warn or fatal (a `verdict`)"},
	{"lint-absolute-path-literals", "", false, "the same `verdict` for paths that begin with / or ~"},
	{"lint-short-path-literals", "", false, "the same `verdict` for a/b, which could be ./a/b"},
	{"allowed-uris", "", false, "`prefixes` of what --restrict-eval lets expressions fetch"},
	{"max-jobs", "j", false, "derivations that are built at a time (a `number` or auto)"},
	{"cores", "", false, "`number` of cores that each of them may use (0: all)"},
	{"keep-going", "k", true, "after a failure build what does not depend on it"},
	{"keep-failed", "K", true, "keep the build directory of a failed build"},
	{"timeout", "", false, "`seconds` that a build may take"},
	{"max-silent-time", "", false, "`seconds` that a build may take without a line of log"},
}

// settingValue is the pflag.Value of a setting; a negated one is the switch
// --no-NAME.
type settingValue struct {
	f        *evalFlags
	name     string
	isSwitch bool
	negated  bool
}

func (v settingValue) String() string { return "" }

func (v settingValue) Type() string {
	if v.isSwitch {
		return "bool"
	}
	return "string"
}

func (v settingValue) Set(text string) error {
	if v.negated {
		var on bool
		if err := boolSetting(&on, text); err != nil {
			return err
		}
		text = "true"
		if on {
			text = "false"
		}
	}
	v.f.options = append(v.f.options, [2]string{v.name, text})
	return nil
}

// declareSettingFlags declares the flags of those settings, or of all.
func (f *evalFlags) declareSettingFlags(fs *pflag.FlagSet, only ...string) {
	add := func(name, short, usage string, v settingValue) *pflag.Flag {
		flag := fs.VarPF(v, name, short, usage)
		if v.isSwitch {
			flag.NoOptDefVal = "true"
		}
		return flag
	}
	for _, s := range settingFlags {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		add(s.name, s.short, s.usage, settingValue{f: f, name: s.name, isSwitch: s.isSwitch})
		if s.isSwitch {
			add("no-"+s.name, "", "", settingValue{f: f, name: s.name, isSwitch: true, negated: true}).Hidden = true
		}
	}
}

// newInstantiateFlags declares the flags; usage comes from the same table.
func newInstantiateFlags(name string) (*instantiateFlags, *pflag.FlagSet) {
	f := &instantiateFlags{}
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.BoolVar(&f.eval, "eval", false, "print values and make no derivations")
	fs.BoolVar(&f.eval, "eval-only", false, "the same")
	fs.BoolVar(&f.parseOnly, "parse", false, "print what the parser understands and evaluate nothing")
	fs.BoolVar(&f.parseOnly, "parse-only", false, "the same")
	fs.BoolVar(&f.findFile, "find-file", false, "print where the search path has the files that are named")
	f.declare(fs, "take the attribute at this `path` (repeatable)")
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
	f.declareSettings(fs)
	f.declareSettingFlags(fs)
	fs.VarPF(settingValue{f: &f.evalFlags, name: "pure-eval", isSwitch: true, negated: true}, "impure", "", "the opposite of --pure-eval").NoOptDefVal = "true"
	fs.CountVarP(&f.verbose, "verbose", "v", "show build logs; twice: say more")
	fs.BoolVarP(&f.noOutput, "no-build-output", "Q", false, "show no build logs unless a build fails")
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	f.declareLast(fs)
	return f, fs
}

// parse reads the command line; what contradicts itself is an error.
func (f *instantiateFlags) parse(fs *pflag.FlagSet, args []string) error {
	if err := f.evalFlags.parse(fs, args); err != nil {
		return err
	}
	files := f.files[:0]
	for _, name := range f.files {
		if name == "-" {
			f.stdin = true
		} else {
			files = append(files, name)
		}
	}
	f.files = files
	if f.exprs && len(f.files) == 0 && !f.stdin {
		return errors.New("'--expr' needs an expression")
	}
	var forms []string
	for _, form := range []struct {
		name string
		on   bool
	}{{"--json", f.json}, {"--xml", f.xml}, {"--raw", f.raw}} {
		if form.on {
			forms = append(forms, form.name)
		}
	}
	if len(forms) > 1 {
		return errors.New("of " + strings.Join(forms, " and ") + " only one can be printed")
	}
	if f.readWrite && (f.readOnly || f.dryRun) {
		return errors.New("'--read-write-mode' and '--readonly-mode' contradict each other")
	}
	f.eval = f.eval || f.parseOnly
	return nil
}

// writes reports whether the store is written to.
func (f *instantiateFlags) writes() bool {
	if f.readOnly || f.dryRun || f.findFile || f.parseOnly {
		return false
	}
	return !f.eval || f.readWrite
}
