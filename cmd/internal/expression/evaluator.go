// Package expression is what commands that evaluate have in common: their flags,
// the search path, the store that an evaluation reads or writes, and what is
// printed when it ends.
package expression

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/heap"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/realise"
	"gonix/cmd/internal/stores"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/binarycache"
	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/flake"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	nixpkgslite "gonix/nixpkgs-lite"
	"gonix/parser/source"
)

// Evaluator is what a command evaluates with.
type Evaluator struct {
	World    *process.World
	Flags    *Flags
	Settings *config.Settings
	store    instantiate.Store
	// physical is where the store keeps a file that is named by its logical
	// path; nil if there is no store.
	physical func(file string) string
	fetcher  instantiate.Fetcher // nil fetches nothing
	closures instantiate.Closures
	Trace    io.Writer // takes whole lines
	// alwaysSet says that the embedded package set is nixpkgs whatever NIX_PATH
	// says, if that names no other.
	AlwaysSet bool
	// derivation recognises an argument that is a derivation in the store; nil if
	// none may be.
	Derivation func(arg string) (Wish, bool, error)
	// realise makes what strings depend on valid before it is read.
	Realise func(elems []value.ContextElem) error

	Progress *terminal.Progress
	Maker    *realise.Maker // of the store that is written to; nil if it is only read
	imports  *importList
}

// Use lets the evaluation write to the store of m, and build there what it reads.
func (e *Evaluator) Use(ctx context.Context, m *realise.Maker, how realise.Manner) {
	e.Maker, e.store, e.physical = m, m.Store, m.Store.RealFile
	e.fetcher = network.Trees(e.World, e.Settings, m.Store)
	e.closures = &network.Closures{Caches: m.Caches, Store: func() (*store.Local, error) { return m.Store, nil }}
	e.Realise = func(elems []value.ContextElem) error {
		goals, err := realise.ImportGoals(e.Settings, elems)
		if err != nil || len(goals) == 0 {
			return err
		}
		return m.Realise(ctx, goals, how)
	}
}

// Open chooses the store: one that is written to, one that is only read, or
// none.
func (e *Evaluator) Open(ctx context.Context, writes bool) (shut func(), err error) {
	if word := stores.Word(e.World, e.Flags.Store); binarycache.IsURL(word) {
		return e.openCache(word, writes)
	}
	dummy := stores.Word(e.World, e.Flags.Store) == "dummy://"
	if !dummy && writes {
		m, err := realise.Open(e.World, e.Flags.Store, e.Settings, e.Progress)
		if err != nil {
			return nil, err
		}
		e.Use(ctx, m, realise.Manner{})
		realise := e.Realise
		e.Realise = func(elems []value.ContextElem) error {
			e.Progress.Run()
			defer e.Progress.Rest()
			return realise(elems)
		}
		return m.Close, nil
	}
	r := &readStore{w: e.World, set: e.Settings}
	if !dummy {
		// Without a place for a store there is none, which is no mistake here.
		if at, err := stores.Locate(e.World, e.Flags.Store); err == nil {
			if err := storepath.UseDir(at.Logical); err != nil {
				return nil, err
			}
			r.at = &at
			e.physical, e.fetcher = r.file, r
			e.closures = &network.Closures{
				Caches: &network.Caches{World: e.World, Settings: e.Settings, Progress: e.Progress},
				Store:  r.writable,
			}
		} else if e.Flags.Store != "" {
			return nil, err
		}
	}
	e.store = instantiate.ReadOnly(r)
	e.Realise = func(elems []value.ContextElem) error { return r.realise(ctx, elems) }
	return r.close, nil
}

// openCache makes a binary cache the store.
func (e *Evaluator) openCache(url string, writes bool) (shut func(), err error) {
	caches := &network.Caches{World: e.World, Settings: e.Settings, Progress: e.Progress}
	cache, err := caches.Store(url)
	if err != nil {
		return nil, err
	}
	if e.store = cache; !writes {
		e.store = instantiate.ReadOnly(cache)
	}
	e.Realise = func(elems []value.ContextElem) error {
		goals, err := realise.ImportGoals(e.Settings, elems)
		if err == nil && len(goals) > 0 {
			err = fmt.Errorf("cannot build '%s' during evaluation: nothing can be built in '%s'", goals[0].Drv, cache)
		}
		return err
	}
	return caches.Close, nil
}

// NewState returns the state of an evaluation that has not begun.
func (e *Evaluator) NewState(ctx context.Context) *eval.State {
	files := eval.Files{
		Mounts:   []eval.Mount{{Path: nixpkgslite.Mount, FS: nixpkgslite.FS}},
		Physical: e.physical,
	}
	var state *eval.State
	inst := instantiate.New(ctx, instantiate.Options{
		Store: e.store,
		Files: files,
		Realise: func(_ *value.Thread, _ source.Pos, c *value.Context) error {
			return e.Realise(c.Elems())
		},
		Fetcher:  e.fetcher,
		Closures: e.closures,
		Warn:     func(msg string) { fmt.Fprintf(e.Trace, "warning: %s\n", msg) },
		MayCopy:  func(file string) error { return state.MayCopy(file) },
		CheckURI: func(uri string) error { return state.CheckURI(uri) },
		Pure:     e.Settings.Pure,

		Flakes:          e.Settings.Feature("flakes"),
		FetchTree:       e.Settings.Feature("fetch-tree"),
		FetchClosure:    e.Settings.Feature("fetch-closure"),
		VerifiedFetches: e.Settings.Feature("verified-fetches"),

		DynamicDerivations: e.Settings.Feature("dynamic-derivations"),
		Feature:            e.Settings.Feature,
	})
	flakes := &flakeHost{inst: inst, warn: e.Trace, pure: e.Settings.Pure}
	system := e.Settings.System
	if e.Settings.EvalSystem != "" {
		system = e.Settings.EvalSystem
	}
	e.imports = e.openImportList()
	state = eval.New(eval.Options{
		Ahead:      e.imports.files(),
		SearchPath: e.SearchPath(),
		Files:      files,
		Home:       e.World.Home(),
		Cwd:        e.World.Cwd,
		System:     system,
		Now:        time.Now().Unix(),
		MaxDepth:   e.Settings.MaxCallDepth,
		MaxBytes:   heap.Limit(),
		Room:       heap.Room(),
		Trace:      e.Trace,
		Color:      e.World.Terminal,
		Settings: eval.Settings{
			Pure:         e.Settings.Pure,
			Restrict:     e.Settings.Restrict,
			TraceVerbose: e.Settings.TraceVerbose,
			AbortOnWarn:  e.Settings.AbortOnWarn,
			Lint:         e.Settings.Lint,

			PipeOperators:  e.Settings.Feature("pipe-operators"),
			TOMLTimestamps: e.Settings.Feature("parse-toml-timestamps"),
		},
		AllowedURIs: e.Settings.AllowedURIs,

		Env:        e.World.Getenv,
		Builtins:   append(inst.Builtins(), flake.Builtin(flakes)),
		Paths:      inst,
		Realise:    e.Realise,
		Download:   func(url string) (string, error) { return e.download(ctx, url) },
		Flake:      func(ref string) (string, error) { return flake.Fetch(flakes, ref) },
		References: func(storePath string) ([]string, error) { return references(ctx, e.store, storePath) },
	})
	flakes.State = state
	return state
}

// Finish ends an evaluation that went well.
func (e *Evaluator) Finish(s *eval.State) error {
	e.imports.keep(s)
	return e.ShowStatistics(s)
}

// download unpacks the archive at a URL of the search path or of the command
// line into the store.
func (e *Evaluator) download(ctx context.Context, url string) (string, error) {
	if e.fetcher == nil {
		return "", fmt.Errorf("cannot download '%s': this evaluation has no store to keep it in", url)
	}
	in, err := flakeref.Parser{}.InputFromAttrs(flakeref.Attrs{"type": flakeref.Text("tarball"), "url": flakeref.Text(url)})
	if err != nil {
		return "", err
	}
	t, err := e.fetcher.FetchTree(ctx, in)
	if err != nil {
		return "", err
	}
	return t.Path.String(), nil
}

// references lists what the object at storePath refers to; one that is not
// there refers to nothing.
func references(ctx context.Context, st store.Store, storePath string) ([]string, error) {
	path, err := storepath.Parse(storePath)
	if err != nil {
		return nil, err
	}
	info, err := st.Info(ctx, path)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	refs := make([]string, len(info.References))
	for i, r := range info.References {
		refs[i] = r.String()
	}
	return refs, nil
}

// Report shows a language error with its trace; other errors are for the
// caller.
func (e *Evaluator) Report(ctx context.Context, s *eval.State, err error) error {
	var language *value.Error
	var exit process.Exit
	if ctx.Err() != nil || errors.As(err, &exit) || !errors.As(err, &language) {
		return err
	}
	fmt.Fprintln(e.World.Stderr, s.RenderError(err, e.Settings.ShowTrace, e.World.Terminal))
	var mismatch *flakeref.MismatchError
	if errors.As(err, &mismatch) {
		return process.Exit(process.HashMismatch)
	}
	return process.ErrReported
}

// argument returns what a positional argument names, evaluated if it is a
// file.
func (e *Evaluator) argument(s *eval.State, arg string) (value.Value, error) {
	if e.Flags.Exprs {
		return s.Expression(arg, e.World.Cwd, "«string»")
	}
	if arg == "-" {
		text, err := io.ReadAll(e.World.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return s.EvalString(string(text), e.World.Cwd, "«stdin»")
	}
	file, err := s.Lookup(arg)
	if err != nil {
		return nil, err
	}
	return s.EvalFile(file)
}

// AutoArgs is the set that --arg and --argstr make.
func (e *Evaluator) AutoArgs(s *eval.State) (*value.Attrs, error) {
	b := value.NewBuilder(len(e.Flags.autoArgs))
	// Of several of the same name the last counts; a Builder keeps the first.
	for i := len(e.Flags.autoArgs) - 1; i >= 0; i-- {
		a := e.Flags.autoArgs[i]
		v, err := e.autoArg(s, a)
		if err != nil {
			return nil, err
		}
		b.Add(s.Symbols().Intern(a.name), source.NoPos, v)
	}
	return b.Finish(), nil
}

// autoArg is the value of an argument.
func (e *Evaluator) autoArg(s *eval.State, a autoArg) (value.Value, error) {
	switch a.kind {
	case argExpr:
		return s.Expression(a.text, e.World.Cwd, "«string»")
	case argFile:
		text, err := os.ReadFile(e.World.Abs(a.text))
		return value.NewString(string(text)), err
	case argStdin:
		text, err := io.ReadAll(e.World.Stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return value.NewString(string(text)), nil
	}
	return value.NewString(a.text), nil
}

// SearchPath is -I, then the setting nix-path, whose default is the embedded
// package set as nixpkgs, and which NIX_PATH replaces. Pure evaluation has no
// search path.
func (e *Evaluator) SearchPath() []eval.SearchEntry {
	if e.Settings.Pure {
		return nil
	}
	const (
		embedded = "nixpkgs=" + nixpkgslite.Mount
		overlays = "gonix=" + nixpkgslite.Mount + "/overlays"
	)
	nixPath, given := e.World.LookupEnv("NIX_PATH")
	path := slices.Concat(e.Flags.Include, e.Settings.SearchPath([]string{embedded}, nixPath, given))
	if e.AlwaysSet && !slices.Contains(path, embedded) {
		path = append(path, embedded)
	}
	if e.AlwaysSet {
		path = append(path, overlays)
	}
	out := make([]eval.SearchEntry, len(path))
	for i, text := range path {
		out[i] = searchEntry(text)
	}
	return out
}

func searchEntry(text string) eval.SearchEntry {
	if prefix, path, ok := strings.Cut(text, "="); ok {
		return eval.SearchEntry{Prefix: prefix, Path: path}
	}
	return eval.SearchEntry{Path: text}
}
