package cli

import (
	"context"
	"fmt"

	"gonix/dockertools/lint"
	"gonix/dockertools/listing"

	"github.com/spf13/pflag"
)

func imageLint(ctx context.Context, w *world, fs *pflag.FlagSet, f *imageFlags) func([]string) error {
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
				fmt.Fprintf(w.stdout, "%s: %s: %s\n", kind, x.Check, printable(x.Message))
				if x.Advice != "" {
					fmt.Fprintf(w.stdout, "  %s\n", x.Advice)
				}
			}
		}
		if *asJSON {
			if err := writeIndented(w.stdout, append([]lint.Finding{}, found...)); err != nil {
				return err
			}
		}
		if failed {
			return exitError{1}
		}
		return nil
	}
}
