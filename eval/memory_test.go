package eval_test

import (
	"strings"
	"testing"

	"gonix/eval"
)

// TestTooLarge makes values that memory does not hold: ordinary errors.
func TestTooLarge(t *testing.T) {
	for _, expr := range []string{
		"builtins.genList (x: x) 4294967295",
		"builtins.length (let f = n: l: if n == 0 then l else f (n - 1) (l ++ l); in f 20 [ 1 ])",
		"builtins.length (builtins.concatLists (builtins.genList (x: builtins.genList (y: y) 100) 100))",
		`builtins.concatStringsSep "" (builtins.genList (x: "012345678901234567890123456789012345678901234567890123456789") 999)`,
	} {
		s := eval.New(eval.Options{MaxBytes: 50_000})
		v, err := s.EvalString(expr, "/", "«string»")
		if err == nil {
			_, err = s.Thread().Force(v, 0)
		}
		if err == nil || !strings.Contains(err.Error(), "out of memory") {
			t.Errorf("%s: got error %v", expr, err)
		}
	}
}
