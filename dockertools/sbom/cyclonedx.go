package sbom

import (
	"fmt"
	"strconv"

	"gonix/derivation/storepath"
	"gonix/dockertools/origin"
)

// The JSON of CycloneDX 1.6, as far as it is used.
type (
	cdxDocument struct {
		Schema       string           `json:"$schema"`
		Format       string           `json:"bomFormat"`
		Spec         string           `json:"specVersion"`
		Serial       string           `json:"serialNumber"`
		Version      int              `json:"version"`
		Metadata     cdxMetadata      `json:"metadata"`
		Components   []cdxComponent   `json:"components"`
		Dependencies []cdxDependency  `json:"dependencies"`
		Compositions []cdxComposition `json:"compositions,omitempty"`
	}
	cdxMetadata struct {
		Timestamp  string        `json:"timestamp"`
		Tools      cdxTools      `json:"tools"`
		Component  cdxComponent  `json:"component"`
		Properties []cdxProperty `json:"properties,omitempty"`
	}
	cdxTools struct {
		Components []cdxComponent `json:"components"`
	}
	cdxComponent struct {
		Type        string         `json:"type"`
		Ref         string         `json:"bom-ref,omitempty"`
		Name        string         `json:"name"`
		Version     string         `json:"version,omitempty"`
		Description string         `json:"description,omitempty"`
		Hashes      []cdxHash      `json:"hashes,omitempty"`
		Licences    []cdxLicence   `json:"licenses,omitempty"`
		Purl        string         `json:"purl,omitempty"`
		External    []cdxExternal  `json:"externalReferences,omitempty"`
		Properties  []cdxProperty  `json:"properties,omitempty"`
		Components  []cdxComponent `json:"components,omitempty"`
	}
	cdxHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	cdxLicence struct {
		Licence    *cdxNamed `json:"license,omitempty"`
		Expression string    `json:"expression,omitempty"`
	}
	cdxNamed struct {
		ID   string `json:"id,omitempty"`
		Name string `json:"name,omitempty"`
	}
	cdxExternal struct {
		Type    string    `json:"type"`
		URL     string    `json:"url"`
		Comment string    `json:"comment,omitempty"`
		Hashes  []cdxHash `json:"hashes,omitempty"`
	}
	cdxProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	cdxDependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn,omitempty"`
	}
	cdxComposition struct {
		Aggregate  string   `json:"aggregate"`
		Assemblies []string `json:"assemblies"`
	}
)

func cdxRef(p storepath.Path) string { return p.String() }

func writeCycloneDX(d *document) (any, error) {
	image := cdxComponent{Type: "container", Ref: "image", Name: d.name, Version: string(d.digest), Purl: d.purl, Hashes: []cdxHash{{"SHA-256", d.digest.Hex()}}}
	if !d.drv.IsZero() {
		image.Properties = append(image.Properties, cdxProperty{"gonix:derivation", d.drv.String()})
	}
	for i, l := range d.layers {
		name := fmt.Sprintf("gonix:layer:%d", i+1)
		image.Properties = append(image.Properties, cdxProperty{name, string(l.Digest)})
		if note := d.layerComment(i); note != "" {
			image.Properties = append(image.Properties, cdxProperty{name + ":note", note})
		}
	}
	doc := cdxDocument{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Serial: "urn:uuid:" + d.uuid, Version: 1,
		Metadata: cdxMetadata{Timestamp: d.created, Tools: cdxTools{[]cdxComponent{{Type: "application", Name: "gonix", Version: d.tool}}}, Component: image,
			Properties: []cdxProperty{{"gonix:note", d.comment()}}},
		Components: []cdxComponent{},
	}
	all := cdxDependency{Ref: "image"}
	var unknown []string
	for i := range d.parts {
		p := &d.parts[i]
		c := cdxComponent{Type: "library", Ref: cdxRef(p.Path), Name: p.Name, Version: p.Version, Description: p.meta.Description, Purl: partPurl(p)}
		if p.Kind == origin.Added {
			c.Type = "file"
		}
		if !p.NarHash.IsZero() {
			c.Hashes = []cdxHash{{"SHA-256", p.NarHash.Base16()}}
		}
		c.Licences = cdxLicences(p.meta)
		if p.meta.Of != "" && len(c.Licences) > 0 {
			c.Properties = append(c.Properties, cdxProperty{"gonix:licenceNote", p.meta.variantNote()})
		}
		if p.meta.Homepage != "" {
			c.External = append(c.External, cdxExternal{Type: "website", URL: p.meta.Homepage})
		}
		for _, s := range p.Sources {
			c.External = append(c.External, cdxSource(s))
		}
		c.Properties = append(c.Properties, cdxProperty{"gonix:origin", p.Kind.String()})
		if !p.Drv.IsZero() {
			c.Properties = append(c.Properties, cdxProperty{"gonix:derivation", p.Drv.String()})
		}
		for _, l := range p.layers {
			c.Properties = append(c.Properties, cdxProperty{"gonix:layer", string(d.layers[l].Digest)})
		}
		if !p.NarHash.IsZero() {
			c.Properties = append(c.Properties, cdxProperty{"gonix:narSize", strconv.FormatInt(p.NarSize, 10)})
		}
		c.Properties = append(c.Properties, cdxProperty{"gonix:note", p.comment()})
		doc.Components = append(doc.Components, c)
		dep := cdxDependency{Ref: c.Ref}
		for _, to := range p.dependsOn {
			dep.On = append(dep.On, cdxRef(to))
		}
		all.On = append(all.On, c.Ref)
		doc.Dependencies = append(doc.Dependencies, dep)
		if p.Kind == origin.Unknown {
			unknown = append(unknown, c.Ref)
		}
	}
	addSystemCDX(d, &doc, &all)
	doc.Dependencies = append([]cdxDependency{all}, doc.Dependencies...)
	if len(unknown) > 0 {
		doc.Compositions = append(doc.Compositions, cdxComposition{"unknown", unknown})
	}
	if d.drv.IsZero() || hasBase(d) {
		doc.Compositions = append(doc.Compositions, cdxComposition{"incomplete", []string{"image"}})
	}
	return doc, nil
}

// cdxLicences lists them; where there is a choice the format wants one expression.
func cdxLicences(m Meta) []cdxLicence {
	var out []cdxLicence
	for _, l := range m.Licences {
		if l.Expression != "" {
			all, _ := m.licence()
			return []cdxLicence{{Expression: all}}
		}
		x := cdxNamed{ID: l.ID}
		if l.ID == "" {
			x.Name = l.Name
		}
		out = append(out, cdxLicence{Licence: &x})
	}
	return out
}

func hasBase(d *document) bool {
	for _, l := range d.layers {
		if l.FromBase {
			return true
		}
	}
	return false
}

func cdxSource(s origin.Source) cdxExternal {
	x := cdxExternal{Type: "source-distribution", URL: s.Path.String(), Comment: sourceComment(s)}
	if len(s.URLs) > 0 {
		x.URL = s.URLs[0]
	}
	if a := algorithms[s.Hash.Algo.String()]; !s.Hash.IsZero() && a.cyclonedx != "" && (!s.Recursive || len(s.URLs) == 0) {
		x.Hashes = []cdxHash{{a.cyclonedx, s.Hash.Base16()}}
	}
	return x
}
