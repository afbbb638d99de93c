// Package cli is the command line: it reads flags and environment, wires the
// evaluator, the store, the builders and the image packer together, prints,
// and answers with an exit status. Nothing else in the tree does any of these.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"gonix/derivation/sandbox"

	"golang.org/x/term"
)

// version is what --version shows and builtins.nixVersion does not.
const version = "0.1.0"

// world is what a command knows of the process that it runs in.
type world struct {
	called         string // the name of the program
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(string) (string, bool)
	cwd            string
	terminal       bool       // stderr is one
	width          func() int // its columns
}

func (w *world) getenv(name string) string {
	v, _ := w.lookupEnv(name)
	return v
}

// cacheDir is the user's folder for what can be had again, "" if there is none.
func (w *world) cacheDir() string {
	if cache := w.getenv("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		return filepath.Join(cache, "gonix")
	}
	if home := w.getenv("HOME"); home != "" {
		return filepath.Join(home, ".cache", "gonix")
	}
	return ""
}

func (w *world) warn(msg string) { fmt.Fprintf(w.stderr, "warning: %s\n", msg) }

// abs is a path as the user means it.
func (w *world) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(w.cwd, path)
}

// errReported is returned by a command that has said what went wrong.
var errReported = errors.New("reported")

// errInterrupted is returned by a command that a signal ended.
var errInterrupted = errors.New("interrupted by the user")

// exitError ends a command with a status of its own.
type exitError struct{ code int }

// hashMismatch is the exit status after something was fetched that is not what
// was asked for, as in Nix and as of builds.
const hashMismatch = 102

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// Main runs the command called name and returns the process's exit status.
// A process that the sandbox started as its own child does that job instead
// and never returns.
func Main(name string, args []string) int {
	sandbox.Main()
	tuneCollector()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	cwd, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	fd := int(os.Stderr.Fd())
	w := &world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookupEnv: os.LookupEnv, cwd: cwd,
		terminal: term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		width: func() int {
			if cols, _, err := term.GetSize(fd); err == nil && cols > 0 {
				return cols
			}
			return 80
		},
	}
	return run(ctx, w, name, args)
}

// run is Main without the process.
func run(ctx context.Context, w *world, name string, args []string) int {
	w.called = name
	err := dispatch(ctx, w, name, args)
	var exit exitError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil, errors.Is(err, errInterrupted):
		fmt.Fprintf(w.stderr, "error: %v\n", errInterrupted)
		return 130
	case errors.As(err, &exit):
		return exit.code
	case !errors.Is(err, errReported):
		fmt.Fprintf(w.stderr, "error: %v\n", err)
	}
	return 1
}
