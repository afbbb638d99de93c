// Package differ compares gonix with C++ Nix on random expressions.
//
// The generator writes expressions of the language and of all builtins that
// need nothing of the world. It follows forms, so that most expressions
// evaluate deeply, and errs now and then. The seed is fixed; GONIX_DIFFER has
// another, with the number of expressions: GONIX_DIFFER=7:100000.
package differ

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gonix/derivation/store"
	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/render"
	"gonix/parser/source"
)

// outcome is what an expression evaluates to: its text, or else its error.
type outcome struct {
	text    string
	message string // the error's last line, or its lines, without place and trace
	report  string // all that is printed about the error
}

func (o outcome) String() string {
	if o.report != "" {
		return o.report
	}
	return o.text
}

// home stands for the home directory, cwd for the one that ./x is relative to.
const home = "/nowhere/home"

// evaluateHere evaluates in this process.
func evaluateHere(t *testing.T, cwd, expr string) outcome {
	t.Helper()
	inst := instantiate.New(t.Context(), instantiate.Options{Store: new(store.Memory)})
	s := eval.New(eval.Options{Home: home, Cwd: cwd, System: "x86_64-linux", Builtins: inst.Builtins(), Paths: inst})
	v, err := s.EvalString(names, cwd, "«string»")
	if err == nil {
		v, err = s.EvalString(expr, cwd, "«string»")
	}
	if err == nil {
		err = s.Thread().DeepForce(v, source.NoPos)
	}
	var text string
	if err == nil {
		text, err = render.Text(s.Thread(), v)
	}
	if err != nil {
		report := s.RenderError(err, true, false)
		return outcome{message: message(report), report: comparable(report)}
	}
	return outcome{text: text}
}

// names is an expression with the names of attributes that others have. The
// order in which attributes are evaluated is that in which their names came up
// first, so that both programs need to see them in the same order.
const names = `[ { a = 1; b = 1; c = 1; d = 1; "x y" = 1; "if" = 1; or = 1; "é" = 1; "" = 1; "1a" = 1; x' = 1; "a.b" = 1; } ]`

// nix is a C++ Nix to compare with.
type nix struct {
	program string
	version string // 2.8.0
}

// newNix finds the program, or skips the test.
func newNix(t *testing.T) nix {
	t.Helper()
	program, err := exec.LookPath("nix-instantiate")
	if err == nil {
		var out []byte
		if out, err = exec.Command(program, "--version").Output(); err == nil {
			version := strings.TrimSpace(string(out))
			return nix{program, version[strings.LastIndexByte(version, ' ')+1:]}
		}
	}
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		t.Fatal(err)
	}
	t.Skip("C++ Nix is not here to compare with: ", err)
	return nix{}
}

// old reports whether this is Nix 2.8, the version of Debian 12, whose errors
// have other words.
func (n nix) old() bool { return strings.HasPrefix(n.version, "2.8.") }

// evaluate evaluates expressions in as few processes as there are errors among
// them: a process prints one result a line and ends at the first error.
func (n nix) evaluate(t *testing.T, cwd string, exprs []string) []outcome {
	var outcomes []outcome
	for len(outcomes) < len(exprs) {
		args := []string{"--store", "dummy://", "--eval", "--strict", "--show-trace", "-E", names}
		for _, expr := range exprs[len(outcomes):] {
			args = append(args, "-E", expr)
		}
		cmd := exec.CommandContext(t.Context(), n.program, args...)
		cmd.Dir = cwd
		cmd.Env = []string{"HOME=" + home, "NIX_PATH=", "NIX_CONFIG=system = x86_64-linux\nbuild-users-group =", "XDG_CACHE_HOME=" + cwd}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		_, results, _ := strings.Cut(stdout.String(), "\n") // without that of names
		for line := range strings.Lines(results) {
			outcomes = append(outcomes, outcome{text: strings.TrimSuffix(line, "\n")})
		}
		if err == nil && len(outcomes) < len(exprs) || len(outcomes) > len(exprs) {
			t.Errorf("%d results of %d", len(outcomes), len(exprs))
			return nil
		}
		if err != nil {
			report := stderr.String()
			if i := strings.LastIndex(report, "\nerror:"); i >= 0 {
				report = report[i+1:] // leave out what trace and warn print
			}
			o := outcome{message: message(report), report: comparable(report)}
			if _, ran := err.(*exec.ExitError); !ran {
				t.Error(err)
				return nil
			}
			outcomes = append(outcomes, o)
		}
	}
	return outcomes
}

// place matches the lines that come after an error's message.
var place = regexp.MustCompile(`(?m)\n+ *(at («|/).*:\d+:\d+:?$|\(use '--show-trace'|\(stack trace truncated|Try '|Did you mean|… )[\s\S]*`)

// lastError matches what comes before the message.
var lastError = regexp.MustCompile(`(?m)^ *error:`)

// message returns what a report says, without its place and trace.
func message(report string) string {
	at := lastError.FindAllStringIndex(report, -1)
	if at == nil {
		return ""
	}
	report = place.ReplaceAllString(report[at[len(at)-1][1]:], "")
	return strings.Trim(report, " \n")
}

// internal matches the lines of the derivation function, which is written in
// other words, and the advice after an error about the command line.
var internal = regexp.MustCompile(`derivation-internal\.nix:\d+:\d+:\n( *\d*\|.*\n)*|\nTry '.*`)

// comparable is a report without what may differ.
func comparable(report string) string {
	return strings.TrimRight(internal.ReplaceAllString(report, ""), "\n")
}

// agree reports whether the outcomes are the same, as far as versions of Nix
// agree with each other.
func (n nix) agree(expr string, own, want outcome) bool {
	if own == want || n.old() && own.text == want.text && own.message == want.message {
		return true
	}
	if n.old() && own.report != "" && want.report != "" && kind(own.message) == kind(want.message) {
		return true
	}
	for _, d := range differences {
		if d.old && !n.old() || !d.matches(expr, own, want) {
			continue
		}
		return true
	}
	return false
}

func TestRandomExpressions(t *testing.T) {
	n := newNix(t)
	seed, count := uint64(1), 500
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		count = 2000
	}
	if s := os.Getenv("GONIX_DIFFER"); s != "" {
		if _, err := fmt.Sscanf(s, "%d:%d", &seed, &count); err != nil {
			t.Fatalf("GONIX_DIFFER=%s: not SEED:COUNT", s)
		}
	}
	const batch = 100
	cwd := t.TempDir()
	start := time.Now()
	var wg sync.WaitGroup
	var mu sync.Mutex
	compared, failed, different := 0, 0, 0
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for first := 0; first < count; first += batch {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			g := newGenerator(seed<<32 + uint64(first))
			var exprs []string
			for range min(batch, count-first) {
				exprs = append(exprs, g.expression())
			}
			theirs := n.evaluate(t, cwd, exprs)
			for i, want := range theirs {
				own := evaluateHere(t, cwd, exprs[i])
				mu.Lock()
				compared++
				if own.report != "" {
					failed++
				}
				if !n.agree(exprs[i], own, want) {
					different++
					t.Errorf("%s\n  here: %s\n  Nix:  %s", exprs[i], own, want)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("compared %d expressions with Nix %s in %v, %d of them errors: %d differ", compared, n.version, time.Since(start).Round(time.Second), failed, different)
}
