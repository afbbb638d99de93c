package image

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"gonix/cmd/internal/instantiate"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/distribution"
	"gonix/dockertools/explain"
	"gonix/dockertools/origin"
	"gonix/dockertools/provenance"
	"gonix/dockertools/registry"
	"gonix/dockertools/sbom"

	"github.com/spf13/pflag"
)

// packagesExpression asks a package set what it says of packages.
//
//go:embed packages.nix
var packagesExpression string

// Documents say what is to be written about an image.
type Documents struct {
	sbom       string
	provenance bool
	builder    string
	Include    []string
}

// Check finds out before anything is built what cannot be attached.
func (d *Documents) Check(pushed bool) error {
	if (d.sbom != "" || d.provenance) && !pushed {
		return errors.New("'--sbom' and '--provenance' attach documents to an image that '--push' writes to a registry; 'gonix image sbom' and 'gonix image provenance' print them")
	}
	if d.sbom == "" {
		return nil
	}
	_, err := sbom.ParseFormat(d.sbom)
	return err
}

// DeclareAttach declares which documents a push brings along.
func (d *Documents) DeclareAttach(fs *pflag.FlagSet) {
	fs.StringVar(&d.sbom, "sbom", "", "attach an SBOM in this `format`: spdx or cyclonedx")
	fs.BoolVar(&d.provenance, "provenance", false, "attach how the image was made (SLSA provenance)")
	d.declareBuilder(fs)
}

func (d *Documents) declareBuilder(fs *pflag.FlagSet) {
	fs.StringVar(&d.builder, "builder-id", "", "`URI` of who vouches for the machine that built (default "+provenance.DefaultBuilder+")")
}

func (d *Documents) declareInclude(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&d.Include, "include", "I", nil, "find <nixpkgs>, which licences are taken from, by this `name=path`")
}

func sbomVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	d := &Documents{}
	fs.StringVar(&d.sbom, "format", "spdx", "spdx (2.3) or cyclonedx (1.6), both as `JSON`")
	d.declareInclude(fs)
	return func(args []string) error { return f.document(ctx, w, d, args) }
}

func provenanceVerb(ctx context.Context, w *process.World, fs *pflag.FlagSet, f *flags) func([]string) error {
	d := &Documents{provenance: true}
	d.declareBuilder(fs)
	return func(args []string) error { return f.document(ctx, w, d, args) }
}

// document writes the one document that d asks for to standard output.
func (f *flags) document(ctx context.Context, w *process.World, d *Documents, args []string) error {
	if len(args) != 1 {
		return errArguments
	}
	t, err := f.open(ctx, w, args[0])
	if err != nil {
		return err
	}
	docs, err := f.documents(ctx, w, d, args[0], t)
	if err != nil {
		return err
	}
	_, err = w.Stdout.Write(docs[0].Data)
	return err
}

// documents makes what d asks for about the image t, which arg names.
func (f *flags) documents(ctx context.Context, w *process.World, d *Documents, arg string, t archive.Tagged) ([]registry.Document, error) {
	if d.sbom == "" && !d.provenance {
		return nil, nil
	}
	var format sbom.Format
	if d.sbom != "" {
		var err error
		if format, err = sbom.ParseFormat(d.sbom); err != nil {
			return nil, err
		}
	}
	origins, closeStore, err := f.origins(ctx, w, arg)
	if err != nil {
		return nil, fmt.Errorf("look up where '%s' comes from: %w", arg, err)
	}
	defer closeStore()
	var docs []registry.Document
	if d.sbom != "" {
		data, err := f.sbom(ctx, w, d, format, arg, t, origins)
		if err != nil {
			return nil, fmt.Errorf("write an SBOM of '%s': %w", arg, err)
		}
		docs = append(docs, registry.Document{MediaType: format.MediaType, Data: data})
	}
	if d.provenance {
		data, err := provenance.Write(ctx, provenance.Input{Image: t, Origins: origins, Builder: d.builder, Version: process.Version})
		if err != nil {
			return nil, fmt.Errorf("write the provenance of '%s': %w", arg, err)
		}
		docs = append(docs, registry.Document{MediaType: provenance.MediaType, Data: data, Annotations: map[string]string{"in-toto.io/predicate-type": provenance.PredicateType}})
	}
	return docs, nil
}

// origins reads where the image that arg names comes from. Where there is no
// store, or the image is none of its paths, little is known.
func (f *flags) origins(ctx context.Context, w *process.World, arg string) (*origin.Origins, func() error, error) {
	none := func() error { return nil }
	file := ""
	if !strings.HasPrefix(arg, remotePrefix) {
		located, err := f.locate(w, arg)
		if err != nil {
			return nil, none, err
		}
		if file, err = filepath.EvalSymlinks(located); err != nil {
			return nil, none, err
		}
	}
	word := f.store
	if root, _, ok := strings.Cut(file, storepath.Dir+"/"); ok && word == "" {
		word = root + "/" // the store that the file lies in
	}
	st, err := stores.OpenAt(w, word, store.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		o, err := origin.Find(ctx, nil, storepath.Path{})
		return o, none, err
	}
	if err != nil {
		return nil, none, err
	}
	result, _, err := storepath.Split(st.LogicalFile(file))
	if err != nil {
		result = storepath.Path{}
	}
	o, err := origin.Find(ctx, st, result)
	if err != nil {
		st.Close()
		return nil, none, err
	}
	return o, st.Close, nil
}

func (f *flags) sbom(ctx context.Context, w *process.World, d *Documents, format sbom.Format, arg string, t archive.Tagged, origins *origin.Origins) ([]byte, error) {
	system := distribution.New()
	g, err := explain.Read(ctx, t, system)
	if err != nil {
		return nil, err
	}
	in := sbom.Input{Image: t, Graph: g, Origins: origins, Tool: "gonix-" + process.Version, System: system.Packages(g.Files)}
	if text := w.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil || at < 0 || at > 253402300799 {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH is '%s', not a number of seconds since 1970", text)
		}
		in.Epoch = &at
	}
	bases, err := sbom.Unhashed(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(bases) > 0 {
		if in.Archives, err = g.Files.Archives(ctx, t.Image, bases, ""); err != nil {
			return nil, err
		}
	}
	names, err := sbom.Names(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.Metas, in.Named, err = packageMetas(ctx, w, d.Include, names); err != nil {
		w.Warn(fmt.Sprintf("the package set says nothing of licences: %v", err))
	}
	return format.Write(ctx, in)
}

// packageMetas asks <nixpkgs> for packages of these names and returns what it says,
// by derivation and by name.
func packageMetas(ctx context.Context, w *process.World, include, names []string) (map[storepath.Path]sbom.Meta, map[string]sbom.Meta, error) {
	if len(names) == 0 {
		return nil, nil, nil
	}
	list, err := json.Marshal(names)
	if err != nil {
		return nil, nil, err
	}
	args := []string{"--eval", "--strict", "--json", "--argstr", "list", string(list), "-E", "{ list }: (" + packagesExpression + ") (builtins.fromJSON list)"}
	for _, i := range include {
		args = append(args, "-I", i)
	}
	var stdout, stderr bytes.Buffer
	inner := *w
	inner.Stdout, inner.Stderr, inner.Terminal = &stdout, &stderr, false
	if err := instantiate.Command(ctx, &inner, "gonix instantiate", args); errors.Is(err, process.ErrReported) {
		return nil, nil, errors.New(strings.TrimSpace(stderr.String()))
	} else if err != nil {
		return nil, nil, err
	}
	var said []struct {
		Drv, Name, Version    string
		Licences              []struct{ ID, Name string }
		Homepage, Description string
	}
	if err := json.Unmarshal(stdout.Bytes(), &said); err != nil {
		return nil, nil, err
	}
	metas, named := map[storepath.Path]sbom.Meta{}, map[string]sbom.Meta{}
	for _, s := range said {
		p, err := storepath.Parse(s.Drv)
		if err != nil {
			return nil, nil, err
		}
		m := sbom.Meta{Homepage: s.Homepage, Description: s.Description}
		for _, l := range s.Licences {
			m.Licences = append(m.Licences, sbom.Licence{ID: l.ID, Name: l.Name})
		}
		metas[p] = m
		m.Of = strings.TrimSpace(s.Name + " " + s.Version)
		named[s.Name] = m
	}
	return metas, named, nil
}

// attach puts documents beside an image that was pushed under ref.
func (f *flags) attach(ctx context.Context, w *process.World, c *registry.Client, t archive.Tagged, ref string, docs []registry.Document) error {
	for _, doc := range docs {
		digest, err := c.Attach(ctx, t.Image, ref, doc)
		if err != nil {
			return err
		}
		if !f.quiet {
			fmt.Fprintf(w.Stderr, "attached to %s: %s, %s\n", ref, doc.MediaType, digest)
		}
	}
	return nil
}
