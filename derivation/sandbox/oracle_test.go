//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// TestAgainstNix builds the same derivations with C++ Nix and compares.
func TestAgainstNix(t *testing.T) {
	const shell = "/bin/busybox"
	skip := func(err error) {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skipf("%v; GONIX_TEST_FULL=1 makes that a failure", err)
	}
	needSandbox(t)
	if _, err := exec.LookPath("nix-build"); err != nil {
		skip(err)
	}
	if _, err := os.Stat(shell); err != nil {
		skip(err)
	}
	theirs, ours := t.TempDir(), t.TempDir()
	nix := func(root, program string, args ...string) string {
		t.Helper()
		args = append(args, "--store", root, "--option", "build-users-group", "", "--option", "substitute", "false")
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "NIX_REMOTE=", "NIX_CONFIG=", "HOME="+root)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %v: %v", program, args, err)
		}
		return string(out)
	}
	nix(theirs, "nix-build", "testdata/oracle.nix", "--no-out-link", "--cores", "3", "--option", "sandbox", "true", "--option", "sandbox-paths", "/bin/sh="+shell)

	// Nix makes the derivations in our store, too, and we only build them.
	drvs := strings.Fields(nix(ours, "nix-instantiate", "testdata/oracle.nix"))
	s, err := store.Open(ours, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		for _, root := range []string{theirs, ours} {
			store.RemoveTree(root + "/nix")
		}
	})
	var goals []build.Goal
	for _, d := range drvs {
		goals = append(goals, build.Goal{Drv: storepath.MustParse(strings.TrimSuffix(d, "!out"))})
	}
	results, err := build.Run(t.Context(), s, goals, build.Options{Cores: 3, Builders: map[string]build.Builder{"": &Builder{Shell: shell}}})
	if err != nil {
		t.Fatal(err)
	}
	known := strings.NewReplacer(`,"valid":true`, "") // since Nix 2.20
	for _, r := range results {
		for name, p := range r.Outputs {
			info, err := s.Info(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			hash := nix(theirs, "nix-store", "--query", "--hash", p.String())
			refs := strings.Fields(nix(theirs, "nix-store", "--query", "--references", p.String()))
			slices.Sort(refs)
			var own []string
			for _, ref := range info.References {
				own = append(own, ref.String())
			}
			if !slices.Equal(refs, own) {
				t.Errorf("%s: references %v, Nix has %v", p, own, refs)
			}
			if info.NarHash.Prefixed32() == strings.TrimSpace(hash) {
				continue
			}
			a, _ := os.ReadFile(theirs + p.String())
			b, _ := os.ReadFile(ours + p.String())
			if len(b) == 0 || string(a) != known.Replace(string(b)) {
				t.Errorf("%s of %s: Nix has:\n%s\nwe have:\n%s", name, r.Drv, a, b)
			}
		}
	}
	// What we made must please the judge, log files included.
	nix(ours, "nix-store", "--verify", "--check-contents")
	if log := nix(ours, "nix-store", "--read-log", results[0].Drv.String()); log != "" && testing.Verbose() {
		fmt.Println(log)
	}
}
