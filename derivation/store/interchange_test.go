package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// nix runs a program of C++ Nix on the store below root and returns what it
// prints.
func nix(t testing.TB, root, program string, args ...string) string {
	t.Helper()
	out, err := tryNix(t, root, program, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

func tryNix(t testing.TB, root, program string, args ...string) (string, error) {
	t.Helper()
	file, err := exec.LookPath(program)
	if full := os.Getenv("GONIX_TEST_FULL") == "1"; err != nil || !full {
		if full {
			t.Fatal(err)
		}
		t.Skipf("needs %s and GONIX_TEST_FULL=1", program)
	}
	cmd := exec.Command(file, append([]string{"--store", root}, args...)...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") }),
		"HOME="+t.TempDir(), "NIX_CONFIG=build-users-group =\nexperimental-features = nix-command\nsandbox = false\nsubstitute = false")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out) + stderr.String(), err
	}
	return string(out), nil
}

// wantNixSound lets Nix check the store, contents included.
func wantNixSound(t testing.TB, root string) {
	t.Helper()
	if out, err := tryNix(t, root, "nix-store", "--verify", "--check-contents"); err != nil || strings.Contains(out, "error") {
		t.Errorf("nix-store --verify: %v\n%s", err, out)
	}
}

const exampleDrv = `Derive([("dev","/nix/store/9ywr69qi622lrmx5nn88gk8jpmihy0dz-x-dev","",""),("out","/nix/store/yza9gxfj6x8kpx4hzqlxlmqjvqfvcdi6-x","","")],[],[],"x86_64-linux","/bin/sh",[],[("dev","/nix/store/9ywr69qi622lrmx5nn88gk8jpmihy0dz-x-dev"),("out","/nix/store/yza9gxfj6x8kpx4hzqlxlmqjvqfvcdi6-x")])`

func TestNixReadsOurStore(t *testing.T) {
	s := openTest(t, Options{})
	ctx := t.Context()
	src := filepath.Join(t.TempDir(), "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"flat", "b b", "ä"} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("flat", src+"/link"); err != nil {
		t.Fatal(err)
	}
	tree, err := s.AddPath(ctx, "src", src, Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	flat, err := s.AddPath(ctx, "flat", src+"/flat", Ingestion{Flat: true, Algo: nixhash.SHA1})
	if err != nil {
		t.Fatal(err)
	}
	text := mustText(t, s, "text", tree.String(), tree, flat)
	drv := mustText(t, s, "x.drv", exampleDrv)
	for _, c := range []struct {
		path storepath.Path
		args []string
	}{
		{tree, []string{"--add", src}},
		{flat, []string{"--add-fixed", "sha1", src + "/flat"}},
	} {
		if out := strings.TrimSpace(nix(t, s.Root(), "nix-store", c.args...)); out != c.path.String() {
			t.Errorf("nix-store %v says %s, we say %s", c.args, out, c.path)
		}
	}
	if out := strings.TrimSpace(nix(t, s.Root(), "nix-store", "--query", "--outputs", drv.String())); out !=
		"/nix/store/9ywr69qi622lrmx5nn88gk8jpmihy0dz-x-dev\n/nix/store/yza9gxfj6x8kpx4hzqlxlmqjvqfvcdi6-x" {
		t.Errorf("nix says the outputs are %s", out)
	}
	wantNixSound(t, s.Root())

	var infos []struct {
		Path, NarHash, CA string
		NarSize           int64
		References        []string
	}
	if err := json.Unmarshal([]byte(nix(t, s.Root(), "nix", "path-info", "--all", "--json")), &infos); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, theirs := range infos {
		p := storepath.MustParse(theirs.Path)
		ours, err := s.Info(ctx, p)
		if err != nil {
			t.Error(err)
			continue
		}
		seen++
		var refs []string
		for _, r := range ours.References {
			refs = append(refs, r.String())
		}
		if theirs.NarHash != ours.NarHash.SRI() || theirs.NarSize != ours.NarSize || theirs.CA != ours.CA || !slices.Equal(theirs.References, refs) {
			t.Errorf("nix says %+v, we say %+v", theirs, ours)
		}
	}
	if all, err := s.All(ctx); err != nil || seen != len(all) || seen != 4 {
		t.Errorf("nix knows %d of %v, %v", seen, all, err)
	}
	refs := strings.Fields(nix(t, s.Root(), "nix-store", "--query", "--references", text.String()))
	slices.Sort(refs)
	want := []string{tree.String(), flat.String()}
	slices.Sort(want)
	if !slices.Equal(refs, want) {
		t.Errorf("references %v, want %v", refs, want)
	}
}

func TestWeReadNixStore(t *testing.T) {
	root := t.TempDir()
	t.Cleanup(func() { RemoveTree(root) })
	src := t.TempDir()
	if err := os.WriteFile(src+"/f", []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	added := storepath.MustParse(strings.TrimSpace(nix(t, root, "nix-store", "--add", src)))
	expr := fmt.Sprintf(`derivation { name = "d"; system = "x"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; src = %s; }`, src)
	drv := storepath.MustParse(strings.TrimSpace(nix(t, root, "nix-instantiate", "-E", expr)))

	s, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	wantSound(t, s)
	if again, err := s.AddPath(ctx, filepath.Base(src), src, Ingestion{}); err != nil || again != added {
		t.Errorf("we add it as %s, %v, nix as %s", again, err, added)
	}
	closure, err := s.Closure(ctx, drv)
	if err != nil || !slices.Contains(closure, added) || !slices.Contains(closure, drv) || len(closure) != 2 {
		t.Errorf("closure %v, %v", closure, err)
	}
	outputs, err := s.DerivationOutputs(ctx, drv)
	if err != nil || fmt.Sprint(slices.Sorted(maps.Keys(outputs))) != "[dev out]" || outputs["dev"].Name() != "d-dev" {
		t.Errorf("outputs %v, %v", outputs, err)
	}
	d, err := s.ReadDerivation(ctx, drv)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.WriteDerivation(ctx, d); err != nil || again != drv {
		t.Errorf("we write it as %s, %v, nix as %s", again, err, drv)
	}
}

// TestNixCollector lets Nix collect garbage while our roots hold and after.
func TestNixCollector(t *testing.T) {
	s := openTest(t, Options{})
	root := s.Root()
	temp := mustText(t, s, "temp", "a")
	kept := mustText(t, s, "kept", "b")
	link := filepath.Join(t.TempDir(), "result")
	if err := s.AddRoot(t.Context(), link, kept); err != nil {
		t.Fatal(err)
	}
	exists := func(p storepath.Path) bool {
		_, err := os.Lstat(filepath.Join(root, p.String()))
		return err == nil
	}
	nix(t, root, "nix-store", "--gc")
	if !exists(temp) || !exists(kept) {
		t.Error("the collector took what an open store needs")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nix(t, root, "nix-store", "--gc")
	if exists(temp) || !exists(kept) {
		t.Error("after the store was closed only the root should be left")
	}
	s, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	other := mustText(t, s, "other", "c")
	if err := s.AddRoot(t.Context(), link, other); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nix(t, root, "nix-store", "--gc")
	if exists(kept) || !exists(other) {
		t.Error("the root has moved on")
	}
	wantNixSound(t, root)
}

// TestTempRootWhileCollecting adds to a store that Nix is collecting.
func TestTempRootWhileCollecting(t *testing.T) {
	s := openTest(t, Options{})
	nix(t, s.Root(), "nix-store", "--gc")
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
				if out, err := tryNix(t, s.Root(), "nix-store", "--gc"); err != nil {
					done <- fmt.Errorf("%w\n%s", err, out)
					return
				}
			}
		}
	}()
	var made []storepath.Path
	for start := time.Now(); time.Since(start) < 2*time.Second; {
		var refs []storepath.Path
		if len(made) > 0 {
			refs = made[len(made)-1:]
		}
		p, err := s.AddText(t.Context(), "text", fmt.Sprint(len(made), refs), refs)
		if err != nil {
			t.Error(err)
			break
		}
		made = append(made, p)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	valid, err := s.Valid(t.Context(), made)
	if err != nil || len(valid) != len(made) {
		t.Errorf("%d of %d survived, %v", len(valid), len(made), err)
	}
	t.Logf("%d texts added while collecting", len(made))
	wantSound(t, s)
}

func TestLocksAgainstNix(t *testing.T) {
	s := openTest(t, Options{})
	src := filepath.Join(t.TempDir(), "name")
	if err := os.WriteFile(src, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := s.AddPath(t.Context(), "name", src, Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	nix(t, s.Root(), "nix-store", "--version")
	if _, err := s.Delete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	lock, err := s.Lock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		out, err := tryNix(t, s.Root(), "nix-store", "--add", src)
		done <- fmt.Sprint(strings.TrimSpace(out), err)
	}()
	select {
	case out := <-done:
		t.Fatalf("nix did not wait for our lock: %s", out)
	case <-time.After(500 * time.Millisecond):
	}
	lock.Unlock()
	if out := <-done; out != p.String()+"<nil>" {
		t.Errorf("nix says %s, want %s", out, p)
	}
	if _, err := os.Lstat(s.RealPath(p) + ".lock"); err == nil {
		t.Error("a lock file is left")
	}
	if ok, err := s.IsValid(t.Context(), p); !ok || err != nil {
		t.Errorf("valid: %v, %v", ok, err)
	}
}
