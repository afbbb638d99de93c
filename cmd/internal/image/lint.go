package image

import (
	"context"
	"fmt"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/dockertools/lint"
	"gonix/dockertools/listing"

	"github.com/spf13/pflag"
)

func lintVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	asJSON := fs.Bool("json", false, "write JSON")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		t, err := f.open(ctx, w, args[0])
		if err != nil {
			return err
		}
		facts := lint.NewFacts()
		l, err := listing.Read(ctx, t.Image, facts)
		if err != nil {
			return fmt.Errorf("read the image %s: %w", args[0], err)
		}
		found := lint.Check(t.Image.Config(), l, facts)
		failed := false
		for _, x := range found {
			kind := "warning"
			if x.Error {
				kind, failed = "error", true
			}
			if !*asJSON && (x.Error || !f.quiet) {
				fmt.Fprintf(w.Stdout, "%s: %s: %s\n", kind, x.Check, terminal.Printable(x.Message))
				if x.Advice != "" {
					fmt.Fprintf(w.Stdout, "  %s\n", x.Advice)
				}
			}
		}
		if *asJSON {
			if err := writeIndented(w.Stdout, append([]lint.Finding{}, found...)); err != nil {
				return err
			}
		}
		if failed {
			return process.Exit(1)
		}
		return nil
	}
}
