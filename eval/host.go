package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"gonix/derivation/storepath"
	"gonix/eval/builtin"
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
	if err := s.mayRead(string(p)); err != nil {
		return nil, err
	}
	return s.files.ReadFile(string(p))
}

// ReadDir implements [builtin.Host].
func (s *State) ReadDir(p value.Path) ([]builtin.DirEntry, error) {
	if err := s.mayRead(string(p)); err != nil {
		return nil, err
	}
	real, err := s.files.Resolve(string(p), true)
	if err != nil {
		return nil, err
	}
	entries, err := s.files.Entries(real)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("'%s' is not a directory", real)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read directory \"%s\": %w", real, systemError{err})
	}
	out := make([]builtin.DirEntry, len(entries))
	for i, e := range entries {
		out[i] = builtin.DirEntry{Name: e.Name(), Type: fileType(e.Type())}
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
	if err := s.mayRead(p); err != nil {
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

// mayRead is the rule of restricted and pure evaluation. Store objects, which
// cannot change, may be read by either.
func (s *State) mayRead(p string) error {
	set := s.opt.Settings
	if !set.Pure && !set.Restrict {
		return nil
	}
	if m, _ := s.files.mount(p); m != nil || s.files.aboveMount(p) && p != "/" || strings.HasPrefix(p, storeDir+"/") {
		return nil
	}
	below := func(dir string) bool {
		return dir != "" && (p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/"))
	}
	if slices.ContainsFunc(s.opt.Allowed, below) {
		return nil
	}
	if !set.Pure {
		for _, e := range s.opt.SearchPath {
			if below(s.entryPath(e.Path)) {
				return nil
			}
		}
	}
	mode, hint := "restricted mode", ""
	if set.Pure {
		mode, hint = "pure evaluation mode", " (use '--impure' to override)"
	}
	return &value.Error{Kind: value.Restricted, Msg: fmt.Sprintf("access to absolute path '%s' is forbidden in %s%s", p, mode, hint)}
}

// StoreObject implements [builtin.Host].
func (s *State) StoreObject(p string) (string, bool) {
	if !strings.HasPrefix(p, storeDir+"/") {
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

// Trace implements [builtin.Host].
func (s *State) Trace(msg string) { fmt.Fprintf(s.opt.Trace, "trace: %s\n", msg) }

// TraceVerbose implements [builtin.Host].
func (s *State) TraceVerbose() bool { return s.opt.Settings.TraceVerbose }

// TOMLTimestamps implements [builtin.Host].
func (s *State) TOMLTimestamps() bool { return s.opt.Settings.TOMLTimestamps }

// Warn implements [builtin.Host].
func (s *State) Warn(msg string) error {
	fmt.Fprintf(s.opt.Trace, "evaluation warning: %s\n", msg)
	if s.opt.Settings.AbortOnWarn {
		return &value.Error{Kind: value.Abort, Msg: "aborting to reveal stack trace of warning, as abort-on-warn is set"}
	}
	return nil
}

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
