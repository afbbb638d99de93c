// Package repl is gonix repl, which is nix repl.
package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/process"
	"gonix/eval"
	"gonix/eval/builtin"
	"gonix/eval/value"
)

// session is one run of gonix repl.
type session struct {
	expression.Evaluator
	ctx    context.Context
	state  *eval.State
	f      *flags
	turn   *turn
	auto   *value.Attrs  // arguments of functions in files
	vars   *value.Attrs  // the variables in scope besides the globals
	loads  []load        // what :r loads again, in its order
	last   *value.Attrs  // what was loaded last; nil if nothing was
	colour bool          // of values
	quit   chan struct{} // asked to end
	// completing says that an evaluation is for the completion of a line only:
	// it may neither print nor build.
	completing bool
}

// Command is gonix repl: it evaluates what is typed and prints it.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	f, fs := newFlags(name)
	set, stop, err := config.Begin(w, f, fs, args, usage)
	if set == nil {
		return err
	}
	defer stop()
	r := newSession(ctx, w, f, set)
	shut, err := r.Open(r.ctx, true)
	if err != nil {
		return err
	}
	defer shut()
	err = r.start()
	defer r.state.Close()
	if err != nil {
		return r.Report(r.ctx, r.state, err)
	}
	if err := r.run(); err != nil {
		return err
	}
	return r.ShowStatistics(r.state)
}

func newSession(ctx context.Context, w *process.World, f *flags, set *config.Settings) *session {
	t := newTurn(ctx)
	r := &session{
		Evaluator: expression.Evaluator{World: w, Flags: &f.Flags, Settings: set, Progress: f.Progress(w), AlwaysSet: true},
		ctx:       t, f: f, turn: t, vars: value.EmptyAttrs,
		colour: isTerminal(w.Stdout) && w.Getenv("TERM") != "dumb" && w.Getenv("NO_COLOR") == "",
		quit:   make(chan struct{}, 1),
	}
	r.Trace = mutedWriter{r.Progress, &r.completing}
	return r
}

// mutedWriter writes nothing while it is muted.
type mutedWriter struct {
	io.Writer
	muted *bool
}

func (m mutedWriter) Write(b []byte) (int, error) {
	if *m.muted {
		return len(b), nil
	}
	return m.Writer.Write(b)
}

// start makes the state; the store is open by now.
func (r *session) start() error {
	realise := r.Realise
	r.Realise = func(elems []value.ContextElem) error {
		if r.completing {
			return errors.New("nothing is built to complete a line")
		}
		return realise(elems)
	}
	r.state = r.NewState(r.ctx)
	r.turn.th = r.state.Thread()
	r.loads = r.f.loads()
	var err error
	r.auto, err = r.AutoArgs(r.state)
	return err
}

// run reads and processes lines until there are no more.
func (r *session) run() error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer func() {
		signal.Stop(signals)
		close(signals)
	}()
	go func() {
		for s := range signals {
			if busy := r.turn.interrupt(); !busy || s != os.Interrupt {
				r.end()
			}
		}
	}()

	in := r.lines()
	defer in.close()
	r.notice("gonix %s, the language of Nix %s\nType :? for help.", process.Version, builtin.NixVersion)
	r.do(r.loadAll)
	return r.loop(in)
}

// loop is run once all is set up. Input that is not complete goes on with the
// next line; if there is none, its error is shown.
func (r *session) loop(in lineReader) error {
	input := ""
	var lacking error
	for {
		line, err := r.next(in, input != "")
		switch {
		case errors.Is(err, errCancelled):
			input, lacking = "", nil
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(r.World.Stdout)
			r.show(lacking)
			return nil
		case err != nil:
			return err
		}
		input += line + "\n"
		err = r.do(func() error { return r.process(input) })
		if errors.Is(err, errQuit) {
			return nil
		}
		var more incompleteError
		if errors.As(err, &more) {
			lacking = more.error
			continue
		}
		input, lacking = "", nil
		fmt.Fprintln(r.World.Stdout) // sets what was printed apart
	}
}

// end makes the session end before it asks for another line.
func (r *session) end() {
	select {
	case r.quit <- struct{}{}:
	default: // it was told already
	}
}

// next reads a line, or ends with an error when the process is told to end.
func (r *session) next(in lineReader, continued bool) (string, error) {
	type result struct {
		line string
		err  error
	}
	select {
	case <-r.quit:
		return "", process.ErrInterrupted
	default:
	}
	read := make(chan result, 1)
	go func() {
		line, err := in.line(continued)
		read <- result{line, err}
	}()
	select {
	case got := <-read:
		return got.line, got.err
	case <-r.quit:
		return "", process.ErrInterrupted
	}
}

// do does what the user asked for, shows what went wrong, and returns the
// errors that are for the loop.
func (r *session) do(what func() error) error {
	r.Progress.Again(r.f.Redraws(r.World))
	err := r.turn.do(what)
	var more incompleteError
	switch {
	case err == nil, errors.Is(err, errQuit), errors.As(err, &more):
		return err
	case r.turn.interrupted():
		fmt.Fprintln(r.World.Stderr, "error: interrupted by the user")
	default:
		r.show(err)
	}
	r.Progress.Rest()
	return nil
}

// show shows an error.
func (r *session) show(err error) {
	var exit process.Exit
	if err == nil || errors.Is(err, process.ErrReported) || errors.As(err, &exit) {
		return // a build that failed has said so
	}
	fmt.Fprintln(r.World.Stderr, r.state.RenderError(err, r.Settings.ShowTrace, r.World.Terminal))
}

// notice tells what was done.
func (r *session) notice(format string, args ...any) {
	if !r.f.Quiet {
		fmt.Fprintf(r.World.Stderr, format+"\n", args...)
	}
}

var (
	errQuit      = errors.New("quit")
	errCancelled = errors.New("the line was given up")
)

// incompleteError is the error of input that may go on in the next line.
type incompleteError struct{ error }

// isBlank reports whether there is nothing in text but white space and lines
// that are comments.
func isBlank(text string) bool {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}
