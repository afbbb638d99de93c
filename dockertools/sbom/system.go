package sbom

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"gonix/dockertools/distribution"
)

// spdxNames has licences under the names that SPDX has for them, by those that
// distributions use: Debian's copyright files, and old databases of apk. A name
// that is not here is given as it is.
var spdxNames = sync.OnceValue(func() map[string]string {
	return byName(`
0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Attribution BSD-4-Clause BSD-4-Clause-UC
BSL-1.0 BlueOak-1.0.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 EPL-1.0 EPL-2.0 FSFAP FSFUL FSFULLR FTL GFDL-1.1-or-later
GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later
GPL-3.0-only GPL-3.0-or-later ICU IJG ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
LGPL-3.0-or-later Libpng MIT MIT-0 MPL-1.1 MPL-2.0 MirOS NCSA OFL-1.1 OLDAP-2.8 OpenSSL PSF-2.0 PostgreSQL Python-2.0 Ruby
SSH-OpenSSH Sleepycat TCL Unicode-DFS-2016 Unlicense Vim W3C WTFPL X11 ZPL-2.1 Zlib bzip2-1.0.6 curl
Expat=MIT BSD-2-clause=BSD-2-Clause BSD-3-clause=BSD-3-Clause BSD-4-clause=BSD-4-Clause BSD-4-clause-UC=BSD-4-Clause-UC BSD-0-clause=0BSD zlib=Zlib Artistic=Artistic-1.0
GPL-1=GPL-1.0-only GPL-1+=GPL-1.0-or-later GPL-2=GPL-2.0-only GPL-2+=GPL-2.0-or-later GPL-2.0=GPL-2.0-only GPL-2.0+=GPL-2.0-or-later
GPL-3=GPL-3.0-only GPL-3+=GPL-3.0-or-later GPL-3.0=GPL-3.0-only GPL-3.0+=GPL-3.0-or-later
LGPL-2=LGPL-2.0-only LGPL-2+=LGPL-2.0-or-later LGPL-2.0=LGPL-2.0-only LGPL-2.0+=LGPL-2.0-or-later
LGPL-2.1=LGPL-2.1-only LGPL-2.1+=LGPL-2.1-or-later LGPL-3=LGPL-3.0-only LGPL-3+=LGPL-3.0-or-later
AGPL-3=AGPL-3.0-only AGPL-3+=AGPL-3.0-or-later GFDL-1.2=GFDL-1.2-only GFDL-1.2+=GFDL-1.2-or-later
GFDL-1.3=GFDL-1.3-only GFDL-1.3+=GFDL-1.3-or-later PSF-2=PSF-2.0
`)
})

func byName(text string) map[string]string {
	out := map[string]string{}
	for _, word := range strings.Fields(text) {
		name, id, ok := strings.Cut(word, "=")
		if !ok {
			id = name
		}
		out[name] = id
	}
	return out
}

// systemMeta is what a package of a distribution says of itself.
func systemMeta(p distribution.Package) Meta {
	m := Meta{Description: p.Description}
	// Both formats want a URI there, and packages write what they like.
	if u, err := url.Parse(p.Homepage); err == nil && u.Host != "" {
		m.Homepage = p.Homepage
	}
	for _, text := range p.Licences {
		m.Licences = append(m.Licences, readLicences(text)...)
	}
	return m
}

// exceptions are those of the SPDX list that distributions name.
var exceptions = strings.Fields(`Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Bootloader-exception Classpath-exception-2.0
	Font-exception-2.0 GCC-exception-2.0 GCC-exception-3.1 LGPL-3.0-linking-exception Libtool-exception Linux-syscall-note LLVM-exception
	OCaml-LGPL-linking-exception OpenJDK-assembly-exception-1.0 openvpn-openssl-exception Qt-GPL-exception-1.0 Qt-LGPL-exception-1.1
	Swift-exception u-boot-exception-2.0 Universal-FOSS-exception-1.0 WxWindows-exception-3.1`)

// readLicences reads names of licences that are joined by AND, OR and parentheses,
// as apk has them, or by "and" and "or", as Debian's copyright files do. Parts that
// all hold can be told apart; a choice stays one expression. What is of another
// form stays one name.
func readLicences(text string) []Licence {
	r := &licenceReader{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))}
	list := r.alternatives(0)
	if r.wrong || r.at < len(r.words) || strings.Contains(text, ",") {
		return []Licence{{Name: text}}
	}
	return list
}

type licenceReader struct {
	words []string
	at    int
	wrong bool
}

// take goes on if the next word is this one.
func (r *licenceReader) take(word string) bool {
	ok := r.at < len(r.words) && strings.EqualFold(r.words[r.at], word)
	if ok {
		r.at++
	}
	return ok
}

func (r *licenceReader) alternatives(depth int) []Licence {
	list := r.all(depth)
	if !r.take("OR") {
		return list
	}
	choice := Licence{Names: map[string]string{}}
	var ways []string
	for {
		way, names := Meta{Licences: list}.licence()
		ways = append(ways, way)
		maps.Copy(choice.Names, names)
		list = r.all(depth)
		if !r.take("OR") {
			way, names = Meta{Licences: list}.licence()
			maps.Copy(choice.Names, names)
			choice.Expression = strings.Join(append(ways, way), " OR ")
			return []Licence{choice}
		}
	}
}

func (r *licenceReader) all(depth int) []Licence {
	list := r.one(depth)
	for r.take("AND") {
		list = append(list, r.one(depth)...)
	}
	return list
}

func (r *licenceReader) one(depth int) []Licence {
	if depth > 20 {
		r.wrong = true
		return nil
	}
	if r.take("(") {
		list := r.alternatives(depth + 1)
		r.wrong = r.wrong || !r.take(")")
		return list
	}
	begin := r.at
	for r.at < len(r.words) && !slices.Contains([]string{"and", "or", "(", ")"}, strings.ToLower(r.words[r.at])) {
		r.at++
	}
	words := r.words[begin:r.at]
	switch {
	case len(words) == 0:
		r.wrong = true
		return nil
	case len(words) == 1 && spdxNames()[words[0]] != "":
		return []Licence{{ID: spdxNames()[words[0]]}}
	case len(words) == 3 && spdxNames()[words[0]] != "" && words[1] == "WITH" && slices.Contains(exceptions, words[2]):
		return []Licence{{Expression: spdxNames()[words[0]] + " WITH " + words[2]}}
	}
	return []Licence{{Name: strings.Join(words, " ")}}
}

// systemComment says where a package is known from.
func systemComment(p distribution.Package) string {
	text := fmt.Sprintf("A package of the base system, of which %s tells.", p.File)
	if p.Source != "" {
		text += " Its source package is " + p.Source + "."
	}
	if len(p.Licences) == 0 {
		text += " The package does not say its licence where programs read it."
	}
	return text
}

const licencesOfFiles = "These are the licences of the package's files; which of them holds for what is in its copyright file."

func systemID(i int) string { return fmt.Sprintf("SPDXRef-Package-%d", i+1) }

// addSystemSPDX adds the packages of distributions to doc, and to own the licences
// that SPDX has no name of.
func addSystemSPDX(d *document, doc *spdxDocument, own map[string]string) {
	for i, p := range d.system {
		m := systemMeta(p)
		s := spdxBase(systemID(i), p.Name, "", p.Purl)
		s.Version, s.Homepage, s.Summary, s.Comment = p.Version, m.Homepage, m.Description, systemComment(p)
		if expression, refs := m.licence(); expression != "" {
			s.Declared = expression
			maps.Copy(own, refs)
			if p.Kind == "deb" {
				s.LicenceComments = licencesOfFiles
			}
		}
		doc.Packages = append(doc.Packages, s)
		if p.Layer >= 0 {
			doc.Relationships = append(doc.Relationships, spdxRelationship{fmt.Sprintf("SPDXRef-Layer-%d", p.Layer+1), "CONTAINS", systemID(i)})
		}
	}
}

// addSystemCDX adds the packages of distributions to doc, and to all their names.
func addSystemCDX(d *document, doc *cdxDocument, all *cdxDependency) {
	for _, p := range d.system {
		m := systemMeta(p)
		c := cdxComponent{Type: "library", Ref: p.Purl, Name: p.Name, Version: p.Version, Description: m.Description, Purl: p.Purl, Licences: cdxLicences(m)}
		if m.Homepage != "" {
			c.External = append(c.External, cdxExternal{Type: "website", URL: m.Homepage})
		}
		c.Properties = append(c.Properties, cdxProperty{"gonix:origin", p.Kind})
		if p.Layer >= 0 {
			c.Properties = append(c.Properties, cdxProperty{"gonix:layer", string(d.layers[p.Layer].Digest)})
		}
		c.Properties = append(c.Properties, cdxProperty{"gonix:note", systemComment(p)})
		doc.Components = append(doc.Components, c)
		all.On = append(all.On, c.Ref)
	}
}
