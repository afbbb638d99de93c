package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// JSONLog writes what happens as lines of JSON, in the form of Nix's internal-json
// logs. (Nix: json-log-path)
type JSONLog struct {
	file *os.File
	last uint64 // number of the last activity
	ids  map[storepath.Path]uint64
}

// The numbers of Nix's Verbosity, ActivityType and ResultType.
const (
	levelInfo, levelChatty           = 3, 5
	activityBuild                    = 105
	resultLogLine, resultSetPhase    = 101, 104
	jsonStart, jsonStop, jsonMessage = "start", "stop", "msg"
)

// OpenJSONLog appends to the file; it is closed with the process, as events may
// come as long as that lives.
func OpenJSONLog(name string) (*JSONLog, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the JSON log: %w", err)
	}
	return &JSONLog{file: f, last: uint64(os.Getpid()) << 32, ids: map[storepath.Path]uint64{}}, nil
}

func (l *JSONLog) write(object map[string]any) {
	line, err := json.Marshal(object)
	if err == nil {
		l.file.Write(append(line, '\n'))
	}
}

// Also returns a receiver of events that writes them here before the next one.
func (l *JSONLog) Also(st *store.Local, next func(build.Event)) func(build.Event) {
	return func(e build.Event) {
		id := l.ids[e.Drv]
		switch e.Kind {
		case build.Started:
			l.last++
			l.ids[e.Drv] = l.last
			l.write(map[string]any{
				"action": jsonStart, "id": l.last, "level": levelInfo, "parent": 0, "type": activityBuild,
				"text": fmt.Sprintf("building '%s'", e.Drv), "fields": []any{e.Drv.String(), "", 1, 1},
			})
			if drv, err := st.ReadDerivation(context.Background(), e.Drv); err == nil {
				l.write(map[string]any{"action": jsonMessage, "level": levelChatty, "msg": fmt.Sprintf("executing builder '%s'", drv.Builder)})
			}
		case build.Phase:
			l.write(map[string]any{"action": "result", "id": id, "type": resultSetPhase, "fields": []any{e.Text}})
		case build.LogLine:
			l.write(map[string]any{"action": "result", "id": id, "type": resultLogLine, "fields": []any{e.Text}})
		case build.Note:
			l.write(map[string]any{"action": jsonMessage, "level": levelInfo, "msg": e.Text})
		case build.Finished, build.Failed:
			l.write(map[string]any{"action": jsonStop, "id": id})
		}
		next(e)
	}
}
