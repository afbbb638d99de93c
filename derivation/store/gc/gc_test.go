package gc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonix/derivation"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

func open(t *testing.T) *store.Local {
	t.Helper()
	root := t.TempDir()
	st, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		st.Close()
		store.RemoveTree(root)
	})
	return st
}

// reopen ends the temporary roots of what was added before.
func reopen(t *testing.T, st *store.Local) *store.Local {
	t.Helper()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(st.Root(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

func text(t *testing.T, st *store.Local, name string, refs ...storepath.Path) storepath.Path {
	t.Helper()
	p, err := st.AddText(t.Context(), name, "text of "+name, refs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func collect(t *testing.T, st *store.Local, opts Options) []string {
	t.Helper()
	if opts.MaxFreed == 0 {
		opts.MaxFreed = Unlimited
	}
	result, err := Collect(t.Context(), st, opts)
	if err != nil {
		t.Fatal(err)
	}
	return result.Paths
}

func wantExists(t *testing.T, st *store.Local, p storepath.Path, want bool) {
	t.Helper()
	_, err := os.Lstat(st.RealPath(p))
	valid, err2 := st.IsValid(t.Context(), p)
	if err2 != nil {
		t.Fatal(err2)
	}
	if valid != want || (err == nil) != want {
		t.Errorf("%s: valid %v, on disk %v, want %v", p.Name(), valid, err == nil, want)
	}
}

func TestCollect(t *testing.T) {
	st := open(t)
	low := text(t, st, "low")
	kept := text(t, st, "kept", low)
	dead := text(t, st, "dead", low)
	top := text(t, st, "top", dead)
	link := filepath.Join(t.TempDir(), "result")
	if err := st.AddRoot(t.Context(), link, kept); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nonsense", kept.Base() + ".lock", "tmp-1-0"} {
		if err := os.Mkdir(filepath.Join(st.Dir(), name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	st = reopen(t, st)
	if got, want := collect(t, st, Options{Action: ReturnLive}), []string{kept.String(), low.String()}; !equalSets(got, want) {
		t.Errorf("live: %v", got)
	}
	gotDead := collect(t, st, Options{Action: ReturnDead})
	if !slices.Contains(gotDead, dead.String()) || !slices.Contains(gotDead, top.String()) || slices.Contains(gotDead, low.String()) {
		t.Errorf("dead: %v", gotDead)
	}
	if got := collect(t, st, Options{}); len(got) != 5 {
		t.Errorf("deleted %v", got)
	}
	wantExists(t, st, kept, true)
	wantExists(t, st, low, true)
	wantExists(t, st, dead, false)
	wantExists(t, st, top, false)
	// Without the link nothing is left.
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	collect(t, st, Options{})
	names, err := os.ReadDir(st.Dir())
	if err != nil || len(names) != 1 {
		t.Errorf("left: %v, %v", names, err)
	}
}

func equalSets(got, want []string) bool {
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want)
}

// TestLockedDirectory: a temporary directory is left alone while somebody holds
// it.
func TestLockedDirectory(t *testing.T) {
	st := open(t)
	temp, err := st.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	other, err := store.Open(st.Root(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	collect(t, other, Options{})
	if _, err := os.Stat(temp.Path()); err != nil {
		t.Error(err)
	}
	if err := temp.Remove(); err != nil {
		t.Error(err)
	}
}

// TestBonds: keep-outputs and keep-derivations.
func TestBonds(t *testing.T) {
	st := open(t)
	drv := &derivation.Derivation{Name: "d", Platform: "x86_64-linux", Builder: "/bin/sh", Outputs: map[string]derivation.Output{"out": {}}}
	if err := drv.FillOutputPaths(nil); err != nil {
		t.Fatal(err)
	}
	p, err := st.WriteDerivation(t.Context(), drv)
	if err != nil {
		t.Fatal(err)
	}
	out := drv.Outputs["out"].Path
	if err := os.WriteFile(st.RealPath(out), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := store.Canonicalise(st.RealPath(out)); err != nil {
		t.Fatal(err)
	}
	scan, err := store.ScanAndHash(t.Context(), st.RealPath(out), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Register(t.Context(), []store.Info{{Path: out, Deriver: p, NarHash: scan.NarHash, NarSize: scan.NarSize}}); err != nil {
		t.Fatal(err)
	}
	st = reopen(t, st)
	for _, c := range []struct {
		root, other storepath.Path
		bonds       store.Bonds
		want        bool
	}{
		{p, out, store.Bonds{}, false},
		{p, out, store.Bonds{Derivers: true}, false},
		{p, out, store.Bonds{Outputs: true}, true},
		{out, p, store.Bonds{}, false},
		{out, p, store.Bonds{Outputs: true}, false},
		{out, p, store.Bonds{Derivers: true}, true},
	} {
		link := filepath.Join(st.StateDir(), "gcroots/test")
		os.Remove(link)
		if err := os.Symlink(c.root.String(), link); err != nil {
			t.Fatal(err)
		}
		live := collect(t, st, Options{Action: ReturnLive, Bonds: c.bonds})
		if slices.Contains(live, c.other.String()) != c.want || !slices.Contains(live, c.root.String()) {
			t.Errorf("root %s, %+v: live %v", c.root.Name(), c.bonds, live)
		}
	}
}

func TestDeleteSpecific(t *testing.T) {
	st := open(t)
	low := text(t, st, "low")
	top := text(t, st, "top", low)
	st = reopen(t, st)
	_, err := Collect(t.Context(), st, Options{Action: DeleteSpecific, Paths: []storepath.Path{low}})
	var alive *Alive
	if !errors.As(err, &alive) || alive.Path != low {
		t.Errorf("error %v", err)
	}
	wantExists(t, st, low, true)
	link := filepath.Join(st.StateDir(), "gcroots/test")
	if err := os.Symlink(top.String(), link); err != nil {
		t.Fatal(err)
	}
	if _, err = Collect(t.Context(), st, Options{Action: DeleteSpecific, Paths: []storepath.Path{top}}); !errors.As(err, &alive) {
		t.Errorf("error %v", err)
	}
	// Referrers first, whatever the order of the arguments.
	got := collect(t, st, Options{Action: DeleteSpecific, Paths: []storepath.Path{low, top}, IgnoreLiveness: true})
	if len(got) != 2 {
		t.Errorf("deleted %v", got)
	}
	wantExists(t, st, low, false)
	wantExists(t, st, top, false)
}

func TestMaxFreed(t *testing.T) {
	st := open(t)
	for i := range 20 {
		if _, err := st.AddText(t.Context(), fmt.Sprint("t", i), strings.Repeat("x", 100_000)+fmt.Sprint(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	st = reopen(t, st)
	result, err := Collect(t.Context(), st, Options{MaxFreed: 350_000})
	if err != nil || len(result.Paths) < 3 || len(result.Paths) > 6 {
		t.Errorf("deleted %d, freed %d, %v", len(result.Paths), result.Freed, err)
	}
}

// TestRootDuringCollection: who asks for a path that is not deleted yet keeps it
// and what it needs; who asks for one that is being deleted waits until it is
// gone.
func TestRootDuringCollection(t *testing.T) {
	st := open(t)
	low := text(t, st, "low")
	top := text(t, st, "top", low)
	st = reopen(t, st)
	other, err := store.Open(st.Root(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	asked := false
	collect(t, st, Options{Info: func(line string) {
		if line == "deleting garbage..." {
			asked = true
			if err := other.TempRoot(top); err != nil { // through the socket
				t.Error(err)
			}
		}
	}})
	if !asked {
		t.Fatal("the collector did not say that it deletes")
	}
	wantExists(t, st, low, true)
	wantExists(t, st, top, true)
}

func TestGuard(t *testing.T) {
	g := newGuard()
	if !g.claim("a") {
		t.Fatal("free, but not claimed")
	}
	came := make(chan bool)
	go func() {
		g.need("a")
		close(came)
	}()
	select {
	case <-came:
		t.Error("did not wait for the deletion")
	case <-time.After(20 * time.Millisecond):
	}
	g.release()
	<-came
	if g.claim("a") {
		t.Error("claimed what is needed")
	}
}

func TestServe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	g := newGuard()
	stop := g.serve(l)
	conn, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	p := storepath.MustParse("/nix/store/00000000000000000000000000000000-x")
	for _, line := range []string{"garbage\n", p.String() + "\n"} {
		if _, err := conn.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		var answer [1]byte
		if n, err := conn.Read(answer[:]); n != 1 || answer[0] != '1' {
			t.Errorf("answer %q, %v", answer, err)
		}
	}
	if !g.protects(p.HashPart()) {
		t.Error("not protected")
	}
	stop()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

// TestRuntimeRoots: what a running program has open is kept.
func TestRuntimeRoots(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("needs /proc: ", err)
	}
	st := open(t)
	p := text(t, st, "open")
	f, err := os.Open(st.RealPath(p))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st = reopen(t, st)
	collect(t, st, Options{})
	wantExists(t, st, p, true)
}

func TestPathPrefix(t *testing.T) {
	const base = "00000000000000000000000000000000-a.b+c"
	for in, want := range map[string]string{
		base: base, base + ":/usr": base, base + "/bin": base, base + "\x00X=1": base,
		"0000-a": "", base[:33]: "", base[:32] + "x-a": "", "": "",
	} {
		p, ok := pathPrefix([]byte(in))
		if p.Base() != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, p.Base(), ok)
		}
	}
}

func TestKeeper(t *testing.T) {
	st := open(t)
	p := text(t, st, "dead")
	st = reopen(t, st)
	free := int64(1000)
	k := &Keeper{MinFree: 500, MaxFree: 2000, Free: func(string) (int64, error) { return free, nil }}
	if err := k.MakeRoom(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	wantExists(t, st, p, true)
	free = 400
	if err := k.MakeRoom(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	wantExists(t, st, p, false)
	k.Free = func(string) (int64, error) { return 0, context.Canceled }
	if err := k.MakeRoom(t.Context(), st); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0.0 KiB", 100: "0.1 KiB", 1 << 20: "1.0 MiB", 5 << 30: "5.0 GiB", -4096: "-4.0 KiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
