// Package origin finds out where store paths come from: a store and the
// derivation of an image go in, an [Origins] comes out, with what made each path
// and which downloads went into it.
//
// Everything is read from derivations that the store holds: those that the image
// was built from, and else those that it has noted as derivers. A path of which it
// holds none, because it was substituted or came with a base image, is [Unknown];
// nothing is guessed.
package origin

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"gonix/derivation"
	"gonix/derivation/fetch"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Store is what is asked.
type Store interface {
	store.Store
	ReadDerivation(ctx context.Context, p storepath.Path) (*derivation.Derivation, error)
	ValidDerivers(ctx context.Context, p storepath.Path) ([]storepath.Path, error)
}

// Kind says how a store path came to be.
type Kind uint8

// The kinds of origins.
const (
	Unknown Kind = iota // no derivation of it is there
	Built               // by a derivation
	Fetched             // by a derivation that says the hash of its output
	Added               // a file that an expression names, or wrote
)

// String names k.
func (k Kind) String() string { return [...]string{"unknown", "built", "fetched", "added"}[k] }

// Item is a store path and where it comes from.
type Item struct {
	Path storepath.Path
	Kind Kind
	// NarHash is the SHA-256 of the path's archive, zero where the store does not
	// have the path; NarSize is its length in bytes.
	NarHash nixhash.Hash
	NarSize int64
	// Drv is the derivation; for an Unknown one it is what the store was told that
	// it is called, or zero.
	Drv storepath.Path
	// Name and Version are the derivation's pname and version, or its name cut in
	// two as Nix does.
	Name, Version string
	// References are what the store knows of them.
	References []storepath.Path
	// Sources are the downloads and files that it was made of, not its tools:
	// sorted by path.
	Sources []Source
}

// Source is something that was not built.
type Source struct {
	Path storepath.Path
	// URLs are where it was fetched from, in the order in which they are tried;
	// none for a file that was added.
	URLs []string
	// Hash is of the download, or of its archive if Recursive; for a file that was
	// added it is of its archive, and zero if the store no longer has it.
	Hash      nixhash.Hash
	Recursive bool
	Drv       storepath.Path // zero for a file that was added
}

// Origins are those of an image.
type Origins struct {
	// Drv made the image; zero if that is not known.
	Drv storepath.Path
	// Contents are the store paths that the image has copies of or links to at its
	// root, as its derivation says.
	Contents []storepath.Path
	// Outputs are all derivations that the image was built from, by their outputs.
	outputs map[storepath.Path]storepath.Path
	drvs    map[storepath.Path]*derivation.Derivation
	missing []storepath.Path // derivations that are not there
	added   map[storepath.Path]bool
	st      Store
}

// nothing is the store where there is none.
type nothing struct{}

func (nothing) Info(context.Context, storepath.Path) (*store.Info, error) {
	return nil, store.ErrNotFound
}

func (nothing) ReadDerivation(context.Context, storepath.Path) (*derivation.Derivation, error) {
	return nil, store.ErrNotFound
}

func (nothing) ValidDerivers(context.Context, storepath.Path) ([]storepath.Path, error) {
	return nil, nil
}

// Find reads the derivations of the image that is the store path result; st is nil
// if there is no store. With the zero path, or where the store knows no derivation of it, only derivers will
// be known.
func Find(ctx context.Context, st Store, result storepath.Path) (*Origins, error) {
	if st == nil {
		st = nothing{}
	}
	o := &Origins{st: st, outputs: map[storepath.Path]storepath.Path{}, drvs: map[storepath.Path]*derivation.Derivation{}, added: map[storepath.Path]bool{}}
	if result.IsZero() {
		return o, nil
	}
	drv, err := o.deriver(ctx, result)
	if err != nil || drv.IsZero() {
		return o, err
	}
	if err := o.read(ctx, drv); err != nil {
		return nil, err
	}
	if o.drvs[drv] == nil {
		return o, nil
	}
	o.Drv = drv
	o.Contents = contents(o.drvs[drv])
	return o, nil
}

// deriver returns a derivation of p that the store holds, the zero path if there
// is none.
func (o *Origins) deriver(ctx context.Context, p storepath.Path) (storepath.Path, error) {
	list, err := o.st.ValidDerivers(ctx, p)
	if err != nil || len(list) == 0 {
		return storepath.Path{}, err
	}
	info, err := o.st.Info(ctx, p)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return storepath.Path{}, err
	}
	if err == nil && slices.Contains(list, info.Deriver) {
		return info.Deriver, nil
	}
	return slices.MinFunc(list, storepath.Compare), nil
}

// read takes in a derivation and all that it is built from.
func (o *Origins) read(ctx context.Context, root storepath.Path) error {
	for todo := []storepath.Path{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, seen := o.drvs[p]; seen {
			continue
		}
		d, err := o.st.ReadDerivation(ctx, p)
		if errors.Is(err, store.ErrNotFound) {
			o.drvs[p] = nil
			o.missing = append(o.missing, p)
			continue
		}
		if err != nil {
			return err
		}
		o.drvs[p] = d
		for _, out := range d.Outputs {
			if !out.Path.IsZero() {
				o.outputs[out.Path] = p
			}
		}
		for _, src := range d.InputSrcs {
			o.added[src] = true
		}
		todo = append(todo, d.Inputs()...)
	}
	return nil
}

// Item says where p comes from.
func (o *Origins) Item(ctx context.Context, p storepath.Path) (Item, error) {
	item := Item{Path: p}
	info, err := o.st.Info(ctx, p)
	switch {
	case err == nil:
		item.NarHash, item.NarSize, item.Drv, item.References = info.NarHash, info.NarSize, info.Deriver, info.References
	case !errors.Is(err, store.ErrNotFound):
		return item, err
	}
	drv, ok := o.outputs[p]
	if !ok {
		if drv, err = o.deriver(ctx, p); err != nil {
			return item, err
		}
		if !drv.IsZero() {
			if err := o.read(ctx, drv); err != nil {
				return item, err
			}
		}
	}
	d := o.drvs[drv]
	if d == nil {
		item.Name, item.Version = splitName(p.Name())
		if o.added[p] || info != nil && info.CA != "" && info.Deriver.IsZero() {
			item.Kind, item.Version = Added, ""
			item.Name = p.Name()
		}
		return item, nil
	}
	item.Drv, item.Kind = drv, Built
	if d.IsFixedOutput() {
		item.Kind = Fetched
	}
	item.Name, item.Version = attribute(d, "pname"), attribute(d, "version")
	if item.Name == "" || item.Version == "" {
		item.Name, item.Version = splitName(d.Name)
	}
	item.Sources, err = o.sources(ctx, drv)
	return item, err
}

// sources returns what a derivation is made of: downloads that it names itself,
// and what its attributes src and srcs name, also through steps that are made of
// them in turn. One without these attributes is made of what it unpacks. What
// belongs to its builder, and what else is built, are tools.
func (o *Origins) sources(ctx context.Context, root storepath.Path) ([]Source, error) {
	found := map[storepath.Path]Source{}
	seen := map[storepath.Path]bool{}
	for todo := []storepath.Path{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d := o.drvs[p]
		if seen[p] || d == nil {
			continue
		}
		seen[p] = true
		if d.IsFixedOutput() {
			s, err := fetched(p, d)
			if err != nil {
				return nil, err
			}
			found[s.Path] = s
			continue
		}
		named := strings.TrimSpace(attribute(d, "src") + " " + attribute(d, "srcs"))
		for _, in := range d.Inputs() {
			i := o.drvs[in]
			if i == nil || strings.HasPrefix(d.Builder, outPath(i)+"/") {
				continue
			}
			if i.IsFixedOutput() || strings.Contains(named, outPath(i)) || named == "" && i.Platform == "builtin" {
				todo = append(todo, in)
			}
		}
		for _, src := range d.InputSrcs {
			if strings.Contains(named, src.String()) {
				s, err := o.file(ctx, src)
				if err != nil {
					return nil, err
				}
				found[src] = s
			}
		}
	}
	return sorted(found), nil
}

// outPath is the first output of d as text; no text is below that of none.
func outPath(d *derivation.Derivation) string {
	for _, name := range d.OutputNames() {
		if out := d.Outputs[name].Path; !out.IsZero() {
			return out.String()
		}
	}
	return "\x00"
}

// Materials returns everything that was not built in the image's build: all
// downloads and files, also those of tools; and the derivations that were not
// there to read.
func (o *Origins) Materials(ctx context.Context) ([]Source, []storepath.Path, error) {
	found := map[storepath.Path]Source{}
	for p, d := range o.drvs {
		if d == nil || p == o.Drv {
			continue
		}
		if d.IsFixedOutput() {
			s, err := fetched(p, d)
			if err != nil {
				return nil, nil, err
			}
			found[s.Path] = s
		}
	}
	for p := range o.added {
		s, err := o.file(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		found[p] = s
	}
	slices.SortFunc(o.missing, storepath.Compare)
	return sorted(found), o.missing, nil
}

// Derivation returns one that was read, nil if it was not.
func (o *Origins) Derivation(p storepath.Path) *derivation.Derivation { return o.drvs[p] }

func sorted(found map[storepath.Path]Source) []Source {
	list := make([]Source, 0, len(found))
	for _, s := range found {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Source) int { return storepath.Compare(a.Path, b.Path) })
	return list
}

// file is a source that was added to the store as it is.
func (o *Origins) file(ctx context.Context, p storepath.Path) (Source, error) {
	s := Source{Path: p, Recursive: true}
	info, err := o.st.Info(ctx, p)
	if err == nil {
		s.Hash = info.NarHash
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return s, err
}

// fetched is the output of a fixed-output derivation.
func fetched(p storepath.Path, d *derivation.Derivation) (Source, error) {
	out := d.Outputs["out"]
	method, hash, err := out.Fixed()
	if err != nil {
		return Source{}, err
	}
	s := Source{Path: out.Path, Hash: hash, Recursive: method != derivation.Flat, Drv: p}
	urls := strings.Fields(attribute(d, "urls"))
	if len(urls) == 0 {
		urls = strings.Fields(attribute(d, "url"))
	}
	for _, u := range urls {
		// The well-known mirrors alone: those of this machine say nothing elsewhere.
		if all, err := (&fetch.Mirrors{}).Expand(u); err == nil {
			s.URLs = append(s.URLs, all...)
		} else {
			s.URLs = append(s.URLs, u)
		}
	}
	return s, nil
}

// attribute returns an attribute that is a string, or a list of such with spaces
// between.
func attribute(d *derivation.Derivation, name string) string {
	text, ok := d.Structured()
	if !ok {
		return d.Env[name]
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return ""
	}
	var one string
	var list []string
	if json.Unmarshal(all[name], &one) == nil {
		return one
	}
	if json.Unmarshal(all[name], &list) == nil {
		return strings.Join(list, " ")
	}
	return ""
}

func contents(d *derivation.Derivation) []storepath.Path {
	var list []storepath.Path
	for _, word := range strings.Fields(attribute(d, "contents")) {
		if p, err := storepath.Parse(word); err == nil && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// splitName cuts a name before the first dash that no letter follows (Nix:
// DrvName).
func splitName(name string) (string, string) {
	for i := 0; i+1 < len(name); i++ {
		if c := name[i+1]; name[i] == '-' && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}
