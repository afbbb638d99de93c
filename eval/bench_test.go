package eval_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/eval"
	"gonix/eval/instantiate"
	"gonix/eval/value"
	"gonix/nixpkgs-lite"
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

// redis evaluates an image from its file to its derivation, with the embedded
// package set, on a store that only computes.
func redis(tb testing.TB) (drv string) {
	files := eval.Files{Mounts: []eval.Mount{
		{Path: "/set", FS: nixpkgslite.FS},
		{Path: "/image", FS: os.DirFS("../dockertools/examples")},
	}}
	inst := instantiate.New(tb.Context(), instantiate.Options{Store: instantiate.ReadOnly(nil), Files: files})
	s := eval.New(eval.Options{
		SearchPath: []eval.SearchEntry{{Prefix: "nixpkgs", Path: "/set"}},
		Files:      files,
		System:     "x86_64-linux",
		Builtins:   inst.Builtins(),
		Paths:      inst,
	})
	v, err := s.EvalFile("/image/redis.nix")
	if err != nil {
		tb.Fatal(s.RenderError(err, true, false))
	}
	found, err := s.Packages(nil, v)
	if err != nil {
		tb.Fatal(s.RenderError(err, true, false))
	}
	if len(found) != 1 {
		tb.Fatalf("%d derivations", len(found))
	}
	path, err := found[0].DrvPath()
	if err != nil {
		tb.Fatal(s.RenderError(err, true, false))
	}
	return path.String()
}

// BenchmarkRedisExample is all that a command does before it builds an image.
func BenchmarkRedisExample(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		redis(b)
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
