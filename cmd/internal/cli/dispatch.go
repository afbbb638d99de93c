package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"gonix/cmd/internal/build"
	"gonix/cmd/internal/cache"
	"gonix/cmd/internal/hash"
	"gonix/cmd/internal/image"
	"gonix/cmd/internal/instantiate"
	"gonix/cmd/internal/nix"
	"gonix/cmd/internal/nixenv"
	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/repl"
)

// command is one of the things that the program can do.
type command struct {
	name  string   // as the first argument of gonix
	alone []string // names under which the program is this command
	about string
	run   func(ctx context.Context, w *process.World, name string, args []string) error
}

// commands are all of them, in the order of the usage.
var commands = []command{
	{"build", []string{"gonix-build", "nix-build"}, "build derivations and container images", build.Command},
	{"instantiate", []string{"gonix-instantiate", "nix-instantiate"}, "make derivations of expressions, or evaluate or parse them", instantiate.Command},
	{"repl", []string{"gonix-repl"}, "evaluate expressions as they are typed", repl.Command},
	{"copy", nil, "copy paths to and from binary caches and other stores", nix.As("copy")},
	{"sign", nil, "sign store paths", nix.As("store sign")},
	{"key", nil, "make keys that sign store paths", cache.Key},
	{"serve", nil, "offer the store as a binary cache over HTTP", cache.Serve},
	{"store", []string{"nix-store"}, "look at the store and change it", storeOrNix},
	{"collect-garbage", []string{"nix-collect-garbage"}, "delete what nothing needs", nixstore.CollectGarbage},
	{"hash", []string{"nix-hash"}, "print hashes of files, or in other forms", hashOrNix},
	{"prefetch-url", []string{"nix-prefetch-url"}, "download a file to the store and print its hash", nixstore.Prefetch},
	{"path-info", nil, "print what is known about store paths", nix.As("path-info")},
	{"why-depends", nil, "show why a store path needs another", nix.As("why-depends")},
	{"log", nil, "print build logs", nix.As("log")},
	{"derivation", nil, "print derivations as JSON (derivation show)", nix.As("derivation")},
	{"nar", nil, "look into archives", nix.As("nar")},
	{"env", []string{"nix-env"}, "list packages (-qa)", nixenv.Command},
	{"image", []string{"gonix-image"}, "push, pull, load and look into images", image.Command},
}

// asNix is the program called as nix.
var asNix = command{"nix", []string{"nix"}, "", nix.Main}

// dispatch runs the command that the program is called as, or the one that
// the first argument names.
func dispatch(ctx context.Context, w *process.World, name string, args []string) error {
	for _, c := range append(commands, asNix) {
		for _, alias := range c.alone {
			if name == alias {
				return c.run(ctx, w, name, args)
			}
		}
	}
	if len(args) == 0 {
		printUsage(w.Stderr)
		return process.ErrReported
	}
	for _, c := range commands {
		if args[0] == c.name {
			return c.run(ctx, w, "gonix "+c.name, args[1:])
		}
	}
	switch args[0] {
	case "--help", "-h", "help":
		printUsage(w.Stdout)
		return nil
	case "--version":
		fmt.Fprintf(w.Stdout, "gonix (gonix) %s\n", process.Version)
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

// storeOrNix is gonix store: nix-store, and with a word instead of an operation
// nix store.
func storeOrNix(ctx context.Context, w *process.World, name string, args []string) error {
	if name == "gonix store" && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return nix.Subcommand(ctx, w, append([]string{"store"}, args...))
	}
	return nixstore.Command(ctx, w, name, args)
}

// hashOrNix is gonix hash: nix-hash, and with a word nix hash.
func hashOrNix(ctx context.Context, w *process.World, name string, args []string) error {
	if name == "gonix hash" && len(args) > 0 {
		switch args[0] {
		case "file", "path", "convert", "to-base16", "to-base32", "to-base64", "to-sri":
			return nix.Subcommand(ctx, w, append([]string{"hash"}, args...))
		}
	}
	return hash.Command(ctx, w, name, args)
}
