package ere

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
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

// nixEval evaluates an expression with Nix; failed tells that it is an error.
func nixEval(t *testing.T, expr string) (out []byte, failed bool) {
	t.Helper()
	cmd := exec.Command("nix-instantiate", "--eval", "--strict", "--json", "-")
	cmd.Stdin = strings.NewReader(expr)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && !strings.Contains(stderr.String(), "regular expression") {
		t.Fatalf("%v\n%s\n%s", err, expr, stderr.String())
	}
	return out, err != nil
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

// TestOracleRandom compares random patterns with Nix.
func TestOracleRandom(t *testing.T) {
	needNix(t)
	n, depth := 300, 1 // Nix takes exponential time for some deeper ones
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		n, depth = 5000, 3
	}
	r := rand.New(rand.NewPCG(1, 7))
	type test struct {
		pattern, text string
		split, match  any
	}
	var tests []test
	var expr strings.Builder
	expr.WriteString("[")
	for len(tests) < n {
		tt := test{pattern: randomPattern(r, depth), text: randomText(r)}
		re, err := Compile(tt.pattern)
		if err != nil {
			continue
		}
		tt.split, tt.match = splitOf(re, tt.text), groupsOf(tt.text, re.Match(tt.text))
		tests = append(tests, tt)
		p, s := quoteNix(tt.pattern), quoteNix(tt.text)
		fmt.Fprintf(&expr, "[ (builtins.split %s %s) (builtins.match %s %s) ]\n", p, s, p, s)
	}
	expr.WriteString("]")
	out, failed := nixEval(t, expr.String())
	if failed {
		for _, tt := range tests {
			if _, failed := nixEval(t, fmt.Sprintf("builtins.match %s %s", quoteNix(tt.pattern), quoteNix(tt.text))); failed {
				t.Fatalf("Nix refuses %q", tt.pattern)
			}
		}
	}
	var want [][2]any
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, tt := range tests {
		if !reflect.DeepEqual(tt.split, want[i][0]) {
			t.Errorf("split %q %q = %v, want %v", tt.pattern, tt.text, tt.split, want[i][0])
		}
		if !reflect.DeepEqual(tt.match, want[i][1]) {
			t.Errorf("match %q %q = %v, want %v", tt.pattern, tt.text, tt.match, want[i][1])
		}
	}
}

// TestOracleErrors checks that Nix refuses what Compile refuses.
func TestOracleErrors(t *testing.T) {
	needNix(t)
	for i, pattern := range badPatterns {
		if i%5 != 0 && os.Getenv("GONIX_TEST_FULL") != "1" {
			continue // a process each
		}
		if out, failed := nixEval(t, "builtins.match "+quoteNix(pattern)+` "a"`); !failed {
			t.Errorf("Nix takes %q: %s", pattern, out)
		}
	}
}
