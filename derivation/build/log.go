package build

import (
	"bufio"
	"bytes"
	unbzip2 "compress/bzip2"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gonix/derivation/build/bzip2"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// LogFile is where the log of a build of drv is kept, in the place and the form
// in which C++ Nix looks for it.
func LogFile(s *store.Local, drv storepath.Path) string {
	base := drv.Base()
	return filepath.Join(s.LogDir(), "drvs", base[:2], base[2:]+compressedSuffix)
}

const compressedSuffix = ".bz2"

// OpenLog opens the log of the build of drv for reading, wherever and in whichever
// form Nix has or had them; the error wraps [fs.ErrNotExist] if there is none.
func OpenLog(s *store.Local, drv storepath.Path) (io.ReadCloser, error) {
	name := strings.TrimSuffix(LogFile(s, drv), compressedSuffix)
	for _, plain := range []string{name, filepath.Join(s.LogDir(), "drvs", drv.Base())} {
		f, err := os.Open(plain)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		f, err = os.Open(plain + compressedSuffix)
		if err == nil {
			return struct {
				io.Reader
				io.Closer
			}{unbzip2.NewReader(f), f}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("build log of '%s' is not available: %w", drv, fs.ErrNotExist)
}

// buildLog takes what a builder writes: all of it goes to a file, line by line
// to the user, and the last lines are kept in memory.
type buildLog struct {
	report func(Event)
	keep   int // how many lines

	mu    sync.Mutex
	lines []string // the last ones
	line  []byte   // the current one
	cr    bool     // what follows replaces line
	last  time.Time

	limit  int64  // how much may be written; 0 for any
	size   int64  // what was
	exceed func() // called once that is too much

	file *os.File
	buf  *bufio.Writer
	zip  io.WriteCloser // nil without a file
	err  error          // the file could not be written
}

// maxLine is where lines are cut for the user, so that binary junk does no harm.
const maxLine = 16 << 10

// newLog starts a log; name is its file, compressed if it ends with .bz2, "" for
// none.
func newLog(name string, keep int, report func(Event)) (*buildLog, error) {
	l := &buildLog{report: report, keep: keep, last: time.Now()}
	if name == "" {
		return l, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, fmt.Errorf("create the build log: %w", err)
	}
	// Not over an earlier one in place: someone may be reading that.
	plain := strings.TrimSuffix(name, compressedSuffix)
	for _, old := range []string{plain, plain + compressedSuffix} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("create the build log: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create the build log: %w", err)
	}
	l.file, l.buf = f, bufio.NewWriter(f)
	if plain == name {
		l.zip = plainLog{l.buf}
	} else {
		l.zip = bzip2.NewWriter(l.buf)
	}
	return l, nil
}

// plainLog is a log that is not compressed.
type plainLog struct{ io.Writer }

// Close does nothing.
func (plainLog) Close() error { return nil }

// Write takes output. It never fails: a build is not to die of its log.
func (l *buildLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Now()
	l.size += int64(len(p))
	if l.limit > 0 && l.size > l.limit && l.exceed != nil {
		l.exceed()
		l.exceed = nil
	}
	if l.zip != nil && l.err == nil {
		_, l.err = l.zip.Write(p)
	}
	for rest := p; len(rest) > 0; {
		i := bytes.IndexAny(rest, "\r\n")
		if i < 0 {
			l.append(rest)
			break
		}
		l.append(rest[:i])
		if rest[i] == '\n' {
			l.endLine()
		} else {
			l.cr = true
		}
		rest = rest[i+1:]
	}
	return len(p), nil
}

func (l *buildLog) append(text []byte) {
	if len(text) > 0 && l.cr {
		l.line, l.cr = l.line[:0], false
	}
	for len(l.line)+len(text) > maxLine {
		n := maxLine - len(l.line)
		l.line = append(l.line, text[:n]...)
		text = text[n:]
		l.endLine()
	}
	l.line = append(l.line, text...)
}

func (l *buildLog) endLine() {
	text := string(bytes.ToValidUTF8(l.line, []byte("\uFFFD")))
	l.line, l.cr = l.line[:0], false
	m, ok, err := parseMessage(text)
	if err != nil {
		l.report(Event{Kind: Note, Text: "warning: Unable to handle a JSON message from the derivation builder: " + err.Error()})
	}
	if ok {
		switch m.Action {
		case "setPhase":
			l.report(Event{Kind: Phase, Text: m.Phase})
		case "msg":
			l.keepLine(m.Msg)
		}
		return
	}
	l.keepLine(text)
}

func (l *buildLog) keepLine(text string) {
	if len(l.lines) == l.keep && l.keep > 0 {
		copy(l.lines, l.lines[1:])
		l.lines = l.lines[:l.keep-1]
	}
	if l.keep > 0 {
		l.lines = append(l.lines, text)
	}
	l.report(Event{Kind: LogLine, Text: text})
}

// message is a line that is meant for the program which runs the build:
// "@nix " and a JSON object.
type message struct {
	Action string
	Phase  string
	Msg    string
}

// parseMessage returns false for an ordinary line, and an error besides if the
// line looks like a message but is none.
func parseMessage(line string) (message, bool, error) {
	var m message
	text, ok := strings.CutPrefix(line, "@nix ")
	if !ok {
		return message{}, false, nil
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return message{}, false, err
	}
	if m.Action == "" {
		return message{}, false, errors.New("it has no action")
	}
	return m, true, nil
}

// watch calls exceed once more than limit bytes are written; 0 is no limit.
func (l *buildLog) watch(limit int64, exceed func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit, l.exceed = limit, exceed
}

// silent returns how long nothing was written.
func (l *buildLog) silent() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last)
}

// close ends the log and returns its last lines.
func (l *buildLog) close() ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.line) > 0 {
		l.endLine()
	}
	if l.file == nil {
		return l.lines, nil
	}
	err := l.err
	if err == nil {
		err = l.zip.Close()
	}
	if err == nil {
		err = l.buf.Flush()
	}
	err = errors.Join(err, l.file.Close())
	if err != nil {
		err = fmt.Errorf("write the build log %s: %w", l.file.Name(), err)
		os.Remove(l.file.Name())
	}
	l.file = nil
	return l.lines, err
}
