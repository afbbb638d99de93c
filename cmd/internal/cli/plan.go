package cli

import (
	"cmp"
	"fmt"
	"slices"

	"gonix/derivation/build"
	"gonix/derivation/storepath"
)

// printPlan says what would be built.
func printPlan(w *world, plan *build.Plan) {
	switch n := len(plan.Builds); {
	case n == 1:
		fmt.Fprintln(w.stderr, "this derivation will be built:")
	case n > 1:
		fmt.Fprintf(w.stderr, "these %d derivations will be built:\n", n)
	}
	for _, drv := range plan.Builds {
		fmt.Fprintf(w.stderr, "  %s\n", drv)
	}
	printFetches(w, plan)
}

// printFetches says what a plan fetches, as nix-build --dry-run does.
func printFetches(w *world, plan *build.Plan) {
	if len(plan.Fetches) == 0 {
		return
	}
	var download, unpacked int64
	for _, f := range plan.Fetches {
		download += f.DownloadSize
		unpacked += f.NarSize
	}
	sizes := fmt.Sprintf("(%s download, %s unpacked)", binarySize(download), binarySize(unpacked))
	if len(plan.Fetches) == 1 {
		fmt.Fprintf(w.stderr, "this path will be fetched %s:\n", sizes)
	} else {
		fmt.Fprintf(w.stderr, "these %d paths will be fetched %s:\n", len(plan.Fetches), sizes)
	}
	sorted := slices.Clone(plan.Fetches)
	slices.SortFunc(sorted, func(a, b build.Substitute) int {
		return cmp.Or(cmp.Compare(a.Path.Name(), b.Path.Name()), storepath.Compare(a.Path, b.Path))
	})
	for _, f := range sorted {
		fmt.Fprintf(w.stderr, "  %s\n", f.Path)
	}
}
