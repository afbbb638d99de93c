package builtin_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gonix/eval/value"
)

func TestFail(t *testing.T) {
	var got strings.Builder
	for _, c := range readCases(t, "testdata/fail.txt") {
		out, err := evalText(c.expr, "/")
		e, ok := errors.AsType[*value.Error](err)
		if !ok {
			t.Errorf("%s = %s, %v; want an error", c.expr, out, err)
			continue
		}
		fmt.Fprintf(&got, "%s\n    %s\n", c.expr, strings.ReplaceAll(e.Msg, "\n", "\n    "))
		for _, f := range e.Frames {
			if !f.Call {
				fmt.Fprintf(&got, "    … %s\n", f.Msg)
			}
		}
	}
	const golden = "testdata/fail.out"
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
	if got.String() != string(want) {
		t.Errorf("errors differ from %s (-update writes it):\n%s", golden, firstDifference(got.String(), string(want)))
	}
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(g), len(w))
}

// TestFailOracle checks that C++ Nix has an error too.
func TestFailOracle(t *testing.T) {
	needNix(t)
	if testing.Short() || os.Getenv("GONIX_TEST_FULL") != "1" {
		t.Skip("one process an expression: set GONIX_TEST_FULL=1")
	}
	for _, c := range readCases(t, "testdata/fail.txt") {
		if c.own {
			continue
		}
		cmd := exec.Command("nix-instantiate", "--eval", "--strict", "-E", c.expr)
		if out, err := cmd.Output(); err == nil {
			t.Errorf("%s = %s in Nix", c.expr, out)
		}
	}
}
