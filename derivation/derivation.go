// Package derivation describes builds: what goes in, what is run, what comes
// out, and the store paths that follow from that.
//
// A [Derivation] is the content of a .drv file. [Parse] and AppendTo convert
// the text, FillOutputPaths computes the output paths, DrvPath the name of the
// file itself. All four give exactly what C++ Nix gives.
package derivation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/nixbase32"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// Derivation is one build.
type Derivation struct {
	Name      string // without .drv
	Outputs   map[string]Output
	InputDrvs map[storepath.Path][]string // output names that are used, sorted
	InputSrcs []storepath.Path            // sorted, once each
	Platform  string
	Builder   string
	Args      []string
	Env       map[string]string
}

// Output is one result of a build. Outputs without HashAlgo are addressed by
// what goes into the build, the others by their content, which is known
// beforehand if Hash is set.
type Output struct {
	Path     storepath.Path // zero as long as it is unknown
	HashAlgo string         // "", "sha256", "r:sha256", "text:sha256" ...
	Hash     string         // base-16
}

// Method says how content is hashed.
type Method uint8

// The ways to hash content, with their prefixes in Output.HashAlgo.
const (
	Flat      Method = iota // "": the bytes of a file
	Recursive               // "r:": the NAR
	Text                    // "text:": a file that may have references
)

var methodPrefixes = [...]string{Flat: "", Recursive: "r:", Text: "text:"}

// String is the prefix in Output.HashAlgo.
func (m Method) String() string { return methodPrefixes[m] }

// Fixed returns how and to what hash the content of o is fixed; the hash is
// zero if it is not fixed.
func (o Output) Fixed() (Method, nixhash.Hash, error) {
	if o.HashAlgo == "" {
		if o.Hash != "" {
			return Flat, nixhash.Hash{}, fmt.Errorf("hash '%s' without an algorithm", o.Hash)
		}
		return Flat, nixhash.Hash{}, nil
	}
	method, name := Flat, o.HashAlgo
	for _, m := range []Method{Recursive, Text} {
		if rest, ok := strings.CutPrefix(o.HashAlgo, methodPrefixes[m]); ok {
			method, name = m, rest
		}
	}
	algo, err := nixhash.ParseAlgorithm(name)
	if err != nil || o.Hash == "" {
		return method, nixhash.Hash{}, err
	}
	h, err := nixhash.Parse(algo.String()+":"+o.Hash, algo)
	return method, h, err
}

// IsFixedOutput reports whether the content of the only output is known
// beforehand; such a build may use the network.
func (d *Derivation) IsFixedOutput() bool {
	o, ok := d.Outputs["out"]
	return ok && len(d.Outputs) == 1 && o.Hash != ""
}

// OutputNames returns the names of the outputs, sorted.
func (d *Derivation) OutputNames() []string { return slices.Sorted(maps.Keys(d.Outputs)) }

// Inputs returns the derivations that d uses, sorted.
func (d *Derivation) Inputs() []storepath.Path {
	return slices.SortedFunc(maps.Keys(d.InputDrvs), storepath.Compare)
}

// Structured returns the JSON text of a derivation with __structuredAttrs.
func (d *Derivation) Structured() (json []byte, ok bool) {
	s, ok := d.Env["__json"]
	return []byte(s), ok
}

// Clone returns a copy that shares nothing that can change.
func (d *Derivation) Clone() *Derivation {
	c := *d
	c.Outputs = maps.Clone(d.Outputs)
	c.InputDrvs = make(map[storepath.Path][]string, len(d.InputDrvs))
	for p, outs := range d.InputDrvs {
		c.InputDrvs[p] = slices.Clone(outs)
	}
	c.InputSrcs = slices.Clone(d.InputSrcs)
	c.Args = slices.Clone(d.Args)
	c.Env = maps.Clone(d.Env)
	return &c
}

// AddInput notes that output of drv is used.
func (d *Derivation) AddInput(drv storepath.Path, output string) {
	if d.InputDrvs == nil {
		d.InputDrvs = map[storepath.Path][]string{}
	}
	outs := d.InputDrvs[drv]
	if i, dup := slices.BinarySearch(outs, output); !dup {
		d.InputDrvs[drv] = slices.Insert(outs, i, output)
	}
}

// AddSource notes that the store object p is used as it is.
func (d *Derivation) AddSource(p storepath.Path) {
	if i, dup := slices.BinarySearchFunc(d.InputSrcs, p, storepath.Compare); !dup {
		d.InputSrcs = slices.Insert(d.InputSrcs, i, p)
	}
}

// Placeholder stands in attributes for the path of the derivation's own output
// where that is not known yet; the builder's environment has the real one
// (Nix: hashPlaceholder).
func Placeholder(output string) string {
	h := nixhash.Sum(nixhash.SHA256, []byte("nix-output:"+output))
	return "/" + nixbase32.Encode(h.Digest)
}
