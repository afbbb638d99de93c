package sbom

import (
	"fmt"
	"strings"
	"sync"

	"gonix/dockertools/distribution"
)

// spdxNames has licences under the names that SPDX has for them, by those that
// distributions use: Debian's copyright files, and old databases of apk. A name
// that is not here is given as it is.
var spdxNames = sync.OnceValue(func() map[string]string {
	return byName(`
0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-4-Clause
BSL-1.0 BlueOak-1.0.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 EPL-1.0 EPL-2.0 FTL GFDL-1.1-or-later
GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later
GPL-3.0-only GPL-3.0-or-later ICU IJG ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only
LGPL-3.0-or-later Libpng MIT MIT-0 MPL-1.1 MPL-2.0 MirOS NCSA OFL-1.1 OLDAP-2.8 OpenSSL PSF-2.0 PostgreSQL Python-2.0 Ruby
SSH-OpenSSH Sleepycat TCL Unicode-DFS-2016 Unlicense Vim W3C WTFPL X11 ZPL-2.1 Zlib bzip2-1.0.6 curl
Expat=MIT BSD-2-clause=BSD-2-Clause BSD-3-clause=BSD-3-Clause BSD-4-clause=BSD-4-Clause BSD-0-clause=0BSD zlib=Zlib Artistic=Artistic-1.0
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
	m := Meta{Homepage: p.Homepage, Description: p.Description}
	for _, text := range p.Licences {
		// Parts that all hold can be told apart; others stay one text.
		for _, part := range strings.Split(text, " AND ") {
			if id := spdxNames()[part]; id != "" {
				m.Licences = append(m.Licences, Licence{ID: id})
			} else {
				m.Licences = append(m.Licences, Licence{Name: part})
			}
		}
	}
	return m
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
			for id, name := range refs {
				own[id] = name
			}
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
