// Package cli is the program: it finds the command that it is called as, gives it
// the process's streams and environment, and answers with an exit status. Nothing
// outside of cmd reads flags or environment, prints or exits.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"syscall"

	"gonix/cmd/internal/heap"
	"gonix/cmd/internal/process"
	"gonix/derivation/sandbox"
	"gonix/eval/render"

	"golang.org/x/term"
)

// Main runs the command called name and returns the process's exit status.
// A process that the sandbox started as its own child does that job instead
// and never returns.
func Main(name string, args []string) int {
	sandbox.Main()
	heap.Tune()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	cwd, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: the current directory: %v\n", err)
		return 1
	}
	fd := int(os.Stderr.Fd())
	w := &process.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, PasswdHome: passwdHome, Cwd: cwd,
		Terminal: term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		Width: func() int {
			if cols, _, err := term.GetSize(fd); err == nil && cols > 0 {
				return cols
			}
			return 80
		},
	}
	return run(ctx, w, name, args)
}

// passwdHome is the folder of the user whose process this is.
func passwdHome() string {
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return ""
	}
	return u.HomeDir
}

// run is Main without the process.
func run(ctx context.Context, w *process.World, name string, args []string) int {
	w.Called = name
	err := dispatch(ctx, w, name, args)
	var exit process.Exit
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil, errors.Is(err, process.ErrInterrupted):
		fmt.Fprintf(w.Stderr, "error: %v\n", process.ErrInterrupted)
		return 130
	case errors.As(err, &exit):
		return int(exit)
	case !errors.Is(err, process.ErrReported):
		// Names in archives and answers of servers are anybody's.
		fmt.Fprintf(w.Stderr, "error: %s\n", render.Terminal(err.Error(), w.Terminal))
	}
	return 1
}
