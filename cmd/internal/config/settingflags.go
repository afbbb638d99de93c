package config

import (
	"slices"

	"github.com/spf13/pflag"
)

// settingFlags are settings that have flags of their own. A switch can be
// turned off again with --no-NAME; what is given last counts.
var settingFlags = []struct {
	name, short string
	isSwitch    bool
	Usage       string
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
	{"extra-experimental-features", "", false, "the same `names`, in addition"},
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
	f        *Flags
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
	v.f.options = append(v.f.options, option{v.name, text, true})
	return nil
}

// DeclareSettingFlags declares the flags of those settings, or of all. A letter
// that the command has for something else stays with that.
func (f *Flags) DeclareSettingFlags(fs *pflag.FlagSet, only ...string) {
	add := func(name, short, usage string, v settingValue) *pflag.Flag {
		if short != "" && fs.ShorthandLookup(short) != nil {
			short = ""
		}
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
		add(s.name, s.short, s.Usage, settingValue{f: f, name: s.name, isSwitch: s.isSwitch})
		if s.isSwitch {
			add("no-"+s.name, "", "", settingValue{f: f, name: s.name, isSwitch: true, negated: true}).Hidden = true
		}
	}
}

// DeclareImpure declares --impure.
func (f *Flags) DeclareImpure(fs *pflag.FlagSet) {
	fs.VarPF(settingValue{f: f, name: "pure-eval", isSwitch: true, negated: true}, "impure", "", "the opposite of --pure-eval").NoOptDefVal = "true"
}
