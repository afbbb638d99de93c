package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"gonix/derivation/storepath"
	"gonix/eval/builtin"
	"gonix/eval/render"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

var _ builtin.Host = (*State)(nil)

// Symbols implements [builtin.Host].
func (s *State) Symbols() *symbol.Table { return s.th.Symbols }

// Realise implements [builtin.Host].
func (s *State) Realise(_ *value.Thread, pos source.Pos, ctx *value.Context) error {
	elems := ctx.Elems()
	if len(elems) == 0 {
		return nil
	}
	if s.opt.Realise != nil {
		return s.opt.Realise(elems)
	}
	for _, e := range elems {
		if e.Kind == value.Built {
			return &value.Error{Kind: value.EvalError, Pos: pos, Recoverable: true, Msg: fmt.Sprintf(
				"cannot build '%s^%s' during evaluation because the option 'allow-import-from-derivation' is disabled", e.Path, e.Output)}
		}
	}
	return nil
}

// ReadFile implements [builtin.Host].
func (s *State) ReadFile(p value.Path) ([]byte, error) {
	if err := s.mayRead(string(p), true); err != nil {
		return nil, err
	}
	return s.files.ReadFile(string(p))
}

// ReadDir implements [builtin.Host].
func (s *State) ReadDir(p value.Path) ([]builtin.DirEntry, error) {
	if err := s.mayRead(string(p), true); err != nil {
		return nil, err
	}
	real, err := s.files.Resolve(string(p), true)
	if err != nil {
		return nil, err
	}
	entries, err := s.files.Entries(real)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("'%s' is not a directory", real) // as Nix does after 2.34
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read directory \"%s\": %w", real, systemError{err})
	}
	out := make([]builtin.DirEntry, 0, len(entries))
	for _, e := range entries {
		// Of a directory above what may be read only the way there is seen.
		if s.guarded() && s.access(path.Join(real, e.Name())) == noAccess {
			continue
		}
		out = append(out, builtin.DirEntry{Name: e.Name(), Type: fileType(e.Type())})
	}
	return out, nil
}

// systemError shows the operating system's reason alone, spelt as in C.
type systemError struct{ err error }

func (e systemError) Error() string {
	no, ok := errors.AsType[syscall.Errno](e.err)
	if !ok {
		return e.err.Error()
	}
	text := no.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

func (e systemError) Unwrap() error { return e.err }

// Lstat implements [builtin.Host].
func (s *State) Lstat(p value.Path) (builtin.FileType, error) { return s.stat(string(p), false) }

// Stat implements [builtin.Host].
func (s *State) Stat(p value.Path) (builtin.FileType, error) { return s.stat(string(p), true) }

func (s *State) stat(p string, follow bool) (builtin.FileType, error) {
	if err := s.mayRead(p, follow); err != nil {
		return "", err
	}
	real, err := s.files.Resolve(p, follow)
	if err != nil {
		return "", err
	}
	info, err := s.files.Lstat(real)
	if err != nil {
		return "", err
	}
	return fileType(info.Mode().Type()), nil
}

func fileType(m fs.FileMode) builtin.FileType {
	switch m {
	case 0:
		return builtin.Regular
	case fs.ModeDir:
		return builtin.Directory
	case fs.ModeSymlink:
		return builtin.Symlink
	}
	return builtin.Unknown
}

// StoreObject implements [builtin.Host].
func (s *State) StoreObject(p string) (string, bool) {
	if !strings.HasPrefix(p, storepath.Dir+"/") {
		return "", false
	}
	object, _, err := storepath.Split(p)
	if err != nil {
		return "", false
	}
	return object.String(), true
}

// References implements [builtin.Host].
func (s *State) References(storePath string) ([]string, error) {
	if s.opt.References == nil {
		return nil, nil
	}
	return s.opt.References(storePath)
}

// Getenv implements [builtin.Host].
func (s *State) Getenv(name string) string {
	if s.opt.Env == nil || s.opt.Settings.Pure || s.opt.Settings.Restrict {
		return ""
	}
	return s.opt.Env(name)
}

// show writes a message of the expression.
func (s *State) show(msg string) { fmt.Fprintln(s.opt.Trace, render.Terminal(msg, s.opt.Color)) }

// Trace implements [builtin.Host].
func (s *State) Trace(msg string) { s.show("trace: " + msg) }

// TraceVerbose implements [builtin.Host].
func (s *State) TraceVerbose() bool { return s.opt.Settings.TraceVerbose }

// TOMLTimestamps implements [builtin.Host].
func (s *State) TOMLTimestamps() bool { return s.opt.Settings.TOMLTimestamps }

// Warn implements [builtin.Host].
func (s *State) Warn(msg string) error {
	const prefix = "evaluation warning: "
	if msg != "" { // Nix then writes an empty line
		msg = indent(prefix, strings.Repeat(" ", len(prefix)), msg)
	}
	s.show(msg)
	if s.opt.Settings.AbortOnWarn {
		return &value.Error{Kind: value.Abort, Msg: "aborting to reveal stack trace of warning, as abort-on-warn is set"}
	}
	return nil
}

// Discourage implements [builtin.Host].
func (s *State) Discourage(msg string) { s.show("warning: " + msg) }

// SearchPath implements [builtin.Host].
func (s *State) SearchPath() []builtin.SearchEntry { return s.opt.SearchPath }

// System implements [builtin.Host].
func (s *State) System() string {
	if s.opt.Settings.Pure {
		return ""
	}
	return s.opt.System
}

// Now implements [builtin.Host].
func (s *State) Now() (int64, bool) { return s.opt.Now, s.opt.Now != 0 && !s.opt.Settings.Pure }
