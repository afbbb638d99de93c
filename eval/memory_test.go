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
		`let f = n: s: if n == 0 then s else f (n - 1) (s + s); in f 60 "a"`,
		`let f = n: s: if n == 0 then s else f (n - 1) "${s}${s}"; in f 60 "a"`,
		`let f = n: s: if n == 0 then s else f (n - 1) (s + s); in /. + f 60 "a"`,
		`let f = n: s: if n == 0 then s else f (n - 1) (s + s); in /a/${f 14 "a"}/${f 14 "a"}/${f 14 "a"}/${f 14 "a"}`,
		`let f = n: s: if n == 0 then s else f (n - 1) (builtins.replaceStrings [ "a" ] [ "aa" ] s); in f 60 "a"`,
		`let f = n: l: if n == 0 then l else f (n - 1) [ l l ]; in toString (f 60 "a")`,
		`let f = n: l: if n == 0 then l else f (n - 1) [ l l ]; in builtins.toJSON (f 60 "a")`,
		`let f = n: l: if n == 0 then l else f (n - 1) { a = l; b = l; }; in builtins.toXML (f 60 "a")`,
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

// TestNoRoom makes a value that alone would be small enough, where little memory is left.
func TestNoRoom(t *testing.T) {
	s := eval.New(eval.Options{MaxBytes: 1 << 40, Room: func() int64 { return 1 << 20 }})
	v, err := s.EvalString(`let f = n: s: if n == 0 then s else f (n - 1) (s + s); in f 30 "a"`, "/", "«string»")
	if err == nil {
		_, err = s.Thread().Force(v, 0)
	}
	if err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("got error %v", err)
	}
}
