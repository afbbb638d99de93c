package ere

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

// needNix skips the test where the program is missing, unless the full test is
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

// errSlow is for patterns on which Nix itself takes exponential time.
var errSlow = errors.New("takes Nix too long")

// errPattern is Nix's error for a bad pattern.
var errPattern = errors.New("Nix refuses a pattern")

// nixEval evaluates an expression with Nix. The error is errSlow or errPattern.
func nixEval(t *testing.T, expr string, limit time.Duration) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nix-instantiate", "--eval", "--strict", "--json", "-")
	cmd.Stdin = strings.NewReader(expr)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, errSlow
	case strings.Contains(stderr.String(), "regular expression"):
		return nil, errPattern
	}
	t.Fatalf("%v\n%s\n%s", err, expr, stderr.String())
	return nil, nil
}

func quoteNix(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(s) + `"`
}

// splitOf is what builtins.split returns.
func splitOf(re *Regexp, s string) []any {
	out := []any{}
	rest := 0
	search := re.Search(s)
	for found := search.Find(0, false); found != nil; {
		out = append(out, s[rest:found[0]], groupsOf(s, found))
		rest = found[1]
		next := rest
		if found[0] == rest {
			next++
		}
		if next > len(s) {
			break
		}
		found = search.Find(next, true)
	}
	return append(out, s[rest:])
}

func groupsOf(s string, found []int) any {
	if found == nil {
		return nil
	}
	out := []any{}
	for i := 2; i < len(found); i += 2 {
		if found[i+1] < 0 {
			out = append(out, nil)
		} else {
			out = append(out, s[found[i]:found[i+1]])
		}
	}
	return out
}

// randomPattern makes patterns that are mostly valid.
func randomPattern(r *rand.Rand, depth int) string {
	var b strings.Builder
	for range 1 + r.IntN(3) {
		switch n := r.IntN(14); {
		case n < 5:
			b.WriteByte("abc"[r.IntN(3)])
		case n < 6:
			b.WriteString([]string{".", "[ab]", "[^a]", "[a-b]", "[]a]", "[b-]", "[[:alpha:]]", "[^]c-]"}[r.IntN(8)])
		case n < 7:
			b.WriteString([]string{"^", "$", "a^", `\.`}[r.IntN(4)])
			continue
		case n < 8:
			b.WriteByte('|')
			continue
		default:
			if depth > 0 {
				b.WriteString("(" + randomPattern(r, depth-1) + ")")
			} else {
				b.WriteByte('b')
			}
		}
		if r.IntN(2) == 0 {
			b.WriteString([]string{"*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}", "**", "+?"}[r.IntN(9)])
		}
	}
	return b.String()
}

func randomText(r *rand.Rand) string {
	b := make([]byte, r.IntN(8))
	for i := range b {
		b[i] = "aabbc.]"[r.IntN(7)]
	}
	return string(b)
}

// oracleCase is a pattern with a text and what this package makes of them.
type oracleCase struct {
	pattern, text string
	split, match  any
}

// compare checks cases against Nix, all in one process; if that takes too long,
// each in its own.
func compare(t *testing.T, cases []oracleCase) {
	t.Helper()
	var expr strings.Builder
	expr.WriteString("[")
	for _, c := range cases {
		p, s := quoteNix(c.pattern), quoteNix(c.text)
		fmt.Fprintf(&expr, "[ (builtins.split %s %s) (builtins.match %s %s) ]\n", p, s, p, s)
	}
	expr.WriteString("]")
	out, err := nixEval(t, expr.String(), 5*time.Second)
	if err != nil && len(cases) > 1 {
		for i := range cases {
			compare(t, cases[i:i+1])
		}
		return
	}
	if err != nil {
		if err == errPattern {
			t.Errorf("Nix refuses %q", cases[0].pattern)
		}
		return
	}
	var want [][2]any
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if !reflect.DeepEqual(c.split, want[i][0]) {
			t.Errorf("split %q %q = %v, want %v", c.pattern, c.text, c.split, want[i][0])
		}
		if !reflect.DeepEqual(c.match, want[i][1]) {
			t.Errorf("match %q %q = %v, want %v", c.pattern, c.text, c.match, want[i][1])
		}
	}
}

// TestOracleRandom compares random patterns with Nix.
func TestOracleRandom(t *testing.T) {
	needNix(t)
	batches, depth := 3, 1
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		batches, depth = 20, 2
	}
	r := rand.New(rand.NewPCG(1, 7))
	for range batches {
		var cases []oracleCase
		for len(cases) < 100 {
			c := oracleCase{pattern: randomPattern(r, depth), text: randomText(r)}
			re, err := Compile(c.pattern)
			if err != nil {
				continue
			}
			c.split, c.match = splitOf(re, c.text), groupsOf(c.text, re.Match(c.text))
			cases = append(cases, c)
		}
		compare(t, cases)
	}
}

// TestOracleErrors checks that Nix refuses what Compile refuses.
func TestOracleErrors(t *testing.T) {
	needNix(t)
	for i, pattern := range badPatterns {
		if i%5 != 0 && os.Getenv("GONIX_TEST_FULL") != "1" {
			continue // a process each
		}
		if out, err := nixEval(t, "builtins.match "+quoteNix(pattern)+` "a"`, time.Minute); err == nil {
			t.Errorf("Nix takes %q: %s", pattern, out)
		}
	}
}
