package config

import (
	"fmt"

	"github.com/spf13/pflag"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
)

// logFormat is how standard error shows what goes on.
type logFormat struct {
	bar  bool // redrawn on a terminal, and logs with the names of the builds
	logs bool // those of builds, as they are written
	json bool
}

// logFormats are those of --log-format. (Nix: parseLogFormat)
var logFormats = map[string]logFormat{
	"raw":           {},
	"raw-with-logs": {logs: true},
	"bar":           {bar: true},
	"bar-with-logs": {bar: true, logs: true},
	"internal-json": {json: true},
}

func (f *Flags) declareLogFormat(fs *pflag.FlagSet) {
	fs.StringVar(&f.logFormat, "log-format", "", "`format` of what is shown: raw, raw-with-logs, bar, bar-with-logs or internal-json")
}

// beginLog makes standard error what --log-format says.
func (f *Flags) beginLog(w *process.World) error {
	if f.logFormat == "" {
		return nil
	}
	format, ok := logFormats[f.logFormat]
	if !ok {
		return fmt.Errorf("option 'log-format' has an invalid value '%s'", f.logFormat)
	}
	f.Logs = f.Logs || format.logs
	if format.json {
		log := terminal.NewJSONLog(w.Stderr, f.Verbose)
		f.jsonLogs = append(f.jsonLogs, log)
		w.Stderr, w.Terminal = log, false
	}
	return nil
}

// openLog opens the file that json-log-path names.
func (f *Flags) openLog(w *process.World, s *Settings) error {
	if s.JSONLogPath == "" {
		return nil
	}
	log, err := terminal.OpenJSONLog(w.Abs(s.JSONLogPath))
	if err == nil {
		f.jsonLogs = append(f.jsonLogs, log)
	}
	return err
}

// Redraws reports whether what goes on is redrawn in place.
func (f *Flags) Redraws(w *process.World) bool {
	return w.Terminal && !f.Quiet && (f.logFormat == "" || logFormats[f.logFormat].bar)
}

// Progress shows what goes on as the flags say.
func (f *Flags) Progress(w *process.World) *terminal.Progress {
	format := logFormats[f.logFormat]
	p := terminal.New(w.Stderr, f.Redraws(w), w.Width)
	p.Quiet = f.Quiet || format.json
	p.Logs = !f.NoLog && !p.Quiet && (f.Verbose > 0 || f.Logs || f.logFormat == "" && !w.Terminal)
	p.Raw = process.IsOldName(w.Called)
	if f.logFormat != "" {
		p.Raw = !format.bar
	}
	p.Also = f.jsonLogs
	return p
}
