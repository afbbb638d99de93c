package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// JSONLog writes what happens as lines of JSON, in the form of Nix's internal-json
// logs. (Nix: JSONLogger)
type JSONLog struct {
	prefix string // of each line
	level  int    // what is said at higher ones is left out

	mu   sync.Mutex
	w    io.Writer
	last uint64 // number of the last activity
	jobs map[string]*activity
}

// activity is a job that has begun and not ended.
type activity struct {
	id   uint64
	told time.Time // when it was said last how far it is
}

// The numbers of Nix's Verbosity, ActivityType and ResultType.
const (
	levelError, levelWarn, levelInfo, levelChatty = 0, 1, 3, 5

	activityCopyPath, activityBuild                 = 100, 105
	resultLogLine, resultSetPhase, resultOfProgress = 101, 104, 105
)

// NewJSONLog writes to standard error: lines are marked there, and verbose says how
// often --verbose was given.
func NewJSONLog(stderr io.Writer, verbose int) *JSONLog {
	return newJSONLog(stderr, "@nix ", levelInfo+verbose)
}

// OpenJSONLog appends to the file; it is closed with the process, as events may
// come as long as that lives. (Nix: json-log-path)
func OpenJSONLog(name string) (*JSONLog, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the JSON log: %w", err)
	}
	return newJSONLog(f, "", levelChatty), nil
}

func newJSONLog(w io.Writer, prefix string, level int) *JSONLog {
	return &JSONLog{prefix: prefix, level: level, w: w, last: uint64(os.Getpid()) << 32, jobs: map[string]*activity{}}
}

type object = map[string]any

func (l *JSONLog) write(o object) {
	line := bytes.NewBufferString(l.prefix)
	e := json.NewEncoder(line)
	e.SetEscapeHTML(false)
	if e.Encode(o) == nil {
		l.w.Write(line.Bytes())
	}
}

// Write implements [io.Writer]: what is written at once is one message, and its
// first word tells how much it matters.
func (l *JSONLog) Write(b []byte) (int, error) {
	text := strings.TrimSuffix(string(b), "\n")
	level := levelInfo
	switch {
	case strings.HasPrefix(text, "error:"), strings.HasPrefix(text, "trace:"):
		level = levelError
	case strings.HasPrefix(text, "warning:"), strings.HasPrefix(text, "evaluation warning:"):
		level = levelWarn
	}
	l.message(level, text)
	return len(b), nil
}

func (l *JSONLog) message(level int, text string) {
	if level > l.level {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(object{"action": "msg", "level": level, "msg": text})
}

func (l *JSONLog) start(job string, kind int, text string, fields ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.jobs[job] = &activity{id: l.last}
	l.write(object{"action": "start", "id": l.last, "level": levelInfo, "parent": 0, "type": kind, "text": text, "fields": fields})
}

func (l *JSONLog) result(job string, kind int, fields ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.jobs[job]; a != nil {
		l.write(object{"action": "result", "id": a.id, "type": kind, "fields": fields})
	}
}

// progress says how far a job is, now and then and at its end.
func (l *JSONLog) progress(job string, done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.jobs[job]
	if a == nil || done != total && time.Since(a.told) < 100*time.Millisecond {
		return
	}
	a.told = time.Now()
	l.write(object{"action": "result", "id": a.id, "type": resultOfProgress, "fields": []any{done, total, 0, 0}})
}

func (l *JSONLog) stop(job string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.jobs[job]; a != nil {
		delete(l.jobs, job)
		l.write(object{"action": "stop", "id": a.id})
	}
}
