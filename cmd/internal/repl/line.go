package repl

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// lineReader is where the lines of a session come from.
type lineReader interface {
	// line reads a line, without the newline; continued says that it goes on
	// with what is incomplete. The error is io.EOF at the end of input, and
	// errCancelled if the user gave up.
	line(continued bool) (string, error)
	// close leaves a terminal as it was found.
	close()
}

// prompt is what stands before a line.
func prompt(continued bool) string {
	if continued {
		return "        > "
	}
	return "nix-repl> "
}

// isTerminal reports whether a stream is one.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// lines returns the terminal, if there is one that can be edited on, or
// standard input.
func (r *session) lines() lineReader {
	typed := isTerminal(r.World.Stdin)
	if !typed || !isTerminal(r.World.Stdout) || r.World.Getenv("TERM") == "dumb" {
		return &plainLines{bufio.NewReader(r.World.Stdin), r.World.Stdout, !typed}
	}
	past, err := openHistory(historyFile(r.World))
	if err != nil {
		r.World.Warn(fmt.Sprintf("the history is not kept: %v", err))
	}
	t := &terminalLines{in: r.World.Stdin.(*os.File), out: r.World.Stdout.(*os.File), history: past}
	t.complete = func(before string) (from int, words []string) {
		r.completing = true
		defer func() { r.completing = false }()
		r.turn.do(func() error {
			defer time.AfterFunc(completionTime, func() { r.turn.interrupt() }).Stop()
			from, words = r.complete(before)
			return nil
		})
		return from, words
	}
	t.reset()
	return t
}

// completionTime is how long an evaluation for the completion of a line may
// take.
const completionTime = 5 * time.Second

// plainLines are lines without an editor. Those that nobody types are written
// behind the prompt, so that the output tells what was asked for, as that of
// Nix does.
type plainLines struct {
	in   *bufio.Reader
	out  io.Writer
	echo bool
}

func (l *plainLines) line(continued bool) (string, error) {
	io.WriteString(l.out, prompt(continued))
	text, err := l.in.ReadString('\n')
	if errors.Is(err, io.EOF) && text != "" {
		err = nil
	}
	text = strings.TrimRight(text, "\r\n")
	if l.echo && err == nil {
		fmt.Fprintln(l.out, text)
	}
	return text, err
}

func (*plainLines) close() {}

// terminalLines are lines that are typed and can be edited. The terminal is
// raw only while one is read, so that evaluations can be interrupted.
type terminalLines struct {
	in, out  *os.File
	history  *history
	complete func(before string) (from int, words []string)

	editor *term.Terminal
	saved  *term.State // while the terminal is raw
	ctrlC  bool        // it was among what was read last
}

// reset makes an editor that knows of no text yet.
func (l *terminalLines) reset() {
	l.editor = term.NewTerminal(l, prompt(false))
	l.editor.History = l.history
	l.editor.AutoCompleteCallback = l.tab
}

// Read implements [io.Reader] for the editor, which tells the end of the input
// and an interruption by the same error.
func (l *terminalLines) Read(b []byte) (int, error) {
	const ctrlC = 3
	n, err := l.in.Read(b)
	l.ctrlC = bytes.IndexByte(b[:n], ctrlC) >= 0
	return n, err
}

// Write implements [io.Writer] for the editor.
func (l *terminalLines) Write(b []byte) (int, error) { return l.out.Write(b) }

func (l *terminalLines) raw() error {
	saved, err := term.MakeRaw(int(l.in.Fd()))
	if err == nil {
		l.saved = saved
		l.editor.SetBracketedPasteMode(true) // a tab that is pasted completes nothing
	}
	return err
}

func (l *terminalLines) close() {
	if l.saved != nil {
		l.editor.SetBracketedPasteMode(false)
		term.Restore(int(l.in.Fd()), l.saved)
		l.saved = nil
	}
}

func (l *terminalLines) line(continued bool) (string, error) {
	l.editor.SetPrompt(prompt(continued))
	if width, height, err := term.GetSize(int(l.out.Fd())); err == nil && width > 0 && height > 0 {
		l.editor.SetSize(width, height)
	}
	if err := l.raw(); err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	text, err := l.editor.ReadLine()
	l.close()
	if errors.Is(err, term.ErrPasteIndicator) {
		err = nil
	}
	if errors.Is(err, io.EOF) && l.ctrlC {
		l.ctrlC = false
		fmt.Fprintln(l.out)
		l.reset()
		return "", errCancelled
	}
	return text, err
}

// tab completes what is before the cursor as far as there is one way to, or
// lists the ways.
func (l *terminalLines) tab(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	// What is evaluated for the completion can be interrupted.
	l.close()
	from, words := l.complete(line[:pos])
	if err := l.raw(); err != nil || len(words) == 0 {
		return line, pos, true
	}
	if common := commonPrefix(words); common != line[from:pos] {
		return line[:from] + common + line[pos:], from + len(common), true
	}
	if len(words) > 1 {
		width, _, err := term.GetSize(int(l.out.Fd()))
		if err != nil {
			width = 80
		}
		io.WriteString(l.editor, columns(words, width))
	}
	return line, pos, true
}

// maxListed is how many ways to complete a word are listed.
const maxListed = 400

// columns lays words out in lines of at most width columns, read downwards.
func columns(words []string, width int) string {
	left := 0
	if len(words) > maxListed {
		left = len(words) - maxListed
		words = words[:maxListed]
	}
	longest := 0
	for _, w := range words {
		longest = max(longest, len([]rune(w)))
	}
	perLine := max(1, width/(longest+2))
	rows := (len(words) + perLine - 1) / perLine
	var b strings.Builder
	for row := range rows {
		for i := row; i < len(words); i += rows {
			if i+rows >= len(words) {
				b.WriteString(words[i])
			} else {
				fmt.Fprintf(&b, "%-*s", longest+2, words[i])
			}
		}
		b.WriteByte('\n')
	}
	if left > 0 {
		fmt.Fprintf(&b, "... and %d more\n", left)
	}
	return b.String()
}
