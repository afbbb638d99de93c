package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	"gonix/nixpkgs-lite"
	"gonix/parser/source"
)

// builtinSet is where the embedded package set seems to lie: messages and
// builtins.toString show it.
const builtinSet = "/gonix/nixpkgs-lite"

// evaluate finds the derivations that the command line asks for. Language
// errors are shown here, with their traces.
func evaluate(ctx context.Context, w *world, f *buildFlags, set *settings, st *store.Local, p *progress) ([]wish, error) {
	files := eval.Files{
		Mounts:   []eval.Mount{{Path: builtinSet, FS: nixpkgslite.FS}},
		Physical: st.RealFile,
	}
	var state *eval.State
	realiseFor := func(elems []value.ContextElem) error {
		goals, err := contextGoals(elems)
		if err != nil || len(goals) == 0 {
			return err
		}
		return realise(ctx, w, f, set, st, p, goals, false)
	}
	inst := instantiate.New(ctx, instantiate.Options{
		Store: st,
		Files: files,
		Realise: func(th *value.Thread, pos source.Pos, c *value.Context) error {
			return realiseFor(c.Elems())
		},
		Fetcher: fetcher{downloader(w, set, st), st},
		Warn:    func(msg string) { p.printf("warning: %s", msg) },
	})
	state = eval.New(eval.Options{
		SearchPath: searchPath(w, f),
		Files:      files,
		Home:       w.getenv("HOME"),
		Cwd:        w.cwd,
		System:     set.System,
		Now:        time.Now().Unix(),
		MaxDepth:   set.MaxCallDepth,
		Trace:      progressWriter{p},
		Env:        w.getenv,
		Builtins:   inst.Builtins(),
		Paths:      inst,
		Realise:    realiseFor,
		References: func(storePath string) ([]string, error) {
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
			var refs []string
			for _, r := range info.References {
				refs = append(refs, r.String())
			}
			return refs, nil
		},
	})
	wishes, err := findWishes(state, w, f)
	var language *value.Error
	var exit exitError
	switch {
	case err == nil:
		if len(wishes) == 0 {
			w.warn("the expression holds no derivation, so there is nothing to build")
		}
		return wishes, nil
	case errors.As(err, &exit), ctx.Err() != nil:
		return nil, err
	case errors.As(err, &language):
		p.close()
		fmt.Fprintln(w.stderr, state.RenderError(err, set.ShowTrace, w.terminal))
		return nil, errReported
	}
	return nil, err
}

// findWishes evaluates each file or expression and each attribute of it.
func findWishes(s *eval.State, w *world, f *buildFlags) ([]wish, error) {
	args, err := autoArgs(s, w, f)
	if err != nil {
		return nil, err
	}
	attrs := f.attrs
	if len(attrs) == 0 {
		attrs = []string{""}
	}
	names := f.files
	if len(names) == 0 {
		names = defaultFiles(w)
	}
	var wishes []wish
	for _, name := range names {
		var v value.Value
		if f.exprs {
			v, err = s.Expression(name, w.cwd, "«string»")
		} else {
			var file string
			if file, err = s.Lookup(name); err == nil {
				v, err = s.EvalFile(file)
			}
		}
		if err != nil {
			return nil, fileError(err, f)
		}
		for _, attr := range attrs {
			sel, _, err := s.Attr(args, attr, v)
			if err != nil {
				return nil, err
			}
			packages, err := s.Packages(args, sel)
			if err != nil {
				return nil, err
			}
			for _, pkg := range packages {
				x, err := wishOf(pkg)
				if err != nil {
					return nil, err
				}
				wishes = append(wishes, x)
			}
		}
	}
	return wishes, nil
}

// fileError says what to do where no file was named and none is there.
func fileError(err error, f *buildFlags) error {
	if len(f.files) == 0 && errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no default.nix here; name a file, or an expression with -E")
	}
	return err
}

func wishOf(pkg eval.Package) (wish, error) {
	drv, err := pkg.DrvPath()
	if err != nil {
		return wish{}, err
	}
	output, err := pkg.OutputName()
	if err != nil {
		return wish{}, err
	}
	if output == "" {
		return wish{}, fmt.Errorf("derivation '%s' lacks an 'outputName' attribute", drv)
	}
	return wish{drv, output}, nil
}

// autoArgs is the set that --arg and --argstr make.
func autoArgs(s *eval.State, w *world, f *buildFlags) (*value.Attrs, error) {
	b := value.NewBuilder(len(f.autoArgs))
	// Of several of the same name the last counts; a Builder keeps the first.
	for i := len(f.autoArgs) - 1; i >= 0; i-- {
		a := f.autoArgs[i]
		var v value.Value = value.NewString(a.text)
		if a.isExpr {
			var err error
			if v, err = s.Expression(a.text, w.cwd, "«string»"); err != nil {
				return nil, err
			}
		}
		b.Add(s.Symbols().Intern(a.name), source.NoPos, v)
	}
	return b.Finish(), nil
}

// searchPath is -I, then NIX_PATH, then the embedded package set as nixpkgs.
func searchPath(w *world, f *buildFlags) []eval.SearchEntry {
	var out []eval.SearchEntry
	for _, text := range f.include {
		out = append(out, searchEntry(text))
	}
	for _, text := range splitNixPath(w.getenv("NIX_PATH")) {
		out = append(out, searchEntry(text))
	}
	return append(out, eval.SearchEntry{Prefix: "nixpkgs", Path: builtinSet})
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

// contextGoals says what must be built before a string with this context can
// be read.
func contextGoals(elems []value.ContextElem) ([]build.Goal, error) {
	var goals []build.Goal
	for _, e := range elems {
		if e.Kind != value.Built {
			continue
		}
		drv, err := storepath.Parse(e.Path)
		if err != nil {
			return nil, err
		}
		goals = append(goals, build.Goal{Drv: drv, Outputs: []string{e.Output}})
	}
	return goals, nil
}

// progressWriter prints what an evaluation traces above the running lines.
type progressWriter struct{ p *progress }

func (w progressWriter) Write(b []byte) (int, error) {
	w.p.printf("%s", b)
	return len(b), nil
}
