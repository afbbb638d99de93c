package storepath

import (
	"fmt"
	"slices"
	"strings"

	"gonix/derivation/nixbase32"
	"gonix/derivation/nixhash"
)

// Make returns the path of an object of kind typ ("source", "text:<refs>",
// "output:out") whose inner digest is hash (Nix: makeStorePath).
func Make(typ string, hash nixhash.Hash, name string) (Path, error) {
	fingerprint := typ + ":" + hash.Prefixed16() + ":" + Dir + ":" + name
	digest := nixhash.Compress(nixhash.Sum(nixhash.SHA256, []byte(fingerprint)).Digest, 20)
	p := Path{Dir + "/" + nixbase32.Encode(digest) + "-" + name}
	if err := CheckName(name); err != nil {
		return Path{}, fmt.Errorf("path '%s' is not a valid store path: %w", p.Base(), err)
	}
	return p, nil
}

// Text returns the path of a text file with the given SHA-256 that mentions
// refs: derivations and builtins.toFile (Nix: the text method).
func Text(name string, content nixhash.Hash, refs []Path) (Path, error) {
	if content.Algo != nixhash.SHA256 {
		return Path{}, fmt.Errorf("text object '%s' needs a sha256 hash, not %s", name, content.Algo)
	}
	return Make(withRefs("text", refs, false), content, name)
}

// FixedOutput returns the path of an object that is known by the hash of its
// content: of its NAR if recursive, else of the file. Sources are recursive
// with SHA-256; only these may have references, to others (refs) or to
// themselves (self). (Nix: makeFixedOutputPath)
func FixedOutput(name string, recursive bool, hash nixhash.Hash, refs []Path, self bool) (Path, error) {
	if recursive && hash.Algo == nixhash.SHA256 {
		return Make(withRefs("source", refs, self), hash, name)
	}
	if len(refs) > 0 || self {
		return Path{}, fmt.Errorf("fixed output '%s' with references needs a recursive sha256 hash", name)
	}
	method := ""
	if recursive {
		method = "r:"
	}
	inner := nixhash.Sum(nixhash.SHA256, []byte("fixed:out:"+method+hash.Prefixed16()+":"))
	return Make("output:out", inner, name)
}

// Output returns the path of output id of an input-addressed derivation called
// drvName whose hash modulo for that output is given.
func Output(id string, modulo nixhash.Hash, drvName string) (Path, error) {
	return Make("output:"+id, modulo, OutputName(drvName, id))
}

// OutputName is the name part of output id's path (Nix: outputPathName).
func OutputName(drvName, id string) string {
	if id == "out" {
		return drvName
	}
	return drvName + "-" + id
}

// withRefs appends the references, sorted and once each, to the kind.
func withRefs(typ string, refs []Path, self bool) string {
	sorted := refs
	if !slices.IsSortedFunc(refs, Compare) {
		sorted = slices.SortedFunc(slices.Values(refs), Compare)
	}
	size := len(typ) + len(":self")
	for _, r := range sorted {
		size += 1 + len(r.text)
	}
	var b strings.Builder
	b.Grow(size)
	b.WriteString(typ)
	for i, r := range sorted {
		if i > 0 && r == sorted[i-1] {
			continue
		}
		b.WriteByte(':')
		b.WriteString(r.text)
	}
	if self {
		b.WriteString(":self")
	}
	return b.String()
}
