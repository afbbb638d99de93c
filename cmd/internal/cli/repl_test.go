package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEndBySignal ends a session in the middle of an evaluation, and while it
// waits for a line.
func TestEndBySignal(t *testing.T) {
	for _, c := range []struct {
		name, input string
		signal      os.Signal
	}{
		{"evaluating", "let f = n: if n == 0 then 0 else f (n - 1); in map (x: f 9000) (builtins.genList (x: x) 1000000)\n", syscall.SIGTERM},
		{"waiting", "", os.Interrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command("gonix", "repl", "--store", "dummy://")
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			if _, err := io.ReadFull(out, make([]byte, len("nix-repl> "))); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(in, c.input); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
			io.Copy(io.Discard, out)
			err = cmd.Wait()
			if !late.Stop() {
				t.Error("it does not end")
			}
			if cmd.ProcessState.ExitCode() != 130 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// sameInNix are inputs whose output is the same in all versions of Nix but for
// white space and places.
const sameInNix = `1 + 1
-1.5e10
1.0
"a\nb\t\"\\"
null
{ a = 1; b = { c = 2; }; }
:p { a = 1; b = { c = [ true { } [ ] ]; }; }
[ 1 [ 2 ] { a = 3; } null "s" 1.5 ]
{ }
[ ]
:p { a.b.c = [ [ ] [ [ ] ] ]; "x y" = 1; }
:t 1
:t 1.5
:t "a"
:t { }
:t [ ]
:t null
:t x: x
:t /tmp
x = 5
x + 1
f = n: n * x
x = 6
f 2
s = rec { a = 1; b = a + 1; }
s
s.b
with s; a + b
:a { added = 7; }
added
let a = 1; in
a + x
{ bad = 1 + 1; good = builtins.add 1 2; }
builtins.map (x: x * 2) [ 1 2 3 ]
builtins.attrNames { b = 1; a = 2; }
builtins.typeOf ./.
/tmp/x
derivation { name = "d"; system = "s"; builder = "b"; }
:p { d = derivation { name = "d"; system = "s"; builder = "b"; }; }
throw "an error"
nothing
:nothing
:t nothing
"after the errors"
`

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// answers runs a session and returns what was printed for each input: without
// colours, prompts and repeated input, on one line.
func answers(t *testing.T, cmd *exec.Cmd, input string) string {
	t.Helper()
	// Each input announces itself, as not all versions of Nix repeat it.
	var marked strings.Builder
	for line := range strings.Lines(input) {
		if !strings.HasPrefix(line, "a + x") { // the end of the line before
			fmt.Fprintf(&marked, "\"input: \" + %q\n", strings.NewReplacer("\n", "", "\"", "'", "\\", "/", "$", "%").Replace(line))
		}
		marked.WriteString(line)
	}
	cmd.Stdin = strings.NewReader(marked.String())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	var lines []string
	for line := range strings.Lines(colours.ReplaceAllString(string(out), "")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "nix-repl>") || strings.HasSuffix(line, "a + x") {
			continue
		}
		if text, ok := strings.CutPrefix(line, `"input: `); ok {
			lines = append(lines, text+" =>")
		} else if line != "" && len(lines) > 0 {
			lines[len(lines)-1] += " " + line
		}
	}
	return strings.Join(lines, "\n")
}

// TestReplSame feeds the same session to C++ Nix and compares the values. (The
// errors go to standard error and have their own tests.)
func TestReplSame(t *testing.T) {
	nix, err := exec.LookPath("nix")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("C++ Nix is not here to compare with: ", err)
	}
	env := append(os.Environ(), "HOME="+t.TempDir(), "NIX_PATH=", "NIX_CONFIG=build-users-group =")
	theirs := exec.Command(nix, "--extra-experimental-features", "nix-command", "repl", "--store", t.TempDir())
	theirs.Env = env
	ours := exec.Command("gonix", "repl", "--store", t.TempDir())
	ours.Env = env
	want, got := answers(t, theirs, sameInNix), answers(t, ours, sameInNix)
	if n := strings.Count(want, "\n"); n < 35 {
		t.Fatalf("C++ Nix answered %d times only:\n%s", n, want)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-nix +gonix:\n%s", diff)
	}
}
