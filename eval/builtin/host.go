package builtin

import (
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// Host is what the builtins need of the world outside the language: files,
// other programs' text, the environment and the terminal. The evaluator's
// state implements it, and with it the rules of pure and restricted
// evaluation.
//
// Paths are absolute and canonical, and logical: below /nix/store they name
// store objects, wherever the store keeps them.
type Host interface {
	// Symbols is the table of the evaluation.
	Symbols() *symbol.Table

	// Import evaluates the file at path, or its default.nix if it is a
	// directory, once per file. For a store derivation it returns the set
	// that import gives for one (drvPath, name, outputs, …).
	Import(th *value.Thread, pos source.Pos, path value.Path) (value.Value, error)

	// ScopedImport evaluates the file with the attributes of scope as its
	// outermost variables, over those of the language. It is not cached.
	ScopedImport(th *value.Thread, pos source.Pos, scope *value.Attrs, path value.Path) (value.Value, error)

	// Realise makes the store objects that ctx names readable: it builds
	// derivations (import from derivation) and checks that plain store paths
	// are valid. A nil ctx needs nothing.
	Realise(th *value.Thread, pos source.Pos, ctx *value.Context) error

	// FindFile looks name up in entries as <name> does, first match wins. The
	// error is a value.Error of kind value.NotFoundError if no entry has it.
	FindFile(th *value.Thread, pos source.Pos, entries []SearchEntry, name string) (value.Path, error)

	// ReadFile returns a file's bytes, following symbolic links.
	ReadFile(path value.Path) ([]byte, error)

	// ReadDir lists a directory sorted by name, following a symbolic link to
	// it. Entry types are those of Lstat.
	ReadDir(path value.Path) ([]DirEntry, error)

	// Lstat returns what lies at path; symbolic links are followed in the
	// parents of the last component only. A missing file is an error for
	// which errors.Is(err, fs.ErrNotExist) holds.
	Lstat(path value.Path) (FileType, error)

	// Stat is Lstat that follows the last component too.
	Stat(path value.Path) (FileType, error)

	// StoreObject returns the store path that path is or lies below, and
	// whether there is one. It looks at the text alone.
	StoreObject(path string) (storePath string, ok bool)

	// References returns the store paths to which a valid store path refers,
	// sorted; none for one that is not valid.
	References(storePath string) ([]string, error)

	// Getenv reads the environment; "" in pure and restricted evaluation.
	Getenv(name string) string

	// Trace prints one message of builtins.trace.
	Trace(msg string)

	// TraceVerbose reports whether builtins.traceVerbose prints.
	TraceVerbose() bool

	// TOMLTimestamps reports whether builtins.fromTOML accepts dates and times.
	TOMLTimestamps() bool

	// Warn prints a message of builtins.warn. An error ends the evaluation
	// (abort-on-warn).
	Warn(msg string) error

	// Discourage prints a warning of a builtin about how it is used.
	Discourage(msg string)

	// SearchPath is the value of builtins.nixPath.
	SearchPath() []SearchEntry

	// System is builtins.currentSystem; "" leaves the attribute out (pure
	// evaluation).
	System() string

	// Now is builtins.currentTime in seconds since 1970; ok is false in pure
	// evaluation, which has no such attribute.
	Now() (seconds int64, ok bool)
}

// SearchEntry is one element of a search path: <prefix/rest> is rest below
// Path.
type SearchEntry struct {
	Prefix string // "" matches every name
	Path   string // a file name or a URL, as written
}

// FileType is what builtins.readFileType returns.
type FileType string

// The types of files.
const (
	Regular   FileType = "regular"
	Directory FileType = "directory"
	Symlink   FileType = "symlink"
	Unknown   FileType = "unknown"
)

// DirEntry is one entry of a directory.
type DirEntry struct {
	Name string
	Type FileType
}
