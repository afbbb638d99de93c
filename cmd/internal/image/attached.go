package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/terminal"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/spf13/pflag"
)

// attachedJSON is a document as --json shows it.
type attachedJSON struct {
	Digest       image.Digest      `json:"digest"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// attachedVerb lists the documents that are attached to an image in a registry,
// or writes one of them.
func attachedVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	get := fs.String("get", "", "write the document of this `type` or digest")
	asJSON := fs.Bool("json", false, "write the list as JSON")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		c, err := f.client(w)
		if err != nil {
			return err
		}
		ref := remoteName(args[0])
		img, err := c.Pull(ctx, ref, f.platform)
		if err != nil {
			return err
		}
		list, err := c.Referrers(ctx, ref, img.Digest())
		if err != nil {
			return err
		}
		slices.SortFunc(list, func(a, b registry.Referrer) int {
			return strings.Compare(a.ArtifactType+string(a.Digest), b.ArtifactType+string(b.Digest))
		})
		if *asJSON && *get == "" {
			all := []attachedJSON{}
			for _, r := range list {
				all = append(all, attachedJSON{r.Digest, r.ArtifactType, r.Annotations})
			}
			return writeIndented(w.Stdout, all)
		}
		var found []registry.Referrer
		for _, r := range list {
			if *get == "" {
				fmt.Fprintf(w.Stdout, "%s  %s\n", r.Digest, terminal.Printable(r.ArtifactType))
			}
			if string(r.Digest) == *get || strings.Contains(r.ArtifactType, *get) {
				found = append(found, r)
			}
		}
		switch {
		case *get == "":
			return nil
		case len(found) == 0:
			return fmt.Errorf("nothing of type or digest '%s' is attached to %s", *get, ref)
		case len(found) > 1:
			return errors.New("several documents are attached that '" + *get + "' may mean; name one by its digest")
		}
		doc, err := c.Fetch(ctx, ref, found[0].Digest)
		if err != nil {
			return err
		}
		_, err = w.Stdout.Write(doc.Data)
		return err
	}
}
