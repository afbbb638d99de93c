package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/registry"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/spf13/pflag"
)

// imageCommands are the subcommands of gonix image, in the order of the usage.
var imageCommands = []imageVerb{
	{"push", "RESULT REF", "write an image to a registry; blobs that it has are not even read", imagePush},
	{"index", "-t REF RESULT...", "push images of several platforms under one name", imageIndex},
	{"pull", "REF -o FILE", "write an image of a registry to an archive", imagePull},
	{"load", "[RESULT]", "hand an image to podman or docker", imageLoad},
	{"inspect", "RESULT", "show configuration, layers, digests and sizes", imageInspect},
	{"layers", "RESULT", "show the store paths and sizes of each layer", imageLayers},
	{"ls", "RESULT", "list the files of an image", imageLs},
	{"explain", "RESULT [PATH]", "say why a store path or file is in an image", imageExplain},
	{"sbom", "RESULT", "write which software is in an image, where it comes from, its licences", imageSbom},
	{"provenance", "RESULT", "write what an image was built from (SLSA provenance)", imageProvenance},
	{"attached", "REF", "list or write the documents attached to an image in a registry", imageAttached},
	{"diff", "RESULT RESULT", "compare two images by store path and by file", imageDiff},
	{"verify", "RESULT", "check all digests, sizes and files of an image", imageVerify},
	{"lint", "RESULT", "find what will go wrong when an image is run", imageLint},
}

// imageVerb is a subcommand of gonix image.
type imageVerb struct {
	name, arguments, about string
	run                    func(ctx context.Context, w *world, fs *pflag.FlagSet, f *imageFlags) func([]string) error
}

// imageFlags are what several subcommands share.
type imageFlags struct {
	store, choose, platform string
	insecure, quiet         bool
	closers                 []func() error
}

func (f *imageFlags) close() {
	for _, c := range f.closers {
		c()
	}
}

// imageCommand is gonix image.
func imageCommand(ctx context.Context, w *world, name string, args []string) error {
	if len(args) == 0 {
		imageUsage(w.stderr, name)
		return errReported
	}
	if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
		imageUsage(w.stdout, name)
		return nil
	}
	for _, v := range imageCommands {
		if v.name != args[0] {
			continue
		}
		full := name + " " + v.name
		f := &imageFlags{}
		defer f.close()
		fs := newFlagSet(full)
		run := v.run(ctx, w, fs, f)
		fs.StringVar(&f.store, "store", "", "look up store paths below this `folder`")
		fs.StringVar(&f.choose, "image", "", "take the image of this `name[:tag]` where an archive has several")
		fs.StringVar(&f.platform, "platform", "linux/amd64", "take the image for this `os/architecture` where there are several")
		fs.BoolVar(&f.insecure, "insecure", false, "allow registries plain HTTP and certificates that cannot be checked")
		fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
		help := fs.BoolP("help", "h", false, "show this")
		if err := fs.Parse(args[1:]); err != nil {
			return seeHelp(err, full)
		}
		if *help {
			fmt.Fprint(w.stdout, usage{
				forms: []string{"[FLAG]... " + v.arguments},
				about: strings.ToUpper(v.about[:1]) + v.about[1:] + ".\nRESULT is an image archive, a directory with an OCI layout, the output of an\nimage derivation, or docker://REF for an image in a registry.",
			}.text(fs))
			return nil
		}
		err := run(fs.Args())
		if errors.Is(err, errArguments) {
			return seeHelp(fmt.Errorf("'%s' takes: %s", full, v.arguments), full)
		}
		return err
	}
	return seeHelp(fmt.Errorf("'%s' is not a command of %s", args[0], name), name)
}

// errArguments says that there are too many or too few of them.
var errArguments = errors.New("wrong number of arguments")

func imageUsage(out io.Writer, name string) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s COMMAND [FLAG]... [ARGUMENT]...\n\nCommands:\n", name)
	for _, v := range imageCommands {
		fmt.Fprintf(&b, "  %-10s %-18s %s\n", v.name, v.arguments, v.about)
	}
	fmt.Fprintf(&b, "\n'%s COMMAND --help' describes one of them.\n", name)
	io.WriteString(out, b.String())
}

// client is for the registries that the command line names.
func (f *imageFlags) client() *registry.Client { return registryClient(f.insecure) }

// registryClient has the credentials that docker and podman have noted.
func registryClient(insecure bool) *registry.Client {
	return &registry.Client{Keychain: authn.DefaultKeychain, Insecure: insecure, UserAgent: "gonix/" + version}
}

// remotePrefix marks images in registries among arguments.
const remotePrefix = "docker://"

// open returns the image that an argument names. It can be read until f is
// closed.
func (f *imageFlags) open(ctx context.Context, w *world, arg string) (archive.Tagged, error) {
	if ref, ok := strings.CutPrefix(arg, remotePrefix); ok {
		img, err := f.client().Pull(ctx, ref, f.platform)
		if err != nil {
			return archive.Tagged{}, err
		}
		return archive.Tagged{Image: img, References: []image.Reference{image.SplitReference(ref)}}, nil
	}
	file, err := f.locate(w, arg)
	if err != nil {
		return archive.Tagged{}, err
	}
	a, err := archive.Open(file, "")
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
func (f *imageFlags) locate(w *world, arg string) (string, error) {
	file := w.abs(arg)
	if _, err := os.Stat(file); err == nil || !strings.HasPrefix(arg, storepath.Dir+"/") {
		return file, nil
	}
	st, err := openStoreAt(w, f.store, store.Options{ReadOnly: true})
	if err != nil {
		return "", fmt.Errorf("look up '%s': %w", arg, err)
	}
	defer st.Close()
	return st.RealFile(arg), nil
}
