package cli

import (
	"bytes"
	"strings"
	"testing"

	"gonix/cmd/internal/process"
)

// TestNixEval evaluates as nix eval does, with a store that holds nothing.
func TestNixEval(t *testing.T) {
	for _, c := range []struct {
		args string // the last one is the expression
		want string // or the last line of the error
	}{
		{`--expr [ builtins.add (builtins.add 1) (x: x) ]`, "[ «primop add» «partially applied primop add» «lambda @ «string»:1:34» ]\n"},
		{`--expr { a = throw "x"; b = 1; }`, "{ a = «error: x»; b = 1; }\n"},
		{`--expr let x = { a = 1; }; in [ x x ]`, "[ { a = 1; } «repeated» ]\n"},
		{`--expr { d = { type = "derivation"; drvPath = "/d.drv"; }; }`, "{ d = «derivation /d.drv»; }\n"},
		{`--expr throw "x"`, "error: x"},
		{`--apply x:[x] --expr throw "x"`, "error: x"},
		{`--apply x:[x] --expr 1`, "[ 1 ]\n"},
		{`--raw --expr "a" + "b"`, "ab"},
		{`--json --expr { a = 1 + 1; }`, "{\"a\":2}\n"},
		{`--expr builtins ? currentTime`, "false\n"},
		{`--impure --expr builtins ? currentTime`, "true\n"},
	} {
		flags, expr, _ := strings.Cut(c.args, "--expr ")
		var stdout, stderr bytes.Buffer
		w := &process.World{
			Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Cwd: t.TempDir(),
			LookupEnv: func(string) (string, bool) { return "", false }, Width: func() int { return 80 },
		}
		args := append([]string{"eval", "--store", "dummy://"}, strings.Fields(flags)...)
		status := run(t.Context(), w, "nix", append(args, "--expr", expr))
		got := stdout.String()
		if status != 0 {
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			got = strings.TrimSpace(lines[len(lines)-1])
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q\n%s", c.args, got, c.want, &stderr)
		}
	}
}
