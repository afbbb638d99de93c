package repl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"gonix/cmd/internal/process"
)

// history is what was typed in this session and earlier ones. Each line is
// added to the file at once, so that sessions that run at the same time lose
// nothing to each other.
type history struct {
	lines []string // the oldest first
	file  *os.File // nil if nothing is kept
}

var _ term.History = (*history)(nil)

// maxHistory is how many lines of earlier sessions are remembered.
const maxHistory = 2000

// historyFile is where the history is kept, "" if nowhere.
func historyFile(w *process.World) string {
	dir := w.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := w.Home()
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "gonix", "repl-history")
}

// openHistory reads a history, which is empty if the file is not there. With
// an error it still can be used, but is not kept.
func openHistory(file string) (*history, error) {
	h := &history{}
	if file == "" {
		return h, errors.New("neither XDG_STATE_HOME nor HOME is set")
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, err
	}
	for line := range strings.Lines(string(text)) {
		h.remember(strings.TrimRight(line, "\r\n"))
	}
	if len(h.lines) > maxHistory {
		h.lines = h.lines[len(h.lines)-maxHistory:]
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return h, err
	}
	h.file, err = os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return h, err
}

// remember reports whether a line is new.
func (h *history) remember(line string) bool {
	if strings.TrimSpace(line) == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return false
	}
	h.lines = append(h.lines, line)
	return true
}

// Add implements [term.History].
func (h *history) Add(line string) {
	if h.remember(line) && h.file != nil {
		fmt.Fprintln(h.file, line)
	}
}

// Len implements [term.History].
func (h *history) Len() int { return len(h.lines) }

// At implements [term.History]: 0 is the newest line.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }
