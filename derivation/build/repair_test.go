package build

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// spoil changes the content of a valid object.
func (b *bench) spoil(p storepath.Path) {
	b.t.Helper()
	file := b.store.RealPath(p)
	if err := os.Chmod(file, 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("spoilt"), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) wantText(p storepath.Path, want string) {
	b.t.Helper()
	text, err := os.ReadFile(b.store.RealPath(p))
	if err != nil || string(text) != want {
		b.t.Errorf("'%s' is %q, %v, want %q", p.Name(), text, err, want)
	}
	info, err := b.store.Info(b.t.Context(), p)
	if err != nil {
		b.t.Fatal(err)
	}
	if good, err := intact(b.t.Context(), b.store, info); !good || err != nil {
		b.t.Errorf("'%s' is not what is registered, %v", p.Name(), err)
	}
}

// writeTree makes every output a directory with a file.
func writeTree(text string) func(context.Context, *Job) error {
	return func(_ context.Context, job *Job) error {
		for _, d := range job.Dest {
			if err := os.Mkdir(d, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(d+"/file", []byte(text), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestRepair(t *testing.T) {
	b := newBench(t)
	a := b.drv(derivation.Derivation{Name: "a"}, write("a"))
	// It refers to a, so that a is in its closure.
	c := b.drv(derivation.Derivation{Name: "c"}, func(ctx context.Context, job *Job) error {
		return write(job.Drv.Env["in"])(ctx, job)
	}, a)
	goals := []Goal{{Drv: c}}
	if err := Repair(t.Context(), b.store, goals, b.options()); err != nil {
		t.Fatal(err)
	}
	b.built = nil
	if err := Repair(t.Context(), b.store, goals, b.options()); err != nil || len(b.built) != 0 {
		t.Errorf("built %v of what is whole, %v", b.built, err)
	}
	// An input of the goal, and the goal itself.
	b.spoil(b.out(a, "out"))
	b.spoil(b.out(c, "out"))
	if err := Repair(t.Context(), b.store, goals, b.options()); err != nil || strings.Join(b.built, " ") != "a c" {
		t.Errorf("built %v, %v", b.built, err)
	}
	b.wantText(b.out(a, "out"), "a")
	b.wantText(b.out(c, "out"), b.out(a, "out").String()+" ")
	b.clean()
	// What has gone altogether.
	if err := os.Remove(b.store.RealPath(b.out(a, "out"))); err != nil {
		t.Fatal(err)
	}
	if err := Repair(t.Context(), b.store, goals, b.options()); err != nil {
		t.Fatal(err)
	}
	b.wantText(b.out(a, "out"), "a")
	b.clean()
}

func TestRepairDirectory(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "d"}, writeTree("text"))
	if _, err := b.run(b.options(), d); err != nil {
		t.Fatal(err)
	}
	dir := b.store.RealPath(b.out(d, "out"))
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/bad", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := RepairPath(t.Context(), b.store, b.out(d, "out"), b.options()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o555 || info.ModTime().Unix() != 1 {
		t.Errorf("mode %v, time %v, %v", info.Mode(), info.ModTime(), err)
	}
	if _, err := os.Stat(dir + "/bad"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still bad: %v", err)
	}
	b.clean()
}

// repairer is a Substituter that has nothing but for repairs.
type repairer func(p storepath.Path) error

var _ Substituter = repairer(nil)

func (repairer) Find(context.Context, []storepath.Path) (map[storepath.Path]Substitute, error) {
	return nil, nil
}

func (repairer) Fetch(context.Context, []storepath.Path) map[storepath.Path]error { return nil }

func (r repairer) Address(storepath.Path, string) {}

func (r repairer) Repair(_ context.Context, p storepath.Path) error { return r(p) }

// TestRepairSubstitutes: a substitute comes before a build, and a build after a
// substitute that fails.
func TestRepairSubstitutes(t *testing.T) {
	b := newBench(t)
	d := b.drv(derivation.Derivation{Name: "d"}, write("text"))
	src, err := b.store.AddText(t.Context(), "source", "source", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.run(b.options(), d); err != nil {
		t.Fatal(err)
	}
	out := b.out(d, "out")
	b.spoil(out)
	b.spoil(src)
	fetched := 0
	opts := b.options()
	opts.Substituter = repairer(func(p storepath.Path) error {
		fetched++
		if err := os.WriteFile(b.store.RealPath(p), []byte("text"), 0o644); err != nil {
			return err
		}
		return store.Canonicalise(b.store.RealPath(p))
	})
	err = RepairPath(t.Context(), b.store, out, opts)
	if err != nil || fetched != 1 || len(b.built) != 1 {
		t.Errorf("fetched %d, built %v, %v", fetched, b.built, err)
	}
	b.wantText(out, "text")
	b.spoil(out)
	opts.Substituter = repairer(func(storepath.Path) error { return errors.New("no cache has it") })
	if err := RepairPath(t.Context(), b.store, out, opts); err != nil {
		t.Error(err)
	}
	b.wantText(out, "text")
	if err := RepairPath(t.Context(), b.store, src, opts); err == nil || !strings.Contains(err.Error(), "no cache has it") {
		t.Errorf("error %v", err)
	}
	if err := RepairPath(t.Context(), b.store, src, b.options()); err == nil || !strings.Contains(err.Error(), "it has no deriver") {
		t.Errorf("error %v", err)
	}
}

// TestMismatchIsKept: what a fixed output has become is there when the right hash
// is asked for.
func TestMismatchIsKept(t *testing.T) {
	b := newBench(t)
	want := fixedText("right")
	bad := b.drv(derivation.Derivation{Name: "f", Outputs: map[string]derivation.Output{"out": fixedText("wrong")}}, write("right"))
	if _, err := b.run(b.options(), bad); err == nil || !strings.Contains(err.Error(), "hash mismatch") {
		t.Fatalf("error %v", err)
	}
	b.clean()
	good := b.drv(derivation.Derivation{Name: "f", Outputs: map[string]derivation.Output{"out": want}}, write("never"))
	if _, err := b.run(b.options(), good); err != nil || len(b.built) != 0 {
		t.Errorf("built %v, %v", b.built, err)
	}
	b.wantText(b.out(good, "out"), "right")
}

// fixedText is an output that is a file with the given text.
func fixedText(text string) derivation.Output {
	return derivation.Output{HashAlgo: "sha256", Hash: nixhash.Sum(nixhash.SHA256, []byte(text)).Base16()}
}

// TestEmptyJournal: a build that was killed before it wrote its journal costs
// nobody anything, least of all the working directory.
func TestEmptyJournal(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/precious", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := os.MkdirAll(buildsDir(b.store), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(buildsDir(b.store)+"/nix-build-x.drv-0"+journalSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sweep(t.Context(), b.store); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir + "/precious"); err != nil {
		t.Error(err)
	}
	b.clean()
	for _, name := range []string{"", ".", "..", "/", "x/.."} {
		if _, err := store.RemoveTree(name); err == nil {
			t.Errorf("'%s' was deleted", name)
		}
	}
}
