package eval_test

import (
	"path/filepath"
	"strings"
	"testing"

	"gonix/eval"
	"gonix/eval/value"
)

// BenchmarkEval runs the programs of testdata/bench; time includes parsing.
func BenchmarkEval(b *testing.B) {
	files, err := filepath.Glob("testdata/bench/*.nix")
	if err != nil || len(files) == 0 {
		b.Fatalf("no programs: %v", err)
	}
	for _, f := range files {
		path, err := filepath.Abs(f)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(strings.TrimSuffix(filepath.Base(f), ".nix"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := eval.New(eval.Options{}).EvalFile(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestAllocations bounds what the workload that is most like Nixpkgs
// allocates: the count does not depend on the machine, unlike time.
func TestAllocations(t *testing.T) {
	path, err := filepath.Abs("testdata/bench/overlay.nix")
	if err != nil {
		t.Fatal(err)
	}
	var stats value.Stats
	n := testing.AllocsPerRun(1, func() {
		s := eval.New(eval.Options{})
		if _, err := s.EvalFile(path); err != nil {
			t.Fatal(err)
		}
		stats = s.Stats()
	})
	t.Logf("%.0f allocations, %+v", n, stats)
	if limit := 125_000.0; n > limit {
		t.Errorf("%.0f allocations, at most %.0f expected", n, limit)
	}
	if stats.UpdatedValues > 100_000 {
		t.Errorf("// copied %d attributes", stats.UpdatedValues)
	}
}
