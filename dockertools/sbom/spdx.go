package sbom

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/storepath"
	"gonix/dockertools/origin"
)

// The JSON of SPDX 2.3, as far as it is used.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		DataLicense   string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Comment       string             `json:"comment"`
		Describes     []string           `json:"documentDescribes"`
		Packages      []spdxPackage      `json:"packages"`
		Licences      []spdxLicence      `json:"hasExtractedLicensingInfos,omitempty"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID               string         `json:"SPDXID"`
		Name             string         `json:"name"`
		Version          string         `json:"versionInfo,omitempty"`
		FileName         string         `json:"packageFileName,omitempty"`
		Purpose          string         `json:"primaryPackagePurpose,omitempty"`
		DownloadLocation string         `json:"downloadLocation"`
		FilesAnalyzed    bool           `json:"filesAnalyzed"`
		Homepage         string         `json:"homepage,omitempty"`
		Summary          string         `json:"summary,omitempty"`
		Concluded        string         `json:"licenseConcluded"`
		Declared         string         `json:"licenseDeclared"`
		LicenceComments  string         `json:"licenseComments,omitempty"`
		Copyright        string         `json:"copyrightText"`
		Checksums        []spdxChecksum `json:"checksums,omitempty"`
		External         []spdxExternal `json:"externalRefs,omitempty"`
		Comment          string         `json:"comment,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxExternal struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxLicence struct {
		ID   string `json:"licenseId"`
		Name string `json:"name"`
		Text string `json:"extractedText"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

const (
	spdxImage   = "SPDXRef-Image"
	noAssertion = "NOASSERTION"
)

func spdxPath(p storepath.Path) string   { return "SPDXRef-Path-" + p.HashPart() }
func spdxSource(p storepath.Path) string { return "SPDXRef-Source-" + p.HashPart() }

// spdxBase is a package of which nothing is known yet.
func spdxBase(id, name, purpose, purl string) spdxPackage {
	p := spdxPackage{ID: id, Name: name, Purpose: purpose, DownloadLocation: noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion}
	if purl != "" {
		p.External = []spdxExternal{{"PACKAGE-MANAGER", "purl", purl}}
	}
	return p
}

func writeSPDX(d *document) (any, error) {
	doc := spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: d.name,
		Namespace: "https://spdx.org/spdxdocs/" + identifier(d.name) + "-" + d.uuid,
		Creation:  spdxCreation{d.created, []string{"Tool: " + d.tool}},
		Comment:   d.comment(), Describes: []string{spdxImage},
	}
	relate := func(from, kind, to string) {
		doc.Relationships = append(doc.Relationships, spdxRelationship{from, kind, to})
	}
	img := spdxBase(spdxImage, d.name, "CONTAINER", d.purl)
	img.Checksums = []spdxChecksum{{"SHA256", d.digest.Hex()}}
	img.Comment = "The checksum is the digest of the image's manifest."
	if !d.drv.IsZero() {
		img.Comment += fmt.Sprintf(" Made by %s.", d.drv)
	}
	doc.Packages = append(doc.Packages, img)
	relate("SPDXRef-DOCUMENT", "DESCRIBES", spdxImage)
	for i, l := range d.layers {
		id := fmt.Sprintf("SPDXRef-Layer-%d", i+1)
		p := spdxBase(id, fmt.Sprintf("layer %d", i+1), "ARCHIVE", "")
		p.Checksums = []spdxChecksum{{"SHA256", l.Digest.Hex()}}
		p.Comment = d.layerComment(i)
		doc.Packages = append(doc.Packages, p)
		relate(spdxImage, "CONTAINS", id)
	}
	own := map[string]string{}
	for i := range d.parts {
		p := &d.parts[i]
		id := spdxPath(p.Path)
		purpose := ""
		if p.Kind == origin.Added {
			purpose = "FILE"
		}
		s := spdxBase(id, p.Name, purpose, partPurl(p))
		s.Version, s.FileName, s.Homepage, s.Summary = p.Version, p.Path.String(), p.meta.Homepage, p.meta.Description
		if len(p.Sources) == 1 && p.Kind == origin.Fetched && len(p.Sources[0].URLs) > 0 {
			s.DownloadLocation = p.Sources[0].URLs[0]
		}
		if !p.NarHash.IsZero() {
			s.Checksums = []spdxChecksum{{"SHA256", p.NarHash.Base16()}}
		}
		if expression, refs := p.meta.licence(); expression != "" {
			s.Declared = expression
			maps.Copy(own, refs)
			if len(p.meta.Licences) > 1 {
				s.LicenceComments = "The package set lists these licences and does not say how they combine."
			}
			if p.meta.Of != "" {
				s.LicenceComments = strings.TrimSpace(s.LicenceComments + " " + p.meta.variantNote())
			}
		}
		s.Comment = p.comment()
		doc.Packages = append(doc.Packages, s)
		for _, l := range p.layers {
			relate(fmt.Sprintf("SPDXRef-Layer-%d", l+1), "CONTAINS", id)
		}
		if p.copied {
			relate(spdxImage, "CONTAINS", id)
		}
		for _, to := range p.dependsOn {
			relate(id, "DEPENDS_ON", spdxPath(to))
		}
		for _, src := range p.Sources {
			relate(id, "GENERATED_FROM", spdxSource(src.Path))
		}
	}
	for _, src := range d.sources {
		s := spdxBase(spdxSource(src.Path), src.Path.Name(), "SOURCE", sourcePurl(src))
		s.Comment = sourceComment(src)
		if len(src.URLs) > 0 {
			s.DownloadLocation = src.URLs[0]
		}
		if a := algorithms[src.Hash.Algo.String()]; !src.Hash.IsZero() && a.spdx != "" && (!src.Recursive || len(src.URLs) == 0) {
			s.Checksums = []spdxChecksum{{a.spdx, src.Hash.Base16()}}
		}
		doc.Packages = append(doc.Packages, s)
	}
	addSystemSPDX(d, &doc, own)
	for _, id := range slices.Sorted(maps.Keys(own)) {
		doc.Licences = append(doc.Licences, spdxLicence{id, own[id], "A package names this licence and does not give its text: " + own[id]})
	}
	return doc, nil
}

// layerComment says what is not said of a layer elsewhere.
func (d *document) layerComment(i int) string {
	l := d.layers[i]
	switch {
	case l.FromBase && len(d.system) > 0:
		return "Of the base image. Of its files outside of the store, those of packages are known that the databases of dpkg and apk name."
	case l.FromBase:
		return "Of the base image. What software its files outside of the store are is not known here."
	case l.Files > 0:
		return fmt.Sprintf("Beside store paths it has %d files that the image's contents and scripts put there.", l.Files)
	}
	return ""
}

// comment says what the document as a whole leaves open.
func (d *document) comment() string {
	unknown := 0
	for _, p := range d.parts {
		if p.Kind == origin.Unknown {
			unknown++
		}
	}
	text := fmt.Sprintf("%d store paths, of which %d are of unknown origin.", len(d.parts), unknown)
	if len(d.system) > 0 {
		text += fmt.Sprintf(" %d packages of the base system.", len(d.system))
	}
	if d.drv.IsZero() {
		text += " The derivation of the image is not known, so that what was copied to its root is missing."
	}
	return text
}
