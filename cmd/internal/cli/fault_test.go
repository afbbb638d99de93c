package cli

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// bench is a folder with an actor, expressions and a store, and runs the
// command in processes of their own, so that they can be killed.
type bench struct {
	t    *testing.T
	dir  string
	self string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	needSandbox(t)
	b := &bench{t: t, dir: t.TempDir()}
	data, err := os.ReadFile(buildActor(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "actor"), data, 0o755); err != nil {
		t.Fatal(err)
	}
	// The command is built once more rather than being this test binary, so
	// that it is the program users have.
	b.self = filepath.Join(b.dir, "gonix-build")
	cmd := exec.Command("go", "build", "-pgo=off", "-o", b.self, "gonix/cmd/gonix-build") // what the tests have compiled
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	b.write("act.nix", `name: args: derivation { inherit name args; system = builtins.currentSystem; builder = ./actor; }`)
	return b
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) command(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	cmd := exec.Command(b.self, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+b.dir+"/data", "HOME="+b.dir, "NIX_CONF_DIR="+b.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd, &stdout, &stderr
}

// build runs the command to its end.
func (b *bench) build(args ...string) (string, error) {
	cmd, stdout, stderr := b.command(args...)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, stderr)
	}
	return strings.TrimSpace(stdout.String()), nil
}

func (b *bench) verify() {
	b.t.Helper()
	if err := verifyStore(filepath.Join(b.dir, "data/gonix")); err != nil {
		b.t.Error(err)
	}
}

// slow is an expression whose two derivations take a while.
func slow(name string, ms int) string {
	return fmt.Sprintf(`let dep = import ./act.nix "%[1]s-dep" [ "slow" "%[2]d" "dep" ];
in import ./act.nix "%[1]s" [ "slow" "%[2]d" "whole ${dep}" ]`, name, ms)
}

// TestTwoAtOnce builds the same thing in several processes: one builds, the
// others wait and take its result.
func TestTwoAtOnce(t *testing.T) {
	b := newBench(t)
	b.write("x.nix", slow("shared", 400))
	var wg sync.WaitGroup
	paths, errs := make([]string, 3), make([]error, 3)
	for i := range paths {
		wg.Go(func() { paths[i], errs[i] = b.build("x.nix", "-o", fmt.Sprint("r", i)) })
	}
	wg.Wait()
	for i := range paths {
		if errs[i] != nil || paths[i] != paths[0] || paths[i] == "" {
			t.Errorf("process %d: %q, %v", i, paths[i], errs[i])
		}
	}
	b.verify()
}

// TestKilled kills the command at random moments; afterwards the store is
// whole and the next run succeeds.
func TestKilled(t *testing.T) {
	b := newBench(t)
	for i := range 8 {
		b.write("x.nix", slow(fmt.Sprint("k", i), 150))
		cmd, _, _ := b.command("x.nix", "-o", "r")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		b.verify()
		if _, err := b.build("x.nix", "-o", "r"); err != nil {
			t.Errorf("round %d: the next run: %v", i, err)
		}
		if text, err := os.ReadFile(filepath.Join(b.dir, "r")); err != nil || !strings.HasPrefix(string(text), "whole ") {
			t.Errorf("round %d: %q, %v", i, text, err)
		}
	}
	b.verify()
}

// TestInterrupted sends what Ctrl-C sends: the builders end with the command,
// which says so.
func TestInterrupted(t *testing.T) {
	b := newBench(t)
	b.write("x.nix", slow("int", 30_000))
	cmd, _, stderr := b.command("x.nix")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(700 * time.Millisecond)
	began := time.Now()
	cmd.Process.Signal(syscall.SIGINT)
	err := cmd.Wait()
	if err == nil || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("ended with %v: %s", err, stderr)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("took %v to end", d)
	}
	b.verify()
	b.write("x.nix", slow("int", 1))
	if _, err := b.build("x.nix"); err != nil {
		t.Error(err)
	}
}

// TestDiskFull builds on a file system that is too small, in a mount
// namespace of its own; with more room the same store goes on.
func TestDiskFull(t *testing.T) {
	b := newBench(t)
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("unshare(1) is needed to mount a small file system: ", err)
	}
	b.write("big.nix", `import ./act.nix "big" [ "fill" "64" ]`)
	b.write("small.nix", `import ./act.nix "small" [ "write" "x" ]`)
	script := `set -e
mkdir -p data && mount -t tmpfs -o size=40m none data
cp -r old data/gonix 2>/dev/null || true
if ./gonix-build big.nix 2>err; then echo "the big build succeeded"; exit 1; fi
grep -q "No space left\|no space left" err || { cat err; exit 1; }
./gonix-build small.nix -o small
mount -o remount,size=400m data
./gonix-build big.nix -o big
cp -r data/gonix after`
	cmd := exec.Command(unshare, "--map-root-user", "--mount", "sh", "-c", script)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+b.dir+"/data", "HOME="+b.dir, "NIX_CONF_DIR="+b.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := verifyStore(filepath.Join(b.dir, "after")); err != nil {
		t.Error(err)
	}
}
