// Package nix has the commands of the program nix, which work on installables:
// store paths, or attributes of expressions.
package nix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gonix/cmd/internal/cache"
	"gonix/cmd/internal/config"
	"gonix/cmd/internal/hash"
	"gonix/cmd/internal/process"
)

// command is a command of the program nix: its words and what they do.
type command struct {
	words string // "store gc"
	about string
	run   func(ctx context.Context, w *process.World, name string, args []string) error
}

// commands are those of nix that there are here.
func commands() []command {
	return []command{
		{"build", "build derivations", buildCommand},
		{"eval", "evaluate an expression", evalCommand},
		{"copy", "copy paths between stores and binary caches", copyCommand},
		{"key", "make keys that sign store paths", cache.Key},
		{"path-info", "print what is known about paths", pathInfoCommand},
		{"why-depends", "show why a path needs another", whyDepends},
		{"log", "print build logs", logCommand},
		{"derivation show", "print derivations as JSON", derivationShow},
		{"hash path", "print the hash of an archive", hash.Nix},
		{"hash file", "print the hash of a file", hash.Nix},
		{"hash convert", "print hashes in another form", hash.Convert},
		{"hash to-base16", "", hash.Convert},
		{"hash to-base32", "", hash.Convert},
		{"hash to-base64", "", hash.Convert},
		{"hash to-sri", "", hash.Convert},
		{"nar ls", "list what is in an archive", narLs},
		{"nar cat", "print a file of an archive", narCat},
		{"nar dump-path", "write an archive to standard output", narDump},
		{"nar pack", "", narDump},
		{"store add", "copy a file to the store", storeAdd},
		{"store add-path", "", storeAdd},
		{"store add-file", "", storeAdd},
		{"store cat", "print a file of the store", storeCat},
		{"store ls", "list what is in a store path", storeLs},
		{"store delete", "delete paths that nothing needs", storeDelete},
		{"store diff-closures", "compare the versions in two closures", storeDiff},
		{"store dump-path", "write the archive of a path to standard output", storeDump},
		{"store gc", "delete all paths that nothing needs", storeGC},
		{"store info", "print where the store is", storeInfo},
		{"store ping", "", storeInfo},
		{"store optimise", "replace equal files by hard links", storeOptimise},
		{"store optimize", "", storeOptimise},
		{"store sign", "sign paths", signCommand},
		{"store path-from-hash-part", "print the path that begins with a hash", storeFromHash},
		{"store prefetch-file", "download a file to the store", storePrefetch},
		{"store repair", "mend paths whose content has changed", storeRepair},
		{"store verify", "check paths", storeVerify},
	}
}

// Main is the program called as nix.
func Main(ctx context.Context, w *process.World, _ string, args []string) error {
	if slices.Contains(args, "--version") {
		fmt.Fprintf(w.Stdout, "nix (gonix) %s\n", process.Version)
		return nil
	}
	return Subcommand(ctx, w, args)
}

// Subcommand finds the words of a command among the flags, and runs it.
func Subcommand(ctx context.Context, w *process.World, args []string) error {
	commands := commands()
	isCommand := func(words string) bool {
		return slices.ContainsFunc(commands, func(c command) bool {
			return c.words == words || strings.HasPrefix(c.words, words+" ")
		})
	}
	words := ""
	var rest []string
	for i := 0; i < len(args); i++ {
		next := args[i]
		if words != "" {
			next = words + " " + args[i]
		}
		if n := flagWords(args[i:]); n > 0 {
			rest = append(rest, args[i:i+n]...)
			i += n - 1
			continue
		}
		if !isCommand(next) {
			if words == "" || !slices.ContainsFunc(commands, func(c command) bool { return c.words == words }) {
				return fmt.Errorf("'%s' is not a recognised command\nTry 'nix --help' for more information.", next)
			}
			rest = append(rest, args[i:]...)
			break
		}
		words = next
		for _, c := range commands {
			if c.words != words {
				continue
			}
			err := c.run(ctx, w, "nix "+words, append(rest, args[i+1:]...))
			var exit process.Exit
			if errors.As(err, &exit) && int(exit) >= 100 {
				return process.Exit(1) // nix does not tell failures apart
			}
			return err
		}
	}
	if words != "" {
		return fmt.Errorf("'nix %s' needs another word; it can be followed by %s", words, strings.Join(following(commands, words), ", "))
	}
	printUsage(w.Stdout, commands)
	return nil
}

func following(commands []command, words string) []string {
	var list []string
	for _, c := range commands {
		if word, ok := strings.CutPrefix(c.words, words+" "); ok && c.about != "" {
			list = append(list, word)
		}
	}
	return list
}

func printUsage(out io.Writer, commands []command) {
	var b strings.Builder
	b.WriteString("Usage: nix COMMAND [FLAG]... [ARGUMENT]...\n\nCommands:\n")
	for _, c := range commands {
		if c.about != "" {
			fmt.Fprintf(&b, "  %-26s %s\n", c.words, c.about)
		}
	}
	io.WriteString(out, b.String())
}

// flagWords is how many words the flag takes that args begins with, 0 if it is
// none.
func flagWords(args []string) int {
	name, ok := strings.CutPrefix(args[0], "--")
	switch {
	case args[0] == "-j" || args[0] == "--store" || args[0] == "--log-format":
		return min(2, len(args))
	case name == "option" && ok:
		return min(3, len(args))
	case ok && config.IsSetting(name) && !config.IsSwitch(name):
		return min(2, len(args))
	case strings.HasPrefix(args[0], "-") && len(args[0]) > 1:
		return 1
	}
	return 0
}

// As makes a command of nix one of gonix's own.
func As(words string) func(context.Context, *process.World, string, []string) error {
	return func(ctx context.Context, w *process.World, _ string, args []string) error {
		return Subcommand(ctx, w, append(strings.Fields(words), args...))
	}
}
