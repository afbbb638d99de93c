// Package distribution finds out which packages of a Linux distribution an image
// has: the databases of dpkg and apk in its files go in, packages with versions,
// licences and package URLs come out.
//
// [Databases] keeps the few files that matter while the layers of an image are
// read, and [Databases.Packages] reads those that are left when all layers are
// applied. The databases are whatever a base image says; what is not a record of
// an installed package is passed over, and sizes are bounded.
package distribution

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
)

const (
	// maxFile bounds a file that is kept, maxTotal all of them.
	maxFile  = 32 << 20
	maxTotal = 128 << 20
	// maxPackages is how many packages are told of, a few times as many as a
	// distribution has.
	maxPackages = 500_000
)

// Package is an installed package.
type Package struct {
	// Kind is deb or apk.
	Kind                        string
	Name, Version, Architecture string
	// Source is the package it was built from, if its name is another.
	Source string
	// Licences are as the package says: names of SPDX in apk, of Debian's
	// copyright files in deb. None where it does not say.
	Licences              []string
	Homepage, Description string
	// Purl is its package URL.
	Purl string
	// Layer is the number, from 0, of the layer whose database has it; File is
	// the database.
	Layer int
	File  string
}

// Databases keeps what a [listing.Listing] passes by.
type Databases struct {
	kept  map[image.Digest]string
	total int
	name  string
	want  bool
	buf   []byte
}

var _ listing.Watcher = (*Databases)(nil)

// New returns databases to give to [listing.Read].
func New() *Databases { return &Databases{kept: map[image.Digest]string{}} }

// kind is what a file says.
type kind uint8

const (
	nothing kind = iota
	dpkgStatus
	apkInstalled
	release
	copyright
)

// records read the databases.
var records = map[kind]func(text string, f listing.File, most int) []Package{dpkgStatus: dpkgPackages, apkInstalled: apkPackages}

func kindOf(name string) kind {
	dir, last := path.Split(name)
	switch {
	case name == "var/lib/dpkg/status", dir == "var/lib/dpkg/status.d/" && !strings.HasSuffix(last, ".md5sums"):
		return dpkgStatus
	case name == "lib/apk/db/installed", name == "usr/lib/apk/db/installed":
		return apkInstalled
	case name == "etc/os-release", name == "usr/lib/os-release":
		return release
	case strings.HasPrefix(dir, "usr/share/doc/") && last == "copyright" && strings.Count(name, "/") == 4:
		return copyright
	}
	return nothing
}

// Begin implements [listing.Watcher].
func (d *Databases) Begin(name string, size int64) {
	d.buf, d.want = d.buf[:0], kindOf(name) != nothing && size <= maxFile && d.total+int(size) <= maxTotal
}

// Write implements [listing.Watcher].
func (d *Databases) Write(p []byte) (int, error) {
	if d.want {
		d.buf = append(d.buf, p...)
	}
	return len(p), nil
}

// End implements [listing.Watcher].
func (d *Databases) End(digest image.Digest) {
	if _, have := d.kept[digest]; d.want && !have {
		d.kept[digest] = string(d.buf)
		d.total += len(d.buf)
	}
}

// Packages returns the packages of an image that was read with d, sorted by kind,
// name, version and architecture.
func (d *Databases) Packages(l *listing.Listing) []Package {
	var out []Package
	named := map[string]string{}
	read := map[image.Digest]bool{} // databases, which may have several names
	os := map[string]string{}
	for _, f := range l.Files {
		text, ok := d.kept[f.Digest]
		if !ok {
			continue
		}
		switch k := kindOf(f.Name); k {
		case dpkgStatus, apkInstalled:
			if !read[f.Digest] {
				read[f.Digest] = true
				out = append(out, records[k](text, f, maxPackages-len(out))...)
			}
		case copyright:
			named[path.Base(path.Dir(f.Name))] = text
		case release:
			if len(os) == 0 {
				os = releaseFields(text)
			}
		}
	}
	for i := range out {
		p := &out[i]
		if text, ok := named[p.Name]; ok && p.Kind == "deb" {
			p.Licences = copyrightLicences(text)
		}
		p.Purl = p.purl(os)
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Architecture, b.Architecture))
	})
	return slices.CompactFunc(out, func(a, b Package) bool { return a.Purl == b.Purl })
}

// purl is the package URL of p on the distribution that os-release describes
// (package-url specification, types deb and apk).
func (p *Package) purl(os map[string]string) string {
	vendor := cmp.Or(os["ID"], map[string]string{"deb": "debian", "apk": "alpine"}[p.Kind])
	text := "pkg:" + p.Kind + "/" + Escape(strings.ToLower(vendor)) + "/" + Escape(strings.ToLower(p.Name)) + "@" + Escape(p.Version)
	var more []string
	if p.Architecture != "" {
		more = append(more, "arch="+Escape(p.Architecture))
	}
	if os["ID"] != "" && os["VERSION_ID"] != "" {
		more = append(more, "distro="+Escape(os["ID"]+"-"+os["VERSION_ID"]))
	}
	if len(more) > 0 {
		text += "?" + strings.Join(more, "&")
	}
	return text
}

// Escape is percent-encoding as the canonical form of package URLs has it in each
// of their parts: a colon stays, also in versions with an epoch.
func Escape(s string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":").Replace(url.QueryEscape(s))
}

// releaseFields reads os-release(5): assignments as of a shell, without expansion.
func releaseFields(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			out[key] = strings.Trim(value, `"'`)
		}
	}
	return out
}
