package eval_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/store"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/render"
	"gonix/parser/source"
)

var update = flag.Bool("update", false, "write what comes out as what is expected")

// newState returns a State that sees the test programs below /lang.
func newState(t testing.TB, change ...func(*eval.Options)) *eval.State {
	t.Helper()
	opt := eval.Options{
		Files:      eval.Files{Mounts: []eval.Mount{{Path: "/lang", FS: os.DirFS("testdata/lang")}}},
		SearchPath: []eval.SearchEntry{{Prefix: "lib", Path: "/lang/lib"}},
		System:     "x86_64-linux",
	}
	inst := instantiate.New(t.Context(), instantiate.Options{Store: new(store.Memory), Files: opt.Files})
	opt.Builtins, opt.Paths = inst.Builtins(), inst
	for _, f := range change {
		f(&opt)
	}
	return eval.New(opt)
}

// strictText evaluates a file as nix-instantiate --eval --strict does.
func strictText(s *eval.State, file string) (string, error) {
	v, err := s.EvalFile(file)
	if err != nil {
		return "", err
	}
	if err := s.Thread().DeepForce(v, source.NoPos); err != nil {
		return "", err
	}
	text, err := render.Text(s.Thread(), v)
	return text + "\n", err
}

// programs returns the base names of the test programs of a class.
func programs(t *testing.T, class string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/lang/" + class + "-*.nix")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs %s-*.nix: %v", class, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".nix")
	}
	return files
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestOkay(t *testing.T) {
	for _, name := range programs(t, "eval-okay") {
		t.Run(name, func(t *testing.T) {
			s := newState(t)
			got, err := strictText(s, "/lang/"+name+".nix")
			if err != nil {
				t.Fatal(s.RenderError(err, true, false))
			}
			golden(t, "testdata/lang/"+name+".exp", got)
		})
	}
}

func TestFail(t *testing.T) {
	for _, name := range programs(t, "eval-fail") {
		t.Run(name, func(t *testing.T) {
			s := newState(t)
			got, err := strictText(s, "/lang/"+name+".nix")
			if err == nil {
				t.Fatalf("evaluates to %s", got)
			}
			golden(t, "testdata/lang/"+name+".err.exp", s.RenderError(err, true, false)+"\n")
		})
	}
}

// TestNix compares with C++ Nix, which prints paths of this machine.
func TestNix(t *testing.T) {
	if os.Getenv("GONIX_TEST_FULL") != "1" {
		t.Skip("compares with nix-instantiate: set GONIX_TEST_FULL=1")
	}
	nix, err := exec.LookPath("nix-instantiate")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("testdata/lang")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range programs(t, "eval-okay") {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(nix, "--eval", "--strict", filepath.Join(dir, name+".nix"))
			cmd.Env = append(os.Environ(), "NIX_PATH=lib="+dir+"/lib")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			want, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			got, err := os.ReadFile("testdata/lang/" + name + ".exp")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(string(want), dir, "/lang"), string(got)); diff != "" {
				t.Errorf("-nix +gonix:\n%s", diff)
			}
		})
	}
}

// TestGoldens makes sure that no expectation is left without its program.
func TestGoldens(t *testing.T) {
	for class, suffix := range map[string]string{"eval-okay": ".exp", "eval-fail": ".err.exp"} {
		files, err := filepath.Glob("testdata/lang/" + class + "-*" + suffix)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, err := os.Stat(strings.TrimSuffix(f, suffix) + ".nix"); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
}
