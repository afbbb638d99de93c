package eval

import (
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"gonix/eval/builtin"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// SearchEntry is one element of the search path: <prefix/rest> is rest below
// Path, which is a directory or a URL. An empty Prefix matches every name.
type SearchEntry = builtin.SearchEntry

// Options is what evaluation works with. The zero value evaluates expressions
// that need nothing of the world but this machine's files.
type Options struct {
	SearchPath []SearchEntry
	Files      Files
	Home       string       // what ~ stands for
	Cwd        string       // absolute; what relative entries of the search path are relative to
	System     string       // builtins.currentSystem
	Now        int64        // builtins.currentTime; 0 leaves it out
	MaxDepth   int          // of calls; 0 means value.DefaultMaxDepth
	MaxBytes   int64        // of a single list or string; 0 is no bound
	Room       func() int64 // bytes of memory left; nil is no bound
	Trace      io.Writer
	Color      bool // text on Trace may keep its colours
	Settings   Settings

	// Env reads the environment, for builtins.getEnv; nil knows no variable.
	Env func(name string) string
	// Builtins are functions in addition to those of package builtin.
	Builtins []*value.Builtin
	// Paths copies files to the store; nil refuses.
	Paths value.Paths
	// Realise builds what a string depends on before it is read (import from
	// derivation); nil refuses to build.
	Realise func(elems []value.ContextElem) error
	// References returns the store paths to which a store path refers; nil knows
	// none.
	References func(storePath string) ([]string, error)
	// Download unpacks the archive at a URL of the search path and returns its
	// place; nil refuses.
	Download func(url string) (string, error)
	// Flake fetches the tree that a flake reference names, for flake:REF in the
	// search path, and returns its place; nil refuses.
	Flake func(ref string) (string, error)
	// Ahead are files that the evaluation is likely to import, in order: they are
	// parsed on another processor.
	Ahead []string
	// Allowed are the absolute paths that restricted and pure evaluation may
	// read, with what is below them; restricted evaluation may also read the
	// search path, and both may read mounts.
	Allowed []string
	// AllowedURIs are prefixes of the addresses that restricted evaluation may
	// fetch (Nix: allowed-uris).
	AllowedURIs []string
}

// Settings are those of Nix that change what an expression means or may do.
type Settings struct {
	Pure         bool // pure-eval
	Restrict     bool // restrict-eval
	TraceVerbose bool // trace-verbose
	AbortOnWarn  bool // abort-on-warn
	Lint         Lint

	// What Nix calls experimental.
	PipeOperators  bool // pipe-operators
	TOMLTimestamps bool // parse-toml-timestamps
}

// State is one evaluation: what it has loaded and imported so far.
type State struct {
	ahead     map[string]*ahead
	queue     []*ahead // those that the evaluation did not come to, in order
	stopAhead atomic.Bool
	worker    sync.WaitGroup // parses ahead

	opt     Options
	files   Files
	th      *value.Thread
	globals map[string]value.Value
	root    *value.Attrs // builtins

	resolved map[string]string // imported paths, links followed and default.nix added
	imports  map[string]value.Value
	imported []string          // the keys of imports, in order
	entries  map[string]string // places of search path entries, "" if they have none
	fromDrv  value.Value       // the function that makes a package of an imported derivation
}

// New returns a State that has evaluated nothing yet.
func New(opt Options) *State {
	if opt.Trace == nil {
		opt.Trace = io.Discard
	}
	if opt.MaxDepth == 0 {
		opt.MaxDepth = value.DefaultMaxDepth
	}
	if opt.Cwd == "" {
		opt.Cwd = "/"
	}
	s := &State{
		opt:   opt,
		files: opt.Files,
		th: &value.Thread{
			Symbols:  symbol.NewTable(),
			Sources:  source.NewSet(),
			Paths:    opt.Paths,
			MaxDepth: opt.MaxDepth,
			MaxBytes: opt.MaxBytes,
			Room:     opt.Room,
		},
		resolved: map[string]string{},
		imports:  map[string]value.Value{},
		entries:  map[string]string{},
	}
	s.files.dirs = map[string]struct{}{}
	s.defineGlobals()
	s.parseAhead(opt.Ahead)
	return s
}

// Thread returns the thread on which everything of s is evaluated.
func (s *State) Thread() *value.Thread { return s.th }

// Files returns the files that expressions see.
func (s *State) Files() Files { return s.files }

// Builtins returns the set builtins.
func (s *State) Builtins() *value.Attrs { return s.root }

// Stats returns the counters of the evaluation so far.
func (s *State) Stats() value.Stats { return s.th.Stats }

// defineGlobals makes the set builtins and the outermost variables.
func (s *State) defineGlobals() {
	plain := builtin.GlobalNames()
	s.globals = map[string]value.Value{}
	all := value.NewBuilder(160)
	add := func(name string, v value.Value) {
		all.Add(s.th.Symbols.Intern(name), source.NoPos, v)
		if !plain[name] {
			name = "__" + name
		}
		s.globals[name] = v
	}
	for _, b := range builtin.Table(s) {
		add(b.Name, b)
	}
	for _, b := range s.opt.Builtins {
		add(b.Name, b)
	}
	constants := builtin.Constants(s)
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		add(name, constants[name])
	}
	add("derivation", s.th.Lazy(source.NoPos, func(*value.Thread) (value.Value, error) {
		return s.evalText(derivationFile, derivationText())
	}))
	// The set holds itself.
	self := s.th.Lazy(source.NoPos, func(*value.Thread) (value.Value, error) { return s.root, nil })
	all.Add(s.th.Symbols.Intern("builtins"), source.NoPos, self)
	s.root = all.Finish()
	s.globals["builtins"] = s.root
}
