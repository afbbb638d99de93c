package config

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// foldSettings turns the flags of settings that fs does not declare into
// --option NAME VALUE: every setting of Nix is a flag, too, one of a switch with
// its opposite --no-NAME.
func foldSettings(fs *pflag.FlagSet, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if arg == "--option" && i+2 < len(args) {
			out = append(out, args[i:i+3]...)
			i += 2
			continue
		}
		name, ok := strings.CutPrefix(arg, "--")
		if !ok || fs.Lookup(name) != nil {
			out = append(out, arg)
			continue
		}
		off, isOff := strings.CutPrefix(name, "no-")
		switch {
		case IsSwitch(name):
			out = append(out, "--"+settingFlag, name, "true")
		case isOff && IsSwitch(off):
			out = append(out, "--"+settingFlag, off, "false")
		case IsSetting(name) && i+1 < len(args):
			i++
			out = append(out, "--"+settingFlag, name, args[i])
		default:
			out = append(out, arg)
		}
	}
	return out
}

// ignoredSwitches are those of ignoredSettings that are switches.
var ignoredSwitches = []string{
	"allow-dirty", "builders-use-substitutes", "fallback", "sandbox-fallback", "substitute",
	"allow-dirty-locks", "auto-allocate-uids", "debugger-on-trace", "debugger-on-warn", "eval-cache", "ignore-try",
	"trace-function-calls", "trace-import-from-derivation", "trust-tarballs-from-git-forges", "use-registries",
	"warn-dirty", "accept-flake-config", "use-xdg-base-directories", "require-sigs",
}

func IsSetting(name string) bool {
	_, ok := settingTable[name]
	return ok || slices.Contains(ignoredSettings, name)
}

// IsSwitch reports whether a setting is one that is on or off.
func IsSwitch(name string) bool {
	set, ok := settingTable[name]
	if !ok {
		return slices.Contains(ignoredSwitches, name)
	}
	var scratch Settings
	return set(&scratch, "true") == nil && set(&scratch, "no switch") != nil
}
