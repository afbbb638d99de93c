package build

import (
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// bench is a store and derivations whose builders are functions.
type bench struct {
	t     *testing.T
	store *store.Local
	funcs map[string]func(ctx context.Context, job *Job) error
	known map[storepath.Path]*derivation.Derivation

	mu     sync.Mutex
	built  []string
	events []Event
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		store.RemoveTree(s.Dir()) // whose directories cannot be written
	})
	return &bench{
		t: t, store: s,
		funcs: map[string]func(context.Context, *Job) error{},
		known: map[storepath.Path]*derivation.Derivation{},
	}
}

// Build runs the function named by the derivation's builder.
func (b *bench) Build(ctx context.Context, job *Job) error {
	b.mu.Lock()
	b.built = append(b.built, job.Drv.Name)
	b.mu.Unlock()
	return b.funcs[job.Drv.Builder](ctx, job)
}

// drv adds a derivation that fn builds. Inputs are derivations made before.
func (b *bench) drv(d derivation.Derivation, fn func(ctx context.Context, job *Job) error, inputs ...storepath.Path) storepath.Path {
	b.t.Helper()
	d.Builder, d.Platform = "/bin/"+d.Name, "test-system"
	if d.Outputs == nil {
		d.Outputs = map[string]derivation.Output{"out": {}}
	}
	if d.Env == nil {
		d.Env = map[string]string{}
	}
	for _, in := range inputs {
		for _, name := range b.known[in].OutputNames() {
			d.AddInput(in, name)
			d.Env["in"] += b.known[in].Outputs[name].Path.String() + " "
		}
	}
	resolve := derivation.NewResolver(func(p storepath.Path) (*derivation.Derivation, error) { return b.known[p], nil })
	if err := d.FillOutputPaths(resolve); err != nil {
		b.t.Fatal(err)
	}
	p, err := b.store.WriteDerivation(b.t.Context(), &d)
	if err != nil {
		b.t.Fatal(err)
	}
	b.known[p] = &d
	b.funcs[d.Builder] = fn
	return p
}

func (b *bench) options() Options {
	return Options{
		Builders: map[string]Builder{"": b}, Jobs: 2, Cores: 3, System: "test-system", Features: []string{"benchmark", "big-parallel", "nixos-test"},
		Events: func(e Event) { b.events = append(b.events, e) },
	}
}

func (b *bench) run(opts Options, drvs ...storepath.Path) ([]Result, error) {
	b.built, b.events = nil, nil
	var goals []Goal
	for _, d := range drvs {
		goals = append(goals, Goal{Drv: d})
	}
	return Run(b.t.Context(), b.store, goals, opts)
}

func (b *bench) out(drv storepath.Path, name string) storepath.Path {
	return b.known[drv].Outputs[name].Path
}

func (b *bench) valid(p storepath.Path) bool {
	b.t.Helper()
	ok, err := b.store.IsValid(b.t.Context(), p)
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

// clean checks that nothing is left but what is valid.
func (b *bench) clean() {
	b.t.Helper()
	entries, err := os.ReadDir(b.store.Dir())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".links" {
			continue
		}
		p, err := storepath.FromBase(e.Name())
		if err != nil || !b.valid(p) {
			b.t.Errorf("left in the store: %s", e.Name())
		}
	}
	entries, err = os.ReadDir(buildsDir(b.store))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		b.t.Errorf("left of builds: %s", e.Name())
	}
}

// write makes every output a file with the given text.
func write(text string) func(context.Context, *Job) error {
	return func(_ context.Context, job *Job) error {
		for _, d := range job.Dest {
			if err := os.WriteFile(d, []byte(text), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestGraph(t *testing.T) {
	b := newBench(t)
	a := b.drv(derivation.Derivation{Name: "a"}, write("a"))
	c := b.drv(derivation.Derivation{Name: "c"}, write("c"), a)
	d := b.drv(derivation.Derivation{Name: "d"}, func(_ context.Context, job *Job) error {
		if err := os.Mkdir(job.Dest["out"], 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(job.Dest["out"], "f"), []byte(job.Drv.Env["in"]+job.Outputs["out"].String()), 0o755)
	}, a, c)
	results, err := b.run(b.options(), d)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.built, " "); got != "a c d" {
		t.Errorf("built %q", got)
	}
	if len(results) != 3 || results[2].Status != Built || results[2].Drv != d {
		t.Errorf("results %+v", results)
	}
	info, err := b.store.Info(t.Context(), b.out(d, "out"))
	if err != nil {
		t.Fatal(err)
	}
	want := []storepath.Path{b.out(a, "out"), b.out(c, "out"), b.out(d, "out")}
	slices.SortFunc(want, storepath.Compare)
	if !slices.Equal(info.References, want) || info.Deriver != d || !info.Ultimate {
		t.Errorf("registered %+v, want references %v", info, want)
	}
	st, err := os.Stat(b.store.RealPath(info.Path) + "/f")
	if err != nil || st.Mode().Perm() != 0o555 || st.ModTime().Unix() != 1 {
		t.Errorf("metadata %v, %v", st, err)
	}
	st, _ = os.Stat(b.store.RealPath(info.Path))
	if st.Mode().Perm() != 0o555 || st.ModTime().Unix() != 1 {
		t.Errorf("metadata of the directory: %v %v", st.Mode(), st.ModTime())
	}
	b.clean()

	results, err = b.run(b.options(), d)
	if err != nil || len(b.built) != 0 || len(results) != 1 || results[0].Status != AlreadyValid {
		t.Errorf("again: built %v, %+v, %v", b.built, results, err)
	}
}

func TestParallel(t *testing.T) {
	b := newBench(t)
	meet := make(chan struct{})
	both := func(ctx context.Context, job *Job) error {
		select {
		case meet <- struct{}{}:
		case <-meet:
		case <-time.After(10 * time.Second):
			return errors.New("alone")
		}
		return write("x")(ctx, job)
	}
	x := b.drv(derivation.Derivation{Name: "x"}, both)
	y := b.drv(derivation.Derivation{Name: "y"}, both)
	if _, err := b.run(b.options(), x, y); err != nil {
		t.Fatal(err)
	}
}

func TestFailure(t *testing.T) {
	b := newBench(t)
	bad := b.drv(derivation.Derivation{Name: "bad"}, func(_ context.Context, job *Job) error {
		for i := range 15 {
			fmt.Fprintf(job.Log, "line %d\n", i)
		}
		return errors.Join(write("half")(nil, job), &ExitError{Code: 2})
	})
	good := b.drv(derivation.Derivation{Name: "good"}, write("g"))
	top := b.drv(derivation.Derivation{Name: "top"}, write("t"), bad)
	opts := b.options()
	opts.KeepGoing = true
	_, err := b.run(opts, top, good)
	var be *Error
	if !errors.As(err, &be) || len(be.Failures) != 2 || be.ExitStatus() != 100 {
		t.Fatalf("error %v", err)
	}
	text := be.Failures[0].Error()
	for _, part := range []string{
		"Cannot build '" + bad.String() + "'.\nReason: builder failed with exit code 2.\nLast 10 log lines:\n> line 5\n",
		"> line 14\nFor full logs, run 'bzcat " + LogFile(b.store, bad) + "'.",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("message %q lacks %q", text, part)
		}
	}
	var fail *Failure
	if !errors.As(be.Failures[0], &fail) {
		t.Fatal("no failure")
	}
	for _, c := range []struct{ file, command, want string }{
		{"/l/a b.drv.bz2", "", "run 'bzcat '/l/a b.drv.bz2''."},
		{"/l/plain.drv", "", "run 'cat /l/plain.drv'."},
		{"/l/x.drv.bz2", "gonix log x", "run 'gonix log x'."},
	} {
		other := *fail
		other.LogFile, other.LogCommand = c.file, c.command
		if !strings.HasSuffix(other.Error(), c.want) {
			t.Errorf("message %q does not end with %q", other.Error(), c.want)
		}
	}
	if got, want := be.Failures[1].Error(), "Cannot build '"+top.String()+"'.\nReason: 1 dependency failed."; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if !b.valid(b.out(good, "out")) || b.valid(b.out(bad, "out")) {
		t.Error("keep-going built the wrong things")
	}
	f, err := os.Open(LogFile(b.store, bad))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := io.ReadAll(bzip2.NewReader(f))
	if err != nil || !strings.HasPrefix(string(log), "line 0\nline 1\n") {
		t.Errorf("log %q, %v", log, err)
	}
	b.clean()

	// Without keep-going the other build ends early.
	slow := b.drv(derivation.Derivation{Name: "slow"}, func(ctx context.Context, job *Job) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Second):
			return errors.New("nobody stopped this build")
		}
	})
	if _, err = b.run(b.options(), slow, bad); !errors.As(err, &be) || len(be.Failures) != 1 {
		t.Errorf("error %v", err)
	}
	b.clean()
}

func TestKeepFailed(t *testing.T) {
	b := newBench(t)
	bad := b.drv(derivation.Derivation{Name: "bad"}, func(_ context.Context, job *Job) error {
		return errors.Join(os.WriteFile(filepath.Join(job.TmpDir, "config.log"), []byte("why"), 0o644), &ExitError{Code: 1})
	})
	opts := b.options()
	opts.KeepFailed = true
	_, err := b.run(opts, bad)
	var f *Failure
	if !errors.As(err, &f) || f.Kept == "" {
		t.Fatalf("error %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(f.Kept, "config.log")); string(text) != "why" {
		t.Errorf("kept %q", text)
	}
	if err := sweep(t.Context(), b.store); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Kept); err != nil {
		t.Errorf("the kept directory was swept: %v", err)
	}
}

func TestMissingOutput(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "none"}, func(context.Context, *Job) error { return nil })
	_, err := b.run(b.options(), d)
	want := fmt.Sprintf("builder for '%s' failed to produce output path for output 'out' at '%s'", d, b.out(d, "out"))
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestFixedOutput(t *testing.T) {
	flat := nixhash.Sum(nixhash.SHA256, []byte("content"))
	sha1 := nixhash.Sum(nixhash.SHA1, []byte("content"))
	fixed := func(algo string, h nixhash.Hash) map[string]derivation.Output {
		return map[string]derivation.Output{"out": {HashAlgo: algo, Hash: h.Base16()}}
	}
	t.Run("flat", func(t *testing.T) {
		for i, h := range []nixhash.Hash{flat, sha1} {
			b := newBench(t)
			d := b.drv(derivation.Derivation{Name: fmt.Sprint("f", i), Outputs: fixed(h.Algo.String(), h)}, write("content"))
			if _, err := b.run(b.options(), d); err != nil {
				t.Fatal(err)
			}
			info, err := b.store.Info(t.Context(), b.out(d, "out"))
			if err != nil || info.CA != "fixed:"+h.Prefixed32() {
				t.Errorf("registered %+v, %v", info, err)
			}
		}
	})
	t.Run("mismatch", func(t *testing.T) {
		b := newBench(t)
		d := b.drv(derivation.Derivation{Name: "f", Outputs: fixed("sha256", flat)}, write("other"))
		_, err := b.run(b.options(), d)
		got := nixhash.Sum(nixhash.SHA256, []byte("other"))
		want := fmt.Sprintf("hash mismatch in fixed-output derivation '%s':\n  specified: %s\n     got:    %s", d, flat.SRI(), got.SRI())
		var be *Error
		if !errors.As(err, &be) || err.Error() != want || be.ExitStatus() != 102 {
			t.Errorf("error %v, want %s", err, want)
		}
		b.clean()
	})
	t.Run("executable", func(t *testing.T) {
		b := newBench(t)
		d := b.drv(derivation.Derivation{Name: "f", Outputs: fixed("sha256", flat)}, func(_ context.Context, job *Job) error {
			return os.WriteFile(job.Dest["out"], []byte("content"), 0o755)
		})
		if _, err := b.run(b.options(), d); err == nil || !strings.Contains(err.Error(), "should be a non-executable regular file") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("recursive", func(t *testing.T) {
		b := newBench(t)
		dir := t.TempDir()
		os.WriteFile(dir+"/f", []byte("content"), 0o644)
		h, err := hashTree(dir, nixhash.SHA512)
		if err != nil {
			t.Fatal(err)
		}
		d := b.drv(derivation.Derivation{Name: "f", Outputs: fixed("r:sha512", h)}, func(_ context.Context, job *Job) error {
			os.Mkdir(job.Dest["out"], 0o755)
			return os.WriteFile(job.Dest["out"]+"/f", []byte("content"), 0o644)
		})
		if _, err := b.run(b.options(), d); err != nil {
			t.Fatal(err)
		}
		info, err := b.store.Info(t.Context(), b.out(d, "out"))
		if err != nil || info.CA != "fixed:r:"+h.Prefixed32() {
			t.Errorf("registered %+v, %v", info, err)
		}
	})
}

func TestCheck(t *testing.T) {
	b := newBench(t)
	n := 0
	same := b.drv(derivation.Derivation{Name: "same"}, write("same"))
	other := b.drv(derivation.Derivation{Name: "other"}, func(ctx context.Context, job *Job) error {
		n++
		return write(fmt.Sprint(n))(ctx, job)
	})
	opts := b.options()
	opts.Check = true
	if _, err := b.run(opts, same); err == nil || !strings.Contains(err.Error(), "are not valid, so checking is not possible") {
		t.Errorf("error %v", err)
	}
	if _, err := b.run(b.options(), same, other); err != nil {
		t.Fatal(err)
	}
	if _, err := b.run(opts, same); err != nil || len(b.built) != 1 {
		t.Errorf("built %v, error %v", b.built, err)
	}
	_, err := b.run(opts, other)
	var be *Error
	want := fmt.Sprintf("derivation '%s' may not be deterministic: output '%s' differs", other, b.out(other, "out"))
	if !errors.As(err, &be) || err.Error() != want || be.ExitStatus() != 104 {
		t.Errorf("error %v, want %s", err, want)
	}
	b.clean()
	opts.KeepFailed = true
	_, err = b.run(opts, other)
	kept := b.store.RealPath(b.out(other, "out")) + ".check"
	if err == nil || !strings.Contains(err.Error(), "differs from '"+kept+"'") {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(kept); string(text) != "3" {
		t.Errorf("kept %q", text)
	}
	if text, _ := os.ReadFile(b.store.RealPath(b.out(other, "out"))); string(text) != "1" {
		t.Errorf("the output is now %q", text)
	}
}

func TestOneOfTwoOutputs(t *testing.T) {
	b := newBench(t)
	two := b.drv(derivation.Derivation{Name: "two", Outputs: map[string]derivation.Output{"out": {}, "dev": {}}},
		func(_ context.Context, job *Job) error {
			if err := os.WriteFile(job.Dest["out"], []byte("lib"), 0o644); err != nil {
				return err
			}
			return os.WriteFile(job.Dest["dev"], []byte(job.Outputs["out"].String()), 0o644)
		})
	if _, err := b.run(b.options(), two); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Delete(t.Context(), b.out(two, "dev")); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), b.store, []Goal{{two, []string{"out"}}}, b.options()); err != nil {
		t.Fatal(err)
	}
	if b.valid(b.out(two, "dev")) {
		t.Error("an output that nobody wants was built")
	}
	if _, err := b.run(b.options(), two); err != nil || len(b.built) != 1 {
		t.Fatalf("built %v, error %v", b.built, err)
	}
	if !b.valid(b.out(two, "dev")) {
		t.Error("the missing output was not built")
	}
	b.clean()
}

func TestCycle(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "loop", Outputs: map[string]derivation.Output{"out": {}, "dev": {}}},
		func(_ context.Context, job *Job) error {
			return errors.Join(os.WriteFile(job.Dest["out"], []byte(job.Outputs["dev"].String()), 0o644),
				os.WriteFile(job.Dest["dev"], []byte(job.Outputs["out"].String()), 0o644))
		})
	want := fmt.Sprintf("cycle detected in build of '%s' in the references of output 'dev' from output 'out'", d)
	if _, err := b.run(b.options(), d); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	b.clean()
}

func TestWrongSystem(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "far", Env: map[string]string{"requiredSystemFeatures": "kvm"}}, write("x"))
	_, err := b.run(b.options(), d)
	want := "Cannot build '" + d.String() + "'.\nReason: missing system features\n" +
		"Required features: {kvm}\nAvailable features: {benchmark, big-parallel, nixos-test}"
	var failed *Error
	if !errors.As(err, &failed) || err.Error() != want || failed.ExitStatus() != 100 {
		t.Errorf("error %v, want %s", err, want)
	}
	b.known[d].Platform = "moon"
	b.known[d].Name = "far1"
	delete(b.known[d].Env, "out")
	delete(b.known[d].Env, "requiredSystemFeatures")
	moon, err := b.store.WriteDerivation(t.Context(), b.known[d])
	if err != nil {
		t.Fatal(err)
	}
	want = "Cannot build '" + moon.String() + "'.\nReason: platform mismatch\nRequired system: 'moon'\nCurrent system: 'test-system'"
	if _, err := b.run(b.options(), moon); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	b.known[d].Platform = "test-system"
	b.known[d].Builder = "builtin:nonsense"
	b.known[d].Name = "far2"
	delete(b.known[d].Env, "out")
	p, err := b.store.WriteDerivation(t.Context(), b.known[d])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.run(b.options(), p); err == nil || !strings.Contains(err.Error(), "builder 'builtin:nonsense' is not known") {
		t.Errorf("error %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "sleep"}, func(ctx context.Context, job *Job) error {
		for ctx.Err() == nil {
			fmt.Fprintln(job.Log, "still there")
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
		return context.Cause(ctx)
	})
	opts := b.options()
	opts.Timeout, opts.MaxSilent = time.Second, time.Hour
	_, err := b.run(opts, d)
	var be *Error
	if !errors.As(err, &be) || be.ExitStatus() != 101 || !strings.HasPrefix(err.Error(), "building of '"+d.String()+"' timed out after 1 seconds;\n") {
		t.Errorf("error %v", err)
	}
	silent := b.drv(derivation.Derivation{Name: "silent"}, func(ctx context.Context, _ *Job) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	opts.Timeout, opts.MaxSilent = 0, 100*time.Millisecond
	if _, err = b.run(opts, silent); !errors.As(err, &be) || be.ExitStatus() != 101 || !strings.HasSuffix(err.Error(), "seconds of silence") {
		t.Errorf("error %v", err)
	}
	b.clean()
}

func TestInterrupt(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	d := b.drv(derivation.Derivation{Name: "long"}, func(ctx context.Context, job *Job) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	top := b.drv(derivation.Derivation{Name: "top"}, write("t"), d)
	results, err := Run(ctx, b.store, []Goal{{Drv: top}}, b.options())
	if !errors.Is(err, context.Canceled) || len(results) != 2 || results[1].Status != NotTried {
		t.Errorf("%+v, %v", results, err)
	}
	b.clean()
}

// TestTwoAtOnce has two runs on one store; the second one waits and then uses
// what the first one has made.
func TestTwoAtOnce(t *testing.T) {
	b := newBench(t)
	started, finish := make(chan struct{}), make(chan struct{})
	d := b.drv(derivation.Derivation{Name: "shared"}, func(ctx context.Context, job *Job) error {
		close(started)
		<-finish
		return write("x")(ctx, job)
	})
	first := make(chan error)
	go func() {
		_, err := Run(t.Context(), b.store, []Goal{{Drv: d}}, Options{Builders: map[string]Builder{"": b}, System: "test-system"})
		first <- err
	}()
	<-started
	other, err := store.Open(b.store.Root(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var kinds []EventKind
	results, err := Run(t.Context(), other, []Goal{{Drv: d}}, Options{
		Builders: map[string]Builder{"": b}, System: "test-system",
		Events: func(e Event) {
			kinds = append(kinds, e.Kind)
			if e.Kind == Waiting {
				close(finish)
			}
		},
	})
	if err != nil || results[0].Status != AlreadyValid || !slices.Equal(kinds, []EventKind{Planned, Waiting}) {
		t.Errorf("second run: %+v, %v, events %v", results, err, kinds)
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
	b.clean()
}

func TestReferenceChecks(t *testing.T) {
	mention := func(_ context.Context, job *Job) error {
		return os.WriteFile(job.Dest["out"], []byte(job.Drv.Env["in"]), 0o644)
	}
	for _, c := range []struct {
		name string
		env  map[string]string
		want string // "" for success; %s is the input
	}{
		{"none asked", nil, ""},
		{"empty allowedReferences", map[string]string{"allowedReferences": ""}, "is not allowed to refer to the following paths:\n  %s"},
		{"allowedReferences", map[string]string{"allowedReferences": "IN out"}, ""},
		{"disallowedReferences", map[string]string{"disallowedReferences": "IN"}, "is not allowed to refer to the following paths:\n  %s"},
		{"disallowed self", map[string]string{"disallowedReferences": "out"}, ""},
		{"allowedRequisites", map[string]string{"allowedRequisites": "IN"}, "is not allowed to refer to the following paths:"},
		{"disallowedRequisites", map[string]string{"disallowedRequisites": "BASE"}, "is not allowed to refer to the following paths:"},
		{"nonsense", map[string]string{"allowedReferences": "lib"}, "contains output name 'lib', but this is not a valid output of this derivation. (Valid outputs are [out].)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			base := b.drv(derivation.Derivation{Name: "base"}, write("base"))
			in := b.drv(derivation.Derivation{Name: "input"}, mention, base)
			replace := strings.NewReplacer("IN", b.out(in, "out").String(), "BASE", b.out(base, "out").String())
			env := map[string]string{}
			for k, v := range c.env {
				env[k] = replace.Replace(v)
			}
			d := b.drv(derivation.Derivation{Name: "d", Env: env}, mention, in)
			_, err := b.run(b.options(), d)
			want := strings.ReplaceAll(c.want, "%s", b.out(in, "out").String())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			b.clean()
		})
	}
}

func TestOutputChecks(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`{"outputChecks":{"out":{"maxSize":50}}}`, "is too large at "},
		{`{"outputChecks":{"out":{"maxClosureSize":50}}}`, "closure of path"},
		{`{"outputChecks":{"out":{"allowedReferences":[]}}}`, "is not allowed to refer"},
		{`{"outputChecks":{"out":{"allowedReferences":["out"]}}}`, ""},
		{`{"outputChecks":{"out":{"allowedReferences":"out"}}}`, "must be a list of strings"},
		{`{"unsafeDiscardReferences":{"out":true},"outputChecks":{"out":{"allowedReferences":[]}}}`, ""},
	} {
		b := newBench(t)
		d := b.drv(derivation.Derivation{Name: "d", Env: map[string]string{"__json": c.json}}, func(_ context.Context, job *Job) error {
			return os.WriteFile(job.Dest["out"], []byte(job.Outputs["out"].String()), 0o644)
		})
		_, err := b.run(b.options(), d)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.json, err, c.want)
		}
	}
}

func TestLeftovers(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "again"}, write("whole"))
	// A build that was killed after its output had been moved into place ...
	os.MkdirAll(b.store.RealPath(b.out(d, "out"))+"/half", 0o755)
	// ... and whose directories are still there, not locked by anybody.
	space, err := newWorkspace(b.store, d, "")
	if err != nil {
		t.Fatal(err)
	}
	unix.Flock(int(space.journal.Fd()), unix.LOCK_UN)
	if _, err := b.run(b.options(), d); err != nil {
		t.Fatal(err)
	}
	b.clean()
	// Those of a living process stay.
	if space, err = newWorkspace(b.store, d, ""); err != nil {
		t.Fatal(err)
	}
	if err := sweep(t.Context(), b.store); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(space.build); err != nil {
		t.Errorf("a build in progress was swept: %v", err)
	}
	if err := space.remove(); err != nil {
		t.Fatal(err)
	}
	b.clean()
}

func TestUnknownDerivation(t *testing.T) {
	b := newBench(t)
	p := storepath.MustParse("/nix/store/00000000000000000000000000000000-nothing.drv")
	if _, err := b.run(b.options(), p); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	d := b.drv(derivation.Derivation{Name: "d"}, write("d"))
	_, err := Run(t.Context(), b.store, []Goal{{d, []string{"lib"}}}, b.options())
	if err == nil || !strings.Contains(err.Error(), "does not have wanted outputs 'lib'") {
		t.Errorf("error %v", err)
	}
}

func TestPhases(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "d"}, func(ctx context.Context, job *Job) error {
		io.WriteString(job.Log, "@nix { \"action\": \"setPhase\", \"phase\": \"buildPhase\" }\n  0%\r 50%\r100%\nplain\r\n@nix not json\nrest")
		return write("x")(ctx, job)
	})
	if _, err := b.run(b.options(), d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.events {
		if e.Kind == Phase || e.Kind == LogLine {
			got = append(got, e.Kind.String()+" "+e.Text)
		}
	}
	want := []string{"phase buildPhase", "log 100%", "log plain", "log @nix not json", "log rest"}
	if !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestPlan(t *testing.T) {
	b := newBench(t)
	a := b.drv(derivation.Derivation{Name: "a"}, write("a"))
	c := b.drv(derivation.Derivation{Name: "c"}, write("c"), a)
	plan, err := MakePlan(t.Context(), b.store, []Goal{{Drv: c}}, false)
	if err != nil || !slices.Equal(plan.Builds, []storepath.Path{a, c}) {
		t.Errorf("plan %v, %v", plan, err)
	}
	if _, err := b.run(b.options(), a); err != nil {
		t.Fatal(err)
	}
	if plan, err = MakePlan(t.Context(), b.store, []Goal{{Drv: c}}, false); err != nil || !slices.Equal(plan.Builds, []storepath.Path{c}) {
		t.Errorf("plan %v, %v", plan, err)
	}
}
