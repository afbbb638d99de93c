// Package sbom writes what software an image consists of: its references
// (package explain) and the origins of its store paths (package origin) go in, a
// document comes out, SPDX 2.3 or CycloneDX 1.6 as JSON.
//
// The document tells what is known and says where something is not: of a store
// path whose derivation is not there, of the files of a base image, of licences
// that no package set gives. Its bytes depend on the image and on what the store
// knows of it, never on the time or the machine.
package sbom

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/distribution"
	"gonix/dockertools/explain"
	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/origin"
)

// Input is what a document is made of.
type Input struct {
	Image   archive.Tagged
	Graph   *explain.Graph
	Origins *origin.Origins
	// Metas has what a package set says of derivations.
	Metas map[storepath.Path]Meta
	// Named has what it says of its own packages, by name: of use for those that
	// were overridden, whose derivations it does not know.
	Named map[string]Meta
	// System are the packages of a distribution that the image has.
	System []distribution.Package
	// Archives are those of store paths that the store does not have, by base name,
	// as the image has their files.
	Archives map[string]listing.Archive
	// Tool is the program that writes, with its version: gonix-1.0.
	Tool string
	// Epoch replaces the time of the image, in seconds since 1970 (SOURCE_DATE_EPOCH).
	Epoch *int64
}

// Meta is what a package set says of a package.
type Meta struct {
	Licences    []Licence
	Homepage    string
	Description string
	// Of is the package, with its version, that this is said of, where that is not
	// the very one.
	Of string
}

func (m Meta) variantNote() string {
	return "The package set says so of " + m.Of + "; this is another derivation of that name."
}

// Licence is one of a package: ID is of the SPDX list, or "" with a Name, or with an
// Expression that leaves a choice, in which Names are those of its LicenseRefs.
type Licence struct {
	ID, Name   string
	Expression string
	Names      map[string]string
}

// Format is a kind of document.
type Format struct {
	Name      string
	MediaType string
	write     func(*document) (any, error)
}

// Formats are the kinds of documents.
var Formats = []Format{
	{"spdx", "application/spdx+json", writeSPDX},
	{"cyclonedx", "application/vnd.cyclonedx+json", writeCycloneDX},
}

// ParseFormat returns the format called name.
func ParseFormat(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("'%s' is not a format of an SBOM: there are spdx and cyclonedx", name)
}

// Write returns the document.
func (f Format) Write(ctx context.Context, in Input) ([]byte, error) {
	d, err := gather(ctx, in)
	if err != nil {
		return nil, err
	}
	v, err := f.write(d)
	if err != nil {
		return nil, err
	}
	return encode(v)
}

// Names returns the names of the packages whose derivations are known, sorted:
// what to ask a package set for.
func Names(ctx context.Context, in Input) ([]string, error) {
	d, err := gather(ctx, in)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range d.parts {
		if p.Kind == origin.Built || p.Kind == origin.Fetched {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Unhashed returns the base names of the store paths of the image that the store
// does not have: what to give Archives of.
func Unhashed(ctx context.Context, in Input) ([]string, error) {
	d, err := gather(ctx, in)
	if err != nil {
		return nil, err
	}
	var bases []string
	for _, p := range d.parts {
		if p.NarHash.IsZero() && p.layers != nil {
			bases = append(bases, p.Path.Base())
		}
	}
	return bases, nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// document is what all formats tell.
type document struct {
	name    string // of the image with its tag
	purl    string
	tool    string
	created string
	digest  image.Digest
	uuid    string // follows from everything else
	layers  []explain.Layer
	parts   []part // sorted by path
	// sources are those of all parts, once each, sorted by path.
	sources []origin.Source
	drv     storepath.Path
	system  []distribution.Package
}

// part is a store path of the image.
type part struct {
	origin.Item
	meta   Meta
	layers []int // none for one that was only copied
	// copied says that the image's contents have it, and so its files are at the
	// root of the image, copied or linked.
	copied    bool
	dependsOn []storepath.Path
	note      string // what is not known
	// rehashed says that the checksum is of what the image has.
	rehashed bool
}

func gather(ctx context.Context, in Input) (*document, error) {
	cfg := in.Image.Image.Config()
	d := &document{name: "image", digest: in.Image.Image.Digest(), tool: in.Tool, layers: in.Graph.Layers, drv: in.Origins.Drv, system: in.System}
	if len(in.Image.References) > 0 {
		d.name = in.Image.References[0].String()
	}
	d.purl = imagePurl(in.Image, cfg.Architecture)
	at, err := time.Parse(time.RFC3339Nano, cfg.Created)
	if err != nil {
		at = time.Unix(0, 0)
	}
	if in.Epoch != nil {
		at = time.Unix(*in.Epoch, 0)
	}
	d.created = at.UTC().Format("2006-01-02T15:04:05Z")

	var parts []part
	for _, n := range in.Graph.Nodes {
		p := part{layers: n.Layers, copied: slices.Contains(in.Origins.Contents, n.Path)}
		p.Path = n.Path
		for _, r := range n.Refs {
			p.dependsOn = append(p.dependsOn, in.Graph.Nodes[r.To].Path)
		}
		parts = append(parts, p)
	}
	for _, c := range in.Origins.Contents {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.Path == c }) {
			p := part{copied: true}
			p.Path = c
			parts = append(parts, p)
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return storepath.Compare(a.Path, b.Path) })
	known := map[storepath.Path]bool{}
	for _, p := range parts {
		known[p.Path] = true
	}
	sources := map[storepath.Path]origin.Source{}
	for i := range parts {
		p := &parts[i]
		if p.Item, err = in.Origins.Item(ctx, p.Path); err != nil {
			return nil, err
		}
		if a, ok := in.Archives[p.Path.Base()]; ok && p.NarHash.IsZero() {
			p.NarHash, p.NarSize, p.rehashed = a.Hash, a.Size, true
		}
		if p.Kind == origin.Unknown {
			p.note = "Where this store path comes from is not known: the store has no derivation of it, as it was substituted or came with a base image. Name and version are read off its name."
		} else {
			var exact bool
			if p.meta, exact = in.Metas[p.Drv]; !exact && p.Kind != origin.Added {
				p.meta = in.Named[p.Name]
			}
		}
		if p.layers == nil {
			for _, r := range p.References {
				if known[r] && r != p.Path {
					p.dependsOn = append(p.dependsOn, r)
				}
			}
		}
		slices.SortFunc(p.dependsOn, storepath.Compare)
		for _, s := range p.Sources {
			sources[s.Path] = s
		}
	}
	for _, s := range sources {
		d.sources = append(d.sources, s)
	}
	slices.SortFunc(d.sources, func(a, b origin.Source) int { return storepath.Compare(a.Path, b.Path) })
	d.parts = parts
	all := fmt.Sprintf("%s %s %s %s %+v %+v", d.name, d.digest, d.created, d.tool, d.parts, d.sources)
	if len(d.system) > 0 {
		all += fmt.Sprintf(" %+v", d.system)
	}
	d.uuid = uuid(all)
	return d, nil
}

// uuid makes a UUID, version 8, of a text (RFC 9562).
func uuid(text string) string {
	b := sha256.Sum256([]byte(text))
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// licence returns one expression for all licences of m, and those that are not of
// the SPDX list by their IDs. The package set does not say how several combine;
// that they all hold promises least.
func (m Meta) licence() (string, map[string]string) {
	var parts []string
	own := map[string]string{}
	for _, l := range m.Licences {
		id := l.ID
		switch {
		case l.Expression != "":
			maps.Copy(own, l.Names)
			if id = l.Expression; len(m.Licences) > 1 {
				id = "(" + id + ")"
			}
		case id == "":
			id = "LicenseRef-" + identifier(l.Name)
			own[id] = l.Name
		}
		if !slices.Contains(parts, id) {
			parts = append(parts, id)
		}
	}
	return strings.Join(parts, " AND "), own
}

// identifier replaces what SPDX identifiers cannot have.
func identifier(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '-'
	}, s)
}

const copiedNote = "The contents of the image have it: its files are at the root of the image, copied or linked."

// comment says in words what a format has no field for.
func (p *part) comment() string {
	var list []string
	switch p.Kind {
	case origin.Added:
		list = append(list, "A file that an expression names or wrote; it was not built.")
	case origin.Built, origin.Fetched:
		list = append(list, fmt.Sprintf("Made by %s.", p.Drv))
	}
	if p.note != "" {
		list = append(list, p.note)
	}
	if p.copied {
		list = append(list, copiedNote)
	}
	switch {
	case p.rehashed:
		list = append(list, fmt.Sprintf("The checksum is of an archive (NAR, %d bytes) of the path's files in the image.", p.NarSize))
	case !p.NarHash.IsZero():
		list = append(list, fmt.Sprintf("The checksum is of the path's archive (NAR, %d bytes).", p.NarSize))
	default:
		list = append(list, "Neither store nor image has the whole path, so there is no checksum of its archive.")
	}
	return strings.Join(list, " ")
}

// algorithms are the names of hash algorithms in the formats.
var algorithms = map[string]struct{ spdx, cyclonedx string }{
	"md5": {"MD5", "MD5"}, "sha1": {"SHA1", "SHA-1"}, "sha256": {"SHA256", "SHA-256"}, "sha512": {"SHA512", "SHA-512"}, "blake3": {"BLAKE3", "BLAKE3"},
}

// sourceComment says what the hash of a source is of.
func sourceComment(s origin.Source) string {
	if len(s.URLs) == 0 {
		return "A local file or folder; its hash is of its archive (NAR)."
	}
	var list []string
	if s.Recursive {
		list = append(list, fmt.Sprintf("Its hash %s is of the archive (NAR) of what was unpacked, not of the download.", s.Hash.Prefixed16()))
	}
	if len(s.URLs) > 1 {
		list = append(list, "Also at "+strings.Join(s.URLs[1:], " ")+".")
	}
	return cmp.Or(strings.Join(list, " "), "A download with the hash that its derivation demands.")
}
