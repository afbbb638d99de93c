package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// command is one of the things that the program can do.
type command struct {
	name  string   // as the first argument of gonix
	alone []string // names under which the program is this command
	about string
	run   func(ctx context.Context, w *world, name string, args []string) error
}

// commands are all of them, in the order of the usage.
var commands = []command{
	{"build", []string{"gonix-build", "nix-build"}, "build derivations and container images", buildCommand},
	{"instantiate", []string{"gonix-instantiate", "nix-instantiate"}, "make derivations of expressions, or evaluate or parse them", instantiateCommand},
	{"repl", []string{"gonix-repl"}, "evaluate expressions as they are typed", replCommand},
	{"copy", nil, "copy paths to and from binary caches and other stores", copyCommand},
	{"sign", nil, "sign store paths", signCommand},
	{"key", nil, "make keys that sign store paths", keyCommand},
	{"serve", nil, "offer the store as a binary cache over HTTP", serveCommand},
	{"store", []string{"nix-store"}, "look at the store and change it", storeCommand},
	{"collect-garbage", []string{"nix-collect-garbage"}, "delete what nothing needs", collectGarbageCommand},
	{"hash", []string{"nix-hash"}, "print hashes of files, or in other forms", hashCommand},
	{"prefetch-url", []string{"nix-prefetch-url"}, "download a file to the store and print its hash", prefetchCommand},
	{"path-info", nil, "print what is known about store paths", nixAs("path-info")},
	{"why-depends", nil, "show why a store path needs another", nixAs("why-depends")},
	{"log", nil, "print build logs", nixAs("log")},
	{"derivation", nil, "print derivations as JSON (derivation show)", nixAs("derivation")},
	{"nar", nil, "look into archives", nixAs("nar")},
	{"image", []string{"gonix-image"}, "push, pull, load and look into images", imageCommand},
}

// asNix is the program called as nix.
var asNix = command{"nix", []string{"nix"}, "", nixMain}

// dispatch runs the command that the program is called as, or the one that
// the first argument names.
func dispatch(ctx context.Context, w *world, name string, args []string) error {
	for _, c := range append(commands, asNix) {
		for _, alias := range c.alone {
			if name == alias {
				return c.run(ctx, w, name, args)
			}
		}
	}
	if len(args) == 0 {
		printUsage(w.stderr)
		return errReported
	}
	for _, c := range commands {
		if args[0] == c.name {
			return c.run(ctx, w, "gonix "+c.name, args[1:])
		}
	}
	switch args[0] {
	case "--help", "-h", "help":
		printUsage(w.stdout)
		return nil
	case "--version":
		fmt.Fprintf(w.stdout, "gonix (gonix) %s\n", version)
		return nil
	}
	return fmt.Errorf("'%s' is not a command of gonix\nTry 'gonix --help' for more information.", args[0])
}

func printUsage(out io.Writer) {
	var b strings.Builder
	b.WriteString("Usage: gonix COMMAND [FLAG]... [ARGUMENT]...\n\nCommands:\n")
	for _, c := range commands {
		also := ""
		if len(c.alone) > 0 {
			also = fmt.Sprintf(" (also as %s)", strings.Join(c.alone, ", "))
		}
		fmt.Fprintf(&b, "  %-15s %s%s\n", c.name, c.about, also)
	}
	b.WriteString("\n'gonix COMMAND --help' describes one of them.\n")
	io.WriteString(out, b.String())
}
