package instantiate_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/storepath"
)

var update = flag.Bool("update", false, "make the golden files again with nix-instantiate")

const (
	casesFile = "testdata/cases.nix"
	golden    = "testdata/golden"
)

// The expressions that give, as JSON, the .drv path of each derivation and the
// value of everything else in cases.nix.
const (
	drvsExpr   = `f: builtins.mapAttrs (n: d: builtins.unsafeDiscardStringContext d.drvPath) (import f).drvs`
	valuesExpr = `f: (import f).values`
)

// cxxNix is C++ Nix with a store of its own.
type cxxNix struct {
	t       *testing.T
	program string
	root    string
}

func newCxxNix(t *testing.T) cxxNix {
	t.Helper()
	program, err := exec.LookPath("nix-instantiate")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal("nix-instantiate is not installed")
		}
		t.Skip("nix-instantiate is not installed")
	}
	return cxxNix{t, program, t.TempDir()}
}

// json evaluates a function of cases.nix.
func (n cxxNix) json(fn string) string {
	n.t.Helper()
	file, err := filepath.Abs(casesFile)
	if err != nil {
		n.t.Fatal(err)
	}
	store := "local?root=" + n.root
	cmd := exec.Command(n.program, "--store", store, "--eval", "--read-write-mode", "--strict", "--json", "-E", "("+fn+") "+file)
	cmd.Env = append(os.Environ(), "NIX_REMOTE="+store, "HOME="+n.root)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		n.t.Fatalf("nix-instantiate: %v\n%s", err, stderr.String())
	}
	return string(out)
}

// text reads a .drv file of the store.
func (n cxxNix) text(p storepath.Path) string {
	n.t.Helper()
	text, err := os.ReadFile(filepath.Join(n.root, p.String()))
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

func writeGolden(t *testing.T) {
	nix := newCxxNix(t)
	if err := os.RemoveAll(golden); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(golden, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(golden, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	drvs := nix.json(drvsExpr)
	for name, p := range paths(t, drvs) {
		write(name+".drv", nix.text(p))
	}
	write("drvs.json", indent(t, drvs))
	write("values.json", indent(t, nix.json(valuesExpr)))
}

// indent spreads JSON over lines, so that a change shows in a diff.
func indent(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

func paths(t *testing.T, text string) map[string]storepath.Path {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out := map[string]storepath.Path{}
	for name, s := range m {
		p, err := storepath.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = p
	}
	return out
}

func readGolden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(golden, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGolden compares with what C++ Nix made of the same file: the text of
// every derivation byte by byte, its path, and all other values.
func TestGolden(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	for _, keeping := range []bool{true, false} {
		name := "computing"
		if keeping {
			name = "keeping"
		}
		t.Run(name, func(t *testing.T) {
			e := newEvaluation(t, keeping)
			got := paths(t, e.json(drvsExpr))
			want := paths(t, readGolden(t, "drvs.json"))
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if keeping {
					if text, exp := e.text(got[name]), readGolden(t, name+".drv"); text != exp {
						t.Errorf("%s:\n got %s\nwant %s", name, text, exp)
						continue
					}
				}
				if got[name] != want[name] {
					t.Errorf("%s: %s, want %s", name, got[name], want[name])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d derivations, want %d", len(got), len(want))
			}
			if values, exp := indent(t, e.json(valuesExpr)), readGolden(t, "values.json"); values != exp {
				t.Errorf("values:\n got %s\nwant %s", values, exp)
			}
		})
	}
}

// TestAgainstNix compares with the Nix that is installed.
func TestAgainstNix(t *testing.T) {
	nix := newCxxNix(t)
	e := newEvaluation(t, true)
	got, want := paths(t, e.json(drvsExpr)), paths(t, nix.json(drvsExpr))
	for name, p := range want {
		if text, exp := e.text(got[name]), nix.text(p); got[name] != p || text != exp {
			t.Errorf("%s: %s, want %s:\n got %s\nwant %s", name, got[name], p, text, exp)
		}
	}
	if values, exp := indent(t, e.json(valuesExpr)), indent(t, nix.json(valuesExpr)); values != exp {
		t.Errorf("values:\n got %s\nwant %s", values, exp)
	}
}
