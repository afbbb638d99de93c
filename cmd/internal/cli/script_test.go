package cli

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/sandbox"
	"gonix/derivation/store"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"
)

// cxxNix is the nix-instantiate of C++ Nix, "" if there is none. It is looked
// for before testscript.Main puts our own program of that name in front of it.
var cxxNix string

// needNix skips a test where there is no C++ Nix to compare with.
func needNix(t *testing.T) {
	t.Helper()
	switch {
	case cxxNix != "":
	case os.Getenv("GONIX_TEST_FULL") == "1":
		t.Fatal("C++ Nix is not here to compare with")
	default:
		t.Skip("C++ Nix is not here to compare with; GONIX_TEST_FULL=1 makes that a failure")
	}
}

func TestMain(m *testing.M) {
	sandbox.Main()
	cxxNix, _ = exec.LookPath("nix-instantiate")
	testscript.Main(m, map[string]func(){
		"gonix":           func() { os.Exit(Main("gonix", os.Args[1:])) },
		"gonix-build":     func() { os.Exit(Main("gonix-build", os.Args[1:])) },
		"gonix-repl":      func() { os.Exit(Main("gonix-repl", os.Args[1:])) },
		"nix-build":       func() { os.Exit(Main("nix-build", os.Args[1:])) },
		"nix-instantiate": func() { os.Exit(Main("nix-instantiate", os.Args[1:])) },
	})
}

// buildActor compiles the builder that the tests' derivations use.
func buildActor(t *testing.T) string {
	t.Helper()
	actor := filepath.Join(t.TempDir(), "actor")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", actor, "./testdata/actor")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the actor: %v\n%s", err, out)
	}
	return actor
}

// needSandbox skips a test where no derivation can be built.
func needSandbox(t *testing.T) {
	t.Helper()
	if err := sandbox.Check(context.Background()); err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// verifyStore fails the test if the store below root is damaged.
func verifyStore(root string) error {
	s, err := store.Open(root, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	problems, err := s.Verify(context.Background(), true)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("the store is damaged: %v", problems)
	}
	return nil
}

// TestScript runs testdata/script/*.txtar, one test each. A script that builds
// begins with [!sandbox] skip.
func TestScript(t *testing.T) {
	actor := buildActor(t)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hello":
			fmt.Fprint(w, "hello\n")
		case "/tree.tar.gz":
			z := gzip.NewWriter(w)
			a := tar.NewWriter(z)
			a.WriteHeader(&tar.Header{Name: "tree-1/hello", Mode: 0o644, Size: 6})
			fmt.Fprint(a, "hello\n")
			a.Close()
			z.Close()
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	images := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(images.Close)
	t.Cleanup(files.Close)                          // the scripts outlive this function
	closed, err := net.Listen("tcp", "127.0.0.1:0") // a port where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()

	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			data, err := os.ReadFile(actor)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "actor"), data, 0o755); err != nil {
				return err
			}
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "data"))
			env.Setenv("FILES", files.URL)
			env.Setenv("REGISTRY", strings.TrimPrefix(images.URL, "http://"))
			env.Setenv("CLOSED", "http://"+closed.Addr().String())
			env.Setenv("PATH", env.Getenv("PATH"))
			env.Setenv("PROGRAMS", filepath.SplitList(env.Getenv("PATH"))[0]) // the ones under test
			// No test asks the public cache.
			conf := filepath.Join(env.WorkDir, "conf")
			if err := os.MkdirAll(conf, 0o755); err != nil {
				return err
			}
			env.Setenv("NIX_CONF_DIR", conf)
			return os.WriteFile(filepath.Join(conf, "gonix.conf"), []byte("substituters =\n"), 0o644)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// verify: the store must be whole.
			"verify": func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Check(verifyStore(ts.Getenv("XDG_DATA_HOME") + "/gonix"))
			},
			// emptied DIR: all files in a folder lose their content.
			"emptied": func(ts *testscript.TestScript, neg bool, args []string) {
				files, err := filepath.Glob(ts.MkAbs(args[0]) + "/*")
				ts.Check(err)
				for _, f := range files {
					ts.Check(os.Truncate(f, 0))
				}
			},
			// expand FILE: replace $NAME in a file by the environment's value.
			"expand": func(ts *testscript.TestScript, neg bool, args []string) {
				for _, name := range args {
					path := ts.MkAbs(name)
					text, err := os.ReadFile(path)
					ts.Check(err)
					out := string(text)
					for _, v := range []string{"FILES", "CLOSED", "WORK"} {
						out = strings.ReplaceAll(out, "@"+v+"@", ts.Getenv(v))
					}
					ts.Check(os.WriteFile(path, []byte(out), 0o644))
				}
			},
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "sandbox":
				return sandbox.Check(context.Background()) == nil, nil
			case "full":
				return os.Getenv("GONIX_TEST_FULL") == "1", nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
	})
}
