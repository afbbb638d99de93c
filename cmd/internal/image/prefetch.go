package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/spf13/pflag"
)

// pinned are arguments of dockerTools.pullImage, those that are as usual left out.
type pinned struct {
	ImageName      string `json:"imageName"`
	ImageDigest    string `json:"imageDigest"`
	Hash           string `json:"hash"`
	FinalImageName string `json:"finalImageName"`
	FinalImageTag  string `json:"finalImageTag"`
	OS             string `json:"os,omitempty"`
	Arch           string `json:"arch,omitempty"`
	Variant        string `json:"variant,omitempty"`
	TLSVerify      *bool  `json:"tlsVerify,omitempty"`
}

// nix writes the arguments as a set. What is in them needs no escapes.
func (p *pinned) nix(w io.Writer) {
	fmt.Fprintln(w, "{")
	for _, a := range []struct{ name, value string }{
		{"imageName", p.ImageName}, {"imageDigest", p.ImageDigest}, {"hash", p.Hash},
		{"finalImageName", p.FinalImageName}, {"finalImageTag", p.FinalImageTag},
		{"os", p.OS}, {"arch", p.Arch}, {"variant", p.Variant},
	} {
		if a.value != "" {
			fmt.Fprintf(w, "  %s = %q;\n", a.name, a.value)
		}
	}
	if p.TLSVerify != nil {
		fmt.Fprintf(w, "  tlsVerify = %t;\n", *p.TLSVerify)
	}
	fmt.Fprintln(w, "}")
}

// prefetchVerb is what nix-prefetch-docker is to nixpkgs: the image is in the store
// already when pullImage is built with what it writes.
func prefetchVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	finalName := fs.String("final-image-name", "", "call the image by this `name` (default: that of REF)")
	finalTag := fs.String("final-image-tag", "", "and this `tag` (default: that of REF, else latest)")
	asJSON := fs.Bool("json", false, "write JSON instead of Nix")
	return func(args []string) error {
		if len(args) != 1 {
			return errArguments
		}
		name := remoteName(args[0])
		tagged, _, _ := strings.Cut(name, "@")
		from := image.SplitReference(tagged)
		final := from
		if *finalName != "" {
			final.Name = *finalName
		}
		if *finalTag != "" {
			final.Tag = *finalTag
		}
		if _, err := image.NewReference(final.Name, final.Tag); err != nil {
			return err
		}
		platform, err := registry.ParsePlatform(f.platform)
		if err != nil {
			return err
		}
		st, err := stores.OpenAt(w, f.store, store.Options{})
		if err != nil {
			return err
		}
		defer st.Close()
		img, err := f.pull(ctx, w, name)
		if err != nil {
			return err
		}
		out := pinned{
			ImageName: from.Name, ImageDigest: string(img.Digest()), FinalImageName: final.Name, FinalImageTag: final.Tag,
			Variant: platform.Variant,
		}
		if platform.OS != "linux" {
			out.OS = platform.OS
		}
		if platform.Architecture != "amd64" {
			out.Arch = platform.Architecture
		}
		if f.insecure {
			out.TLSVerify = new(bool)
		}
		hash, err := addPulled(ctx, st, img, final)
		if err != nil {
			return fmt.Errorf("pull %s: %w", name, err)
		}
		out.Hash = hash.SRI()
		if !*asJSON {
			out.nix(w.Stdout)
			return nil
		}
		enc := json.NewEncoder(w.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
}

// addPulled adds the archive of the image to the store under the name that pullImage
// gives it, and returns its hash.
func addPulled(ctx context.Context, st *store.Local, img *image.Image, ref image.Reference) (nixhash.Hash, error) {
	dir, err := os.MkdirTemp("", "gonix-image-")
	if err != nil {
		return nixhash.Hash{}, err
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "archive"))
	if err != nil {
		return nixhash.Hash{}, err
	}
	defer f.Close()
	sum := nixhash.SHA256.New()
	if err := archive.WriteDocker(io.MultiWriter(f, sum), img, ref, dir); err != nil {
		return nixhash.Hash{}, err
	}
	name := strings.NewReplacer("/", "-", ":", "-").Replace("docker-image-" + ref.String() + ".tar")
	_, err = st.AddPath(ctx, name, f.Name(), store.Ingestion{Flat: true, Algo: nixhash.SHA256})
	return nixhash.Of(nixhash.SHA256, sum), err
}
