package builtin_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonix/eval"
	"gonix/eval/render"
)

var update = flag.Bool("update", false, "write the outcomes to testdata")

// testCase is one expression of testdata/okay.txt or fail.txt.
type testCase struct {
	expr string
	own  bool // Nix 2.8 has no such outcome
}

func readCases(t *testing.T, file string) []testCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []testCase
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		expr, own := strings.CutPrefix(line, "|")
		out = append(out, testCase{expr, own})
	}
	return out
}

// evalText evaluates an expression strictly and prints it, or its error
// without a trace.
func evalText(expr, dir string) (string, error) {
	s := eval.New(eval.Options{Trace: io.Discard, System: "x86_64-linux"})
	v, err := s.EvalString(expr, dir, "«string»")
	if err != nil {
		return "", err
	}
	if err := s.Thread().DeepForce(v, 0); err != nil {
		return "", err
	}
	return render.Text(s.Thread(), v)
}

func TestOkay(t *testing.T) {
	var got strings.Builder
	for _, c := range readCases(t, "testdata/okay.txt") {
		out, err := evalText(c.expr, "/")
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
		}
		fmt.Fprintln(&got, out)
	}
	const golden = "testdata/okay.out"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	compareOutcomes(t, readCases(t, "testdata/okay.txt"), got.String(), string(want))
}

// compareOutcomes compares printed values, one a line, of the cases that have
// an outcome in both.
func compareOutcomes(t *testing.T, cases []testCase, got, want string) {
	t.Helper()
	g, w := strings.Split(strings.TrimSuffix(got, "\n"), "\n"), strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	if len(g) != len(cases) || len(w) != len(cases) {
		t.Fatalf("%d cases, %d and %d outcomes", len(cases), len(g), len(w))
	}
	for i, c := range cases {
		if g[i] != w[i] {
			t.Errorf("%s\n got %s\nwant %s", c.expr, g[i], w[i])
		}
	}
}

// needNix skips a test where the program is missing, unless the full test is
// asked for.
func needNix(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nix-instantiate"); err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("nix-instantiate is not installed")
	}
}

// TestOkayOracle compares the outcomes with those of C++ Nix.
func TestOkayOracle(t *testing.T) {
	needNix(t)
	var cases []testCase
	var file, got strings.Builder
	args := []string{"--eval", "--strict", filepath.Join(t.TempDir(), "cases.nix")}
	file.WriteString("{\n")
	for _, c := range readCases(t, "testdata/okay.txt") {
		if c.own {
			continue
		}
		fmt.Fprintf(&file, "t%d =\n%s;\n", len(cases), c.expr)
		args = append(args, "-A", fmt.Sprintf("t%d", len(cases)))
		out, err := evalText(c.expr, filepath.Dir(args[2]))
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
		}
		fmt.Fprintln(&got, out)
		cases = append(cases, c)
	}
	file.WriteString("}\n")
	if err := os.WriteFile(args[2], []byte(file.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nix-instantiate", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	want, err := cmd.Output()
	if err != nil {
		done := strings.Count(string(want), "\n") // outcomes are one a line
		t.Fatalf("Nix: %v\n%s\n%s", err, cases[min(done, len(cases)-1)].expr, stderr.String())
	}
	compareOutcomes(t, cases, got.String(), string(want))
}
