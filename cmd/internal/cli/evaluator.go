package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/flake"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	"gonix/nixpkgs-lite"
	"gonix/parser/source"
)

// builtinSet is where the embedded package set seems to lie: messages and
// builtins.toString show it.
const builtinSet = "/gonix/nixpkgs-lite"

// evaluator is what a command evaluates with.
type evaluator struct {
	w     *world
	flags *evalFlags
	set   *settings
	store instantiate.Store
	// physical is where the store keeps a file that is named by its logical
	// path; nil if there is no store.
	physical func(file string) string
	fetcher  instantiate.Fetcher // nil fetches nothing
	trace    io.Writer           // takes whole lines
	// alwaysSet says that the embedded package set is nixpkgs whatever NIX_PATH
	// says, if that names no other.
	alwaysSet bool
	// derivation recognises an argument that is a derivation in the store; nil if
	// none may be.
	derivation func(arg string) (wish, bool, error)
	// realise makes what strings depend on valid before it is read.
	realise func(elems []value.ContextElem) error

	progress *progress
	maker    *maker // of the store that is written to; nil if it is only read
	imports  *importList
}

// use lets the evaluation write to the store of m, and build there what it reads.
func (e *evaluator) use(ctx context.Context, m *maker, how manner) {
	e.maker, e.store, e.physical = m, m.st, m.st.RealFile
	e.fetcher = treeFetcher(e.w, e.set, m.st)
	e.realise = func(elems []value.ContextElem) error {
		goals, err := importGoals(e.set, elems)
		if err != nil || len(goals) == 0 {
			return err
		}
		return m.realise(ctx, goals, how)
	}
}

// open chooses the store: one that is written to, one that is only read, or
// none.
func (e *evaluator) open(ctx context.Context, writes bool) (shut func(), err error) {
	dummy := storeWord(e.w, e.flags.store) == "dummy://"
	if !dummy && writes {
		m, err := openMaker(e.w, e.flags.store, e.set, e.progress)
		if err != nil {
			return nil, err
		}
		e.use(ctx, m, manner{})
		realise := e.realise
		e.realise = func(elems []value.ContextElem) error {
			e.progress.run()
			defer e.progress.rest()
			return realise(elems)
		}
		return m.close, nil
	}
	r := &readStore{w: e.w, set: e.set}
	if !dummy {
		// Without a place for a store there is none, which is no mistake here.
		if at, err := storePlace(e.w, e.flags.store); err == nil {
			if err := storepath.UseDir(at.logical); err != nil {
				return nil, err
			}
			r.at = &at
			e.physical, e.fetcher = r.file, r
		} else if e.flags.store != "" {
			return nil, err
		}
	}
	e.store = instantiate.ReadOnly(r)
	e.realise = func(elems []value.ContextElem) error { return r.realise(ctx, elems) }
	return r.close, nil
}

// newState returns the state of an evaluation that has not begun.
func (e *evaluator) newState(ctx context.Context) *eval.State {
	files := eval.Files{
		Mounts:   []eval.Mount{{Path: builtinSet, FS: nixpkgslite.FS}},
		Physical: e.physical,
	}
	var state *eval.State
	inst := instantiate.New(ctx, instantiate.Options{
		Store: e.store,
		Files: files,
		Realise: func(_ *value.Thread, _ source.Pos, c *value.Context) error {
			return e.realise(c.Elems())
		},
		Fetcher:  e.fetcher,
		Warn:     func(msg string) { fmt.Fprintf(e.trace, "warning: %s\n", msg) },
		MayCopy:  func(file string) error { return state.MayCopy(file) },
		CheckURI: func(uri string) error { return state.CheckURI(uri) },
		Pure:     e.set.Pure,

		Flakes:          e.set.feature("flakes"),
		FetchTree:       e.set.feature("fetch-tree"),
		VerifiedFetches: e.set.feature("verified-fetches"),

		DynamicDerivations: e.set.feature("dynamic-derivations"),
	})
	flakes := &flakeHost{inst: inst, warn: e.trace, pure: e.set.Pure}
	system := e.set.System
	if e.set.EvalSystem != "" {
		system = e.set.EvalSystem
	}
	e.imports = e.openImportList()
	state = eval.New(eval.Options{
		Ahead:      e.imports.files(),
		SearchPath: e.searchPath(),
		Files:      files,
		Home:       e.w.getenv("HOME"),
		Cwd:        e.w.cwd,
		System:     system,
		Now:        time.Now().Unix(),
		MaxDepth:   e.set.MaxCallDepth,
		Trace:      e.trace,
		Color:      e.w.terminal,
		Settings: eval.Settings{
			Pure:         e.set.Pure,
			Restrict:     e.set.Restrict,
			TraceVerbose: e.set.TraceVerbose,
			AbortOnWarn:  e.set.AbortOnWarn,
			Lint:         e.set.Lint,

			PipeOperators:  e.set.feature("pipe-operators"),
			TOMLTimestamps: e.set.feature("parse-toml-timestamps"),
		},
		AllowedURIs: e.set.AllowedURIs,

		Env:        e.w.getenv,
		Builtins:   append(inst.Builtins(), flake.Builtin(flakes)),
		Paths:      inst,
		Realise:    e.realise,
		Download:   func(url string) (string, error) { return e.download(ctx, url) },
		References: func(storePath string) ([]string, error) { return references(ctx, e.store, storePath) },
	})
	flakes.State = state
	return state
}

// finish ends an evaluation that went well.
func (e *evaluator) finish(s *eval.State) error {
	e.imports.keep(s)
	return e.showStatistics(s)
}

// download unpacks the archive at a URL of the search path or of the command
// line into the store.
func (e *evaluator) download(ctx context.Context, url string) (string, error) {
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

// report shows a language error with its trace; other errors are for the
// caller.
func (e *evaluator) report(ctx context.Context, s *eval.State, err error) error {
	var language *value.Error
	var exit exitError
	if ctx.Err() != nil || errors.As(err, &exit) || !errors.As(err, &language) {
		return err
	}
	fmt.Fprintln(e.w.stderr, s.RenderError(err, e.set.ShowTrace, e.w.terminal))
	var mismatch *flakeref.MismatchError
	if errors.As(err, &mismatch) {
		return exitError{hashMismatch}
	}
	return errReported
}

// argument returns what a positional argument names, evaluated if it is a
// file.
func (e *evaluator) argument(s *eval.State, arg string) (value.Value, error) {
	if e.flags.exprs {
		return s.Expression(arg, e.w.cwd, "«string»")
	}
	if arg == "-" {
		text, err := io.ReadAll(e.w.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return s.EvalString(string(text), e.w.cwd, "«stdin»")
	}
	file, err := s.Lookup(arg)
	if err != nil {
		return nil, err
	}
	return s.EvalFile(file)
}

// autoArgs is the set that --arg and --argstr make.
func (e *evaluator) autoArgs(s *eval.State) (*value.Attrs, error) {
	b := value.NewBuilder(len(e.flags.autoArgs))
	// Of several of the same name the last counts; a Builder keeps the first.
	for i := len(e.flags.autoArgs) - 1; i >= 0; i-- {
		a := e.flags.autoArgs[i]
		var v value.Value = value.NewString(a.text)
		if a.isExpr {
			var err error
			if v, err = s.Expression(a.text, e.w.cwd, "«string»"); err != nil {
				return nil, err
			}
		}
		b.Add(s.Symbols().Intern(a.name), source.NoPos, v)
	}
	return b.Finish(), nil
}

// searchPath is -I, then the setting nix-path, whose default is the embedded
// package set as nixpkgs, and which NIX_PATH replaces. Pure evaluation has no
// search path.
func (e *evaluator) searchPath() []eval.SearchEntry {
	if e.set.Pure {
		return nil
	}
	const (
		embedded = "nixpkgs=" + builtinSet
		overlays = "gonix=" + builtinSet + "/overlays"
	)
	nixPath, given := e.w.lookupEnv("NIX_PATH")
	path := slices.Concat(e.flags.include, e.set.nixPath([]string{embedded}, nixPath, given))
	if e.alwaysSet && !slices.Contains(path, embedded) {
		path = append(path, embedded)
	}
	if e.alwaysSet {
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

// splitNixPath splits at colons that do not belong to a URL, as Nix does
// (EvalSettings::parseNixPath).
func splitNixPath(s string) []string {
	var out []string
	for s != "" {
		i := 0
		for i < len(s) && (s[i] != ':' || strings.HasPrefix(s[i:], "://") || isChannel(s[:i])) {
			i++
		}
		if s[:i] != "" {
			out = append(out, s[:i])
		}
		s = strings.TrimPrefix(s[i:], ":")
	}
	return out
}

func isChannel(before string) bool {
	return before == "channel" || before == "flake" || strings.HasSuffix(before, "=channel") || strings.HasSuffix(before, "=flake")
}
