package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// nixCommand is a command of the program nix: its words and what they do.
type nixCommand struct {
	words string // "store gc"
	about string
	run   func(ctx context.Context, w *world, name string, args []string) error
}

// nixCommands are those of nix that there are here.
func nixCommands() []nixCommand {
	return []nixCommand{
		{"build", "build derivations", nixBuild},
		{"eval", "evaluate an expression", nixEval},
		{"copy", "copy paths between stores and binary caches", copyCommand},
		{"key", "make keys that sign store paths", keyCommand},
		{"path-info", "print what is known about paths", nixPathInfo},
		{"why-depends", "show why a path needs another", nixWhyDepends},
		{"log", "print build logs", nixLog},
		{"derivation show", "print derivations as JSON", nixDerivationShow},
		{"hash path", "print the hash of an archive", nixHash},
		{"hash file", "print the hash of a file", nixHash},
		{"hash convert", "print hashes in another form", nixHashConvert},
		{"hash to-base16", "", nixHashConvert},
		{"hash to-base32", "", nixHashConvert},
		{"hash to-base64", "", nixHashConvert},
		{"hash to-sri", "", nixHashConvert},
		{"nar ls", "list what is in an archive", nixNarLs},
		{"nar cat", "print a file of an archive", nixNarCat},
		{"nar dump-path", "write an archive to standard output", nixNarDump},
		{"nar pack", "", nixNarDump},
		{"store add", "copy a file to the store", nixStoreAdd},
		{"store add-path", "", nixStoreAdd},
		{"store add-file", "", nixStoreAdd},
		{"store cat", "print a file of the store", nixStoreCat},
		{"store ls", "list what is in a store path", nixStoreLs},
		{"store delete", "delete paths that nothing needs", nixStoreDelete},
		{"store diff-closures", "compare the versions in two closures", nixStoreDiff},
		{"store dump-path", "write the archive of a path to standard output", nixStoreDump},
		{"store gc", "delete all paths that nothing needs", nixStoreGC},
		{"store info", "print where the store is", nixStoreInfo},
		{"store ping", "", nixStoreInfo},
		{"store optimise", "replace equal files by hard links", nixStoreOptimise},
		{"store optimize", "", nixStoreOptimise},
		{"store sign", "sign paths", signCommand},
		{"store path-from-hash-part", "print the path that begins with a hash", nixStoreFromHash},
		{"store prefetch-file", "download a file to the store", nixStorePrefetch},
		{"store repair", "mend paths whose content has changed", nixStoreRepair},
		{"store verify", "check paths", nixStoreVerify},
	}
}

// nixMain is the program called as nix.
func nixMain(ctx context.Context, w *world, _ string, args []string) error {
	if slices.Contains(args, "--version") {
		fmt.Fprintf(w.stdout, "nix (gonix) %s\n", version)
		return nil
	}
	return nixSubcommand(ctx, w, args)
}

// nixSubcommand finds the words of a command among the flags, and runs it.
func nixSubcommand(ctx context.Context, w *world, args []string) error {
	commands := nixCommands()
	isCommand := func(words string) bool {
		return slices.ContainsFunc(commands, func(c nixCommand) bool {
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
			if words == "" || !slices.ContainsFunc(commands, func(c nixCommand) bool { return c.words == words }) {
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
			var exit exitError
			if errors.As(err, &exit) && exit.code >= 100 {
				return exitError{1} // nix does not tell failures apart
			}
			return err
		}
	}
	if words != "" {
		return fmt.Errorf("'nix %s' needs another word; it can be followed by %s", words, strings.Join(following(commands, words), ", "))
	}
	nixUsage(w.stdout, commands)
	return nil
}

func following(commands []nixCommand, words string) []string {
	var list []string
	for _, c := range commands {
		if word, ok := strings.CutPrefix(c.words, words+" "); ok && c.about != "" {
			list = append(list, word)
		}
	}
	return list
}

func nixUsage(out io.Writer, commands []nixCommand) {
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
	case args[0] == "-j" || args[0] == "--store":
		return min(2, len(args))
	case name == "option" && ok:
		return min(3, len(args))
	case ok && isSetting(name) && !isSwitch(name):
		return min(2, len(args))
	case strings.HasPrefix(args[0], "-") && len(args[0]) > 1:
		return 1
	}
	return 0
}

// nixAs makes a command of nix one of gonix's own.
func nixAs(words string) func(context.Context, *world, string, []string) error {
	return func(ctx context.Context, w *world, _ string, args []string) error {
		return nixSubcommand(ctx, w, append(strings.Fields(words), args...))
	}
}
