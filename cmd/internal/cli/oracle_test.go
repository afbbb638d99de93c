package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/value"
)

// top is the root of the tree, seen from this package.
const top = "../../.."

// drvPathsOf is an expression whose value maps names to the derivation paths
// of what file holds: one derivation, a set of them, or a function of either.
func drvPathsOf(file string) string {
	return fmt.Sprintf(`let
  file = import %s;
  value = if builtins.isFunction file then file { } else file;
  set = value.all or value;
  names = builtins.filter (name: set.${name} ? drvPath) (builtins.attrNames set);
in
if value ? drvPath then { result = value.drvPath; }
else builtins.listToAttrs (map (name: { inherit name; value = set.${name}.drvPath; }) names)`, file)
}

// strictly evaluates expr with the tree's package set and a store that only
// computes.
func strictly(t *testing.T, expr string) (*eval.State, value.Value) {
	t.Helper()
	inst := instantiate.New(t.Context(), instantiate.Options{Store: instantiate.ReadOnly(nil)})
	set, err := filepath.Abs(filepath.Join(top, "nixpkgs-lite"))
	if err != nil {
		t.Fatal(err)
	}
	s := eval.New(eval.Options{
		SearchPath: []eval.SearchEntry{{Prefix: "nixpkgs", Path: set}},
		System:     "x86_64-linux",
		Builtins:   inst.Builtins(),
		Paths:      inst,
	})
	v, err := s.EvalString(expr, set, "«string»")
	if err == nil {
		err = s.Thread().DeepForce(v, 0)
	}
	if err != nil {
		t.Fatal(s.RenderError(err, true, false))
	}
	return s, v
}

// TestLibrary runs the package set's own cases of its functions: the value is
// the list of those that fail.
func TestLibrary(t *testing.T) {
	for _, file := range []string{"lib.nix", "docker.nix"} {
		s, v := strictly(t, "import ./tests/"+file)
		failed, err := s.Thread().List(v, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		if n := len(failed.Elems); n > 0 {
			t.Errorf("%d cases of tests/%s fail: %s", n, file, s.Thread().Show(v))
		}
	}
}

// ownDrvPaths evaluates expr here.
func ownDrvPaths(t *testing.T, expr string) map[string]string {
	t.Helper()
	s, v := strictly(t, expr)
	th := s.Thread()
	attrs, err := th.Attrs(v, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, a := range attrs.All() {
		str, err := th.String(a.Val, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		paths[s.Symbols().Name(a.Sym)] = str.S
	}
	return paths
}

// nixDrvPaths asks C++ Nix.
func nixDrvPaths(t *testing.T, nix, expr string) map[string]string {
	t.Helper()
	set, err := filepath.Abs(filepath.Join(top, "nixpkgs-lite"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nix, "--store", t.TempDir(), "--eval", "--strict", "--json",
		"-I", "nixpkgs="+set, "-E", expr)
	cmd.Env = append(os.Environ(), "NIX_PATH=", "HOME="+t.TempDir(), "NIX_CONFIG=system = x86_64-linux\nbuild-users-group =")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("nix-instantiate: %v\n%s", err, &stderr)
	}
	var paths map[string]string
	if err := json.Unmarshal(out, &paths); err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestDerivationPaths compares every derivation of the package set and of the
// examples with what C++ Nix makes of the same files. The path of a derivation
// depends on all that goes into it, so equal paths mean equal graphs.
func TestDerivationPaths(t *testing.T) {
	needNix(t)
	files, err := filepath.Glob(filepath.Join(top, "dockertools/examples/*.nix"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	files = append(files, filepath.Join(top, "nixpkgs-lite/tests"))
	compared := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			abs, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			expr := drvPathsOf(abs)
			own, want := ownDrvPaths(t, expr), nixDrvPaths(t, cxxNix, expr)
			if len(want) == 0 {
				t.Error("there is nothing to compare")
			}
			for name, path := range want {
				compared++
				if own[name] != path {
					t.Errorf("%s:\n  got  %s\n  want %s", name, own[name], path)
				}
			}
			if len(own) != len(want) {
				t.Errorf("%d names, want %d", len(own), len(want))
			}
		})
	}
	t.Logf("compared %d derivations", compared)
}
