package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store/registration"
	"gonix/derivation/storepath"
)

// Env is what the process of a builder is started with.
type Env struct {
	Builder string
	Args    []string
	Vars    map[string]string
}

// List returns the variables as NAME=VALUE, sorted.
func (e *Env) List() []string {
	list := make([]string, 0, len(e.Vars))
	for _, name := range slices.Sorted(maps.Keys(e.Vars)) {
		list = append(list, name+"="+e.Vars[name])
	}
	return list
}

// tmpVars all name the build directory.
var tmpVars = []string{"NIX_BUILD_TOP", "TMPDIR", "TEMPDIR", "TMP", "TEMP", "PWD"}

// Environment prepares the job for a process that sees job.TmpDir as dir: it
// puts the files there that the derivation asks for (passAsFile, structured
// attributes, exportReferencesGraph), and returns what to run with which
// variables (Nix: LocalDerivationGoal, initEnv and initTmpDir).
func Environment(ctx context.Context, job *Job, dir string) (*Env, error) {
	drv := job.Drv
	e := &Env{Builder: drv.Builder, Args: slices.Clone(drv.Args), Vars: map[string]string{
		"PATH":            "/path-not-set",
		"HOME":            "/homeless-shelter",
		"NIX_STORE":       storepath.Dir,
		"NIX_BUILD_CORES": strconv.Itoa(job.Cores),
	}}
	placeholders := job.placeholders()
	if text, ok := drv.Structured(); ok {
		if err := structured(ctx, job, dir, text, placeholders, e); err != nil {
			return nil, err
		}
	} else {
		if err := plain(job, dir, placeholders, e); err != nil {
			return nil, err
		}
		if err := exportGraphs(ctx, job); err != nil {
			return nil, err
		}
	}
	for _, name := range tmpVars {
		e.Vars[name] = dir
	}
	if drv.IsFixedOutput() {
		// Builders may leave the comparison of hashes to us.
		e.Vars["NIX_OUTPUT_CHECKED"] = "1"
		impure, _ := job.Attr("impureEnvVars")
		for _, name := range strings.Fields(impure) {
			value, ok := job.LookupEnv(name)
			if !ok {
				value = ""
			}
			e.Vars[name] = value
		}
	}
	e.Vars["NIX_LOG_FD"] = "2"
	e.Vars["TERM"] = "xterm-256color"
	e.Builder = placeholders.Replace(e.Builder)
	for i, a := range e.Args {
		e.Args[i] = placeholders.Replace(a)
	}
	return e, nil
}

// placeholders replaces what stands for the derivation's own output paths.
func (job *Job) placeholders() *strings.Replacer {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(job.Outputs)) {
		pairs = append(pairs, derivation.Placeholder(name), job.Outputs[name].String())
	}
	return strings.NewReplacer(pairs...)
}

// plain passes attributes as variables, or as files where passAsFile says so.
func plain(job *Job, dir string, placeholders *strings.Replacer, e *Env) error {
	asFile := map[string]bool{}
	for _, name := range strings.Fields(job.Drv.Env["passAsFile"]) {
		asFile[name] = true
	}
	for name, value := range job.Drv.Env {
		value = placeholders.Replace(value)
		if !asFile[name] {
			e.Vars[name] = value
			continue
		}
		file := ".attr-" + nixhash.Sum(nixhash.SHA256, []byte(name)).Base32()
		if err := os.WriteFile(filepath.Join(job.TmpDir, file), []byte(value), 0o644); err != nil {
			return fmt.Errorf("pass attribute '%s' as a file: %w", name, err)
		}
		e.Vars[name+"Path"] = dir + "/" + file
	}
	return nil
}

var graphFile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
})

// exportGraphs writes the files that exportReferencesGraph asks for: a list of
// file names and store paths in turn.
func exportGraphs(ctx context.Context, job *Job) error {
	spec := job.Drv.Env["exportReferencesGraph"]
	words := strings.Fields(spec)
	if len(words)%2 != 0 {
		return fmt.Errorf("odd number of tokens in 'exportReferencesGraph': '%s'", spec)
	}
	for pair := range slices.Chunk(words, 2) {
		name, file := pair[0], pair[1]
		if !graphFile().MatchString(name) {
			return fmt.Errorf("invalid file name '%s' in 'exportReferencesGraph'", name)
		}
		root, _, err := storepath.Split(file)
		if err != nil {
			return fmt.Errorf("'exportReferencesGraph' contains a non-store path '%s'", file)
		}
		closure, err := job.graph(ctx, []storepath.Path{root})
		if err != nil {
			return err
		}
		text, err := job.registration(ctx, closure)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(job.TmpDir, name), text, 0o644); err != nil {
			return fmt.Errorf("export a references graph: %w", err)
		}
	}
	return nil
}

// graph returns the closure of inputs, and of the outputs of derivations in it,
// sorted (Nix: Store::exportReferences).
func (job *Job) graph(ctx context.Context, roots []storepath.Path) ([]storepath.Path, error) {
	for _, p := range roots {
		if _, ok := slices.BinarySearchFunc(job.Inputs, p, storepath.Compare); !ok {
			return nil, fmt.Errorf("cannot export references of path '%s' because it is not in the input closure of the derivation", p)
		}
	}
	closure, err := job.Store.Closure(ctx, roots...)
	if err != nil {
		return nil, fmt.Errorf("export a references graph: %w", err)
	}
	more := slices.Clone(closure)
	for _, p := range closure {
		if !p.IsDerivation() {
			continue
		}
		drv, err := job.Store.ReadDerivation(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("export a references graph: %w", err)
		}
		for _, o := range drv.Outputs {
			more = append(more, o.Path)
		}
	}
	if len(more) == len(closure) {
		return closure, nil
	}
	if closure, err = job.Store.Closure(ctx, more...); err != nil {
		return nil, fmt.Errorf("export a references graph: %w", err)
	}
	return closure, nil
}

// registration lists paths with their references in the form that nix-store
// --register-validity reads, without derivers.
func (job *Job) registration(ctx context.Context, paths []storepath.Path) ([]byte, error) {
	var b []byte
	for _, p := range paths {
		info, err := job.Store.Info(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("export a references graph: %w", err)
		}
		b = registration.Append(b, info, registration.Form{})
	}
	return b, nil
}
