package cli

import (
	"context"
	"crypto/rand"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// slowFiles serves a folder slowly enough for a process to be killed meanwhile.
func slowFiles(dir string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		for len(data) > 0 {
			n := min(len(data), 32<<10)
			if _, err := w.Write(data[:n]); err != nil {
				return
			}
			data = data[n:]
			time.Sleep(500 * time.Microsecond)
		}
	})
}

// TestKilledCopy kills a copy from a binary cache at random moments: what is
// registered is whole at any time, and the next copy succeeds.
func TestKilledCopy(t *testing.T) {
	tries := 12
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		tries = 50
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gonix := filepath.Join(dir, "gonix") // the name makes the test program the command
	if err := os.Symlink(self, gonix); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(gonix, args...)
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") || strings.HasPrefix(v, "XDG_") }),
			"HOME="+dir, "NIX_CONF_DIR="+dir)
		return cmd
	}
	from, err := store.Open(filepath.Join(dir, "from"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	top := chain(t, from, 12)
	from.Close()
	if out, err := run("copy", "--store", filepath.Join(dir, "from"), "--to", "file://"+dir+"/cache?compression=zstd", top.String()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h := httptest.NewServer(slowFiles(filepath.Join(dir, "cache")))
	defer h.Close()

	into := filepath.Join(dir, "into")
	args := []string{"copy", "--store", into, "--from", h.URL, "--no-check-sigs", top.String()}
	begin := time.Now()
	if out, err := run(append([]string{"copy", "--store", filepath.Join(dir, "whole")}, args[3:]...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(begin)
	killed, finished := 0, 0
	for range tries {
		cmd := run(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(mrand.Int64N(int64(whole))))
		cmd.Process.Signal(syscall.SIGKILL)
		if err := cmd.Wait(); err == nil {
			finished++
			os.RemoveAll(into) // begin anew; nothing in it is read-only for long
			exec.Command("chmod", "-R", "u+w", into).Run()
			os.RemoveAll(into)
			continue
		}
		killed++
		if _, err := os.Stat(filepath.Join(into, "nix/var/nix/db/schema")); err != nil {
			continue // killed before there was a store
		}
		if err := verifyStore(into); err != nil {
			t.Fatalf("after kill %d: %v", killed, err)
		}
		nixWitness(t, into)
	}
	if out, err := run(args...).CombinedOutput(); err != nil {
		t.Fatalf("the copy after %d kills: %v\n%s", killed, err, out)
	}
	if err := verifyStore(into); err != nil {
		t.Fatal(err)
	}
	nixWitness(t, into)
	t.Logf("%d copies begun, %d killed, %d had finished; lost: 0", tries, killed, finished)
}

// chain adds n objects of random content, each of which refers to the one before.
func chain(t *testing.T, st *store.Local, n int) storepath.Path {
	t.Helper()
	var last storepath.Path
	for range n {
		content := make([]byte, 200<<10)
		rand.Read(content)
		var refs []storepath.Path
		if !last.IsZero() {
			refs = append(refs, last)
		}
		p, err := st.AddText(context.Background(), "link", last.String()+string(content), refs)
		if err != nil {
			t.Fatal(err)
		}
		last = p
	}
	return last
}

// nixWitness lets C++ Nix check a store, where GONIX_TEST_FULL asks for it.
func nixWitness(t *testing.T, root string) {
	t.Helper()
	if os.Getenv("GONIX_TEST_FULL") != "1" {
		return
	}
	cmd := exec.Command("nix-store", "--store", root, "--verify", "--check-contents")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NIX_") }),
		"HOME="+t.TempDir(), "NIX_CONFIG=build-users-group =\nsubstitute = false")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "error") {
		t.Fatalf("nix-store --verify: %v\n%s", err, out)
	}
}
