// Package provenance writes how an image was made: its origins (package origin)
// go in, an in-toto statement with SLSA provenance 1.0 comes out.
//
// The derivation of the image says all: it is the external parameter, and the
// resolved dependencies are everything in its build that was not built itself, by
// hash, down to the first compiler. So the statement depends on the derivation and
// on the digest of the image alone, and whoever makes the image again makes the
// same statement. There are no times and no name of a machine; it is not signed.
package provenance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/origin"
)

// MediaType is of a statement, PredicateType of what it states.
const (
	MediaType     = "application/vnd.in-toto+json"
	PredicateType = "https://slsa.dev/provenance/v1"
)

// Names of what builds and how, where nobody has given others.
const (
	BuildType      = "urn:gonix:derivation:v1"
	DefaultBuilder = "urn:gonix:builder:local"
)

// Input is what a statement is made of.
type Input struct {
	Image   archive.Tagged
	Origins *origin.Origins
	// Builder is the URI of who vouches for the machine that built; "" for
	// DefaultBuilder.
	Builder string
	// Version is of the program that built.
	Version string
}

type (
	statement struct {
		Type          string     `json:"_type"`
		Subject       []resource `json:"subject"`
		PredicateType string     `json:"predicateType"`
		Predicate     predicate  `json:"predicate"`
	}
	resource struct {
		Name        string            `json:"name,omitempty"`
		URI         string            `json:"uri,omitempty"`
		Digest      map[string]string `json:"digest,omitempty"`
		Annotations map[string]any    `json:"annotations,omitempty"`
	}
	predicate struct {
		Definition definition `json:"buildDefinition"`
		Run        run        `json:"runDetails"`
	}
	definition struct {
		BuildType    string         `json:"buildType"`
		External     parameters     `json:"externalParameters"`
		Internal     map[string]any `json:"internalParameters,omitempty"`
		Dependencies []resource     `json:"resolvedDependencies"`
	}
	parameters struct {
		Derivation string   `json:"derivation"`
		Outputs    []string `json:"outputs"`
	}
	run struct {
		Builder struct {
			ID      string            `json:"id"`
			Version map[string]string `json:"version,omitempty"`
		} `json:"builder"`
	}
)

// ErrUnknown says that nothing is known of how the image was made.
var ErrUnknown = errors.New("the store has no derivation of this image, so how it was made is not known; give the output of an image derivation that was built here")

// Write returns the statement.
func Write(ctx context.Context, in Input) ([]byte, error) {
	o := in.Origins
	if o.Drv.IsZero() {
		return nil, ErrUnknown
	}
	s := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: PredicateType}
	subject := resource{Name: "image", Digest: map[string]string{"sha256": in.Image.Image.Digest().Hex()}}
	if len(in.Image.References) > 0 {
		subject.Name = in.Image.References[0].String()
	}
	s.Subject = []resource{subject}
	def := &s.Predicate.Definition
	def.BuildType = BuildType
	def.External = parameters{o.Drv.String(), o.Derivation(o.Drv).OutputNames()}
	materials, missing, err := o.Materials(ctx)
	if err != nil {
		return nil, err
	}
	def.Dependencies = []resource{}
	for _, m := range materials {
		def.Dependencies = append(def.Dependencies, material(m))
	}
	if len(missing) > 0 {
		def.Internal = map[string]any{"missingDerivations": texts(missing)}
	}
	b := &s.Predicate.Run.Builder
	if b.ID = in.Builder; b.ID == "" {
		b.ID = DefaultBuilder
	}
	b.Version = map[string]string{"gonix": in.Version}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(s)
	return buf.Bytes(), err
}

// material describes a source. Only the hash of a single file is a digest of what
// the URI gives; that of a tree is of its archive and has a name of its own.
func material(m origin.Source) resource {
	r := resource{Name: m.Path.Name(), Annotations: map[string]any{"storePath": m.Path.String()}}
	if len(m.URLs) > 0 {
		r.URI = m.URLs[0]
	} else {
		r.URI = "file://" + m.Path.String()
	}
	if len(m.URLs) > 1 {
		r.Annotations["alsoAt"] = m.URLs[1:]
	}
	if !m.Drv.IsZero() {
		r.Annotations["derivation"] = m.Drv.String()
	}
	switch {
	case m.Hash.IsZero():
		r.Annotations["note"] = "the store no longer has it, so its hash is not known; the derivation's name depends on it"
	case m.Recursive:
		r.Digest = map[string]string{fmt.Sprintf("nar-%s", m.Hash.Algo): m.Hash.Base16()}
	default:
		r.Digest = map[string]string{m.Hash.Algo.String(): m.Hash.Base16()}
	}
	return r
}

func texts(list []storepath.Path) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return out
}
