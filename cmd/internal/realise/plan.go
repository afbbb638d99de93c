package realise

import (
	"cmp"
	"fmt"
	"slices"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/build"
	"gonix/derivation/storepath"
)

// PrintPlan says what would be built.
func PrintPlan(w *process.World, plan *build.Plan) {
	switch n := len(plan.Builds); {
	case n == 1:
		fmt.Fprintln(w.Stderr, "this derivation will be built:")
	case n > 1:
		fmt.Fprintf(w.Stderr, "these %d derivations will be built:\n", n)
	}
	for _, drv := range plan.Builds {
		fmt.Fprintf(w.Stderr, "  %s\n", drv)
	}
	printFetches(w, plan)
}

// printFetches says what a plan fetches, as nix-build --dry-run does.
func printFetches(w *process.World, plan *build.Plan) {
	if len(plan.Fetches) == 0 {
		return
	}
	var download, unpacked int64
	for _, f := range plan.Fetches {
		download += f.DownloadSize
		unpacked += f.NarSize
	}
	sizes := fmt.Sprintf("(%s download, %s unpacked)", terminal.BinarySize(download), terminal.BinarySize(unpacked))
	if len(plan.Fetches) == 1 {
		fmt.Fprintf(w.Stderr, "this path will be fetched %s:\n", sizes)
	} else {
		fmt.Fprintf(w.Stderr, "these %d paths will be fetched %s:\n", len(plan.Fetches), sizes)
	}
	sorted := slices.Clone(plan.Fetches)
	slices.SortFunc(sorted, func(a, b build.Substitute) int {
		return cmp.Or(cmp.Compare(a.Path.Name(), b.Path.Name()), storepath.Compare(a.Path, b.Path))
	})
	for _, f := range sorted {
		fmt.Fprintf(w.Stderr, "  %s\n", f.Path)
	}
}
