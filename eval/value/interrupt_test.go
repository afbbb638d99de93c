package value_test

import (
	"testing"
	"time"

	"gonix/eval"
)

// TestInterrupt ends an endless loop, after which the same value can be asked
// for again.
func TestInterrupt(t *testing.T) {
	s := eval.New(eval.Options{})
	th := s.Thread()
	v, err := s.Expression("builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 3000000)", "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(5*time.Millisecond, th.Interrupt)
	defer stop.Stop()
	if _, err := th.Force(v, 0); err == nil || err.Error() != "interrupted by the user" {
		t.Fatalf("got error %v", err)
	}
	if !th.Interrupted() {
		t.Error("the thread does not know that it was interrupted")
	}
	th.Proceed()
	if _, err := th.Force(v, 0); err != nil {
		t.Error(err)
	}
}
