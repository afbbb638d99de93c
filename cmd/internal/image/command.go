// Package image is gonix image: it pushes, pulls, loads and looks into images.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/spf13/pflag"
)

// verbs are the subcommands of gonix image, in the order of the usage.
var verbs = []verb{
	{"push", "RESULT REF", "write an image to a registry; blobs that it has are not even read", pushVerb},
	{"index", "-t REF RESULT...", "push images of several platforms under one name", indexVerb},
	{"pull", "REF -o FILE", "write an image of a registry to an archive", pullVerb},
	{"prefetch", "REF", "take an image of a registry to the store and write what pullImage needs", prefetchVerb},
	{"load", "[RESULT]", "hand an image to podman or docker", loadVerb},
	{"inspect", "RESULT", "show configuration, layers, digests and sizes", inspectVerb},
	{"layers", "RESULT", "show the store paths and sizes of each layer", layersVerb},
	{"ls", "RESULT", "list the files of an image", lsVerb},
	{"explain", "RESULT [PATH]", "say why a store path or file is in an image", explainVerb},
	{"sbom", "RESULT", "write which software is in an image, where it comes from, its licences", sbomVerb},
	{"provenance", "RESULT", "write what an image was built from (SLSA provenance)", provenanceVerb},
	{"attached", "REF", "list or write the documents attached to an image in a registry", attachedVerb},
	{"diff", "RESULT RESULT", "compare two images by setting, store path and file", diffVerb},
	{"verify", "RESULT", "check all digests, sizes and files of an image", verifyVerb},
	{"lint", "RESULT", "find what will go wrong when an image is run", lintVerb},
}

// verb is a subcommand of gonix image.
type verb struct {
	name, arguments, about string
	run                    func(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error
}

// words says what the arguments are.
func (v verb) words() string {
	text := ""
	if strings.Contains(v.arguments, "RESULT") {
		text += "\nRESULT is an image archive, a directory with an OCI layout, the output of an\nimage derivation, or docker://REF for an image in a registry."
	}
	if strings.Contains(v.arguments, "REF") {
		text += "\nREF is the name of an image in a registry, such as localhost:5000/app/redis:7."
	}
	return text
}

// flags are what several subcommands share.
type flags struct {
	store, choose, platform string
	insecure, quiet         bool
	settings                *config.Settings // nil until they are needed
	closers                 []func() error
}

func (f *flags) close() {
	for _, c := range f.closers {
		c()
	}
}

// Command is gonix image.
func Command(ctx context.Context, w *process.World, name string, args []string) error {
	if len(args) == 0 {
		printUsage(w.Stderr, name)
		return process.ErrReported
	}
	if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
		printUsage(w.Stdout, name)
		return nil
	}
	for _, v := range verbs {
		if v.name != args[0] {
			continue
		}
		full := name + " " + v.name
		f := &flags{}
		defer f.close()
		fs := config.NewFlagSet(full)
		run := v.run(ctx, w, fs, f)
		fs.StringVar(&f.store, "store", "", "look up store paths below this `folder`")
		fs.StringVar(&f.choose, "image", "", "take the image of this `name[:tag]` where an archive has several")
		fs.StringVar(&f.platform, "platform", "linux/amd64", "take the image for this `os/architecture` where there are several")
		fs.BoolVar(&f.insecure, "insecure", false, "allow registries plain HTTP and certificates that cannot be checked")
		fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
		help := fs.BoolP("help", "h", false, "show this")
		if err := fs.Parse(args[1:]); err != nil {
			return config.SeeHelp(err, full)
		}
		if *help {
			fmt.Fprint(w.Stdout, config.Usage{
				Forms: []string{"[FLAG]... " + v.arguments},
				About: strings.ToUpper(v.about[:1]) + v.about[1:] + "." + v.words(),
			}.Text(fs))
			return nil
		}
		err := run(fs.Args())
		if errors.Is(err, errArguments) {
			return config.SeeHelp(fmt.Errorf("'%s' takes: %s", full, v.arguments), full)
		}
		return err
	}
	return config.SeeHelp(fmt.Errorf("'%s' is not a command of %s", args[0], name), name)
}

// errArguments says that there are too many or too few of them.
var errArguments = errors.New("wrong number of arguments")

func printUsage(out io.Writer, name string) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s COMMAND [FLAG]... [ARGUMENT]...\n\nCommands:\n", name)
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %-10s %-18s %s\n", v.name, v.arguments, v.about)
	}
	fmt.Fprintf(&b, "\n'%s COMMAND --help' describes one of them.\n", name)
	io.WriteString(out, b.String())
}

// client is for the registries that the command line names.
func (f *flags) client(w *process.World) (*registry.Client, error) {
	if f.settings == nil {
		set, err := config.Load(w, w.Called)
		if err != nil {
			return nil, err
		}
		f.settings = &set
	}
	return network.Registry(w, f.settings, f.insecure), nil
}

// pull returns the image of that name in a registry.
func (f *flags) pull(ctx context.Context, w *process.World, ref string) (*image.Image, error) {
	c, err := f.client(w)
	if err != nil {
		return nil, err
	}
	return c.Pull(ctx, ref, f.platform)
}

// remotePrefix marks images in registries among arguments.
const remotePrefix = "docker://"

// remoteName is the name of an image in a registry, where only such can be meant.
func remoteName(arg string) string { return strings.TrimPrefix(arg, remotePrefix) }

// open returns the image that an argument names. It can be read until f is
// closed.
func (f *flags) open(ctx context.Context, w *process.World, arg string) (archive.Tagged, error) {
	if ref, ok := strings.CutPrefix(arg, remotePrefix); ok {
		img, err := f.pull(ctx, w, ref)
		if err != nil {
			return archive.Tagged{}, err
		}
		return archive.Tagged{Image: img, References: []image.Reference{image.SplitReference(ref)}}, nil
	}
	file, err := f.locate(w, arg)
	if err != nil {
		return archive.Tagged{}, err
	}
	a, err := archive.Open(ctx, file, "")
	if err != nil {
		return archive.Tagged{}, err
	}
	f.closers = append(f.closers, a.Close)
	name, tag := f.choose, ""
	if i := strings.LastIndexByte(f.choose, ':'); i >= 0 && !strings.Contains(f.choose[i:], "/") {
		name, tag = f.choose[:i], f.choose[i+1:]
	}
	p, err := registry.ParsePlatform(f.platform)
	if err != nil {
		return archive.Tagged{}, err
	}
	images, err := a.Images()
	if err != nil {
		return archive.Tagged{}, err
	}
	if len(images) == 1 && f.choose == "" {
		return images[0], nil
	}
	found, err := a.Find(name, tag, p.Architecture)
	if err != nil {
		return archive.Tagged{}, fmt.Errorf("%w (--image NAME:TAG and --platform choose)", err)
	}
	return found, nil
}

// locate returns where the file is that an argument names: a file, or a store
// path of a store that lies somewhere else.
func (f *flags) locate(w *process.World, arg string) (string, error) {
	file := w.Abs(arg)
	if _, err := os.Stat(file); err == nil || !strings.HasPrefix(arg, storepath.Dir+"/") {
		return file, nil
	}
	st, err := stores.OpenAt(w, f.store, store.Options{ReadOnly: true})
	if err != nil {
		return "", fmt.Errorf("look up '%s': %w", arg, err)
	}
	defer st.Close()
	return st.RealFile(arg), nil
}
