package storepath

import (
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"gonix/derivation/nixbase32"
	"gonix/derivation/nixhash"
)

// fingerprints are texts that paths are made of. An evaluation makes thousands,
// some with hundreds of references.
var fingerprints = sync.Pool{New: func() any { return new([]byte) }}

// Make returns the path of an object of kind typ ("source", "text:<refs>",
// "output:out") whose inner digest is hash (Nix: makeStorePath).
func Make(typ string, hash nixhash.Hash, name string) (Path, error) {
	return makeWithRefs(Dir, typ, nil, false, hash, name)
}

// makeWithRefs is Make for an object of a store whose directory is dir that refers
// to refs, which are sorted and named once each, and with self to itself.
func makeWithRefs(dir, typ string, refs []Path, self bool, hash nixhash.Hash, name string) (Path, error) {
	room := fingerprints.Get().(*[]byte)
	defer fingerprints.Put(room)
	b := appendRefs(append((*room)[:0], typ...), refs, self)
	b = append(b, ':')
	b = append(b, hash.Algo.String()...)
	b = append(b, ':')
	b = hex.AppendEncode(b, hash.Digest)
	b = append(b, ":"+dir+":"...)
	b = append(b, name...)
	*room = b
	digest := nixhash.Compress(nixhash.Sum(nixhash.SHA256, b).Digest, 20)
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
	return makeWithRefs(Dir, "text", refs, false, content, name)
}

// FixedOutput returns the path of an object that is known by the hash of its
// content: of its NAR if recursive, else of the file. Sources are recursive
// with SHA-256; only these may have references, to others (refs) or to
// themselves (self). (Nix: makeFixedOutputPath)
func FixedOutput(name string, recursive bool, hash nixhash.Hash, refs []Path, self bool) (Path, error) {
	return fixedOutput(Dir, name, recursive, hash, refs, self)
}

// FixedOutputIn is FixedOutput of an object without references in a store whose
// directory is dir. The path that it returns has the digest that such a store
// would use, below our own directory.
func FixedOutputIn(dir, name string, recursive bool, hash nixhash.Hash) (Path, error) {
	return fixedOutput(dir, name, recursive, hash, nil, false)
}

func fixedOutput(dir, name string, recursive bool, hash nixhash.Hash, refs []Path, self bool) (Path, error) {
	if recursive && hash.Algo == nixhash.SHA256 {
		return makeWithRefs(dir, "source", refs, self, hash, name)
	}
	if len(refs) > 0 || self {
		return Path{}, fmt.Errorf("fixed output '%s' with references needs a recursive sha256 hash", name)
	}
	method := ""
	if recursive {
		method = "r:"
	}
	inner := nixhash.Sum(nixhash.SHA256, []byte("fixed:out:"+method+hash.Prefixed16()+":"))
	return makeWithRefs(dir, "output:out", nil, false, inner, name)
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

// appendRefs appends the references to a kind.
func appendRefs(b []byte, refs []Path, self bool) []byte {
	sorted := refs
	if !slices.IsSortedFunc(refs, Compare) {
		sorted = slices.SortedFunc(slices.Values(refs), Compare)
	}
	for i, r := range sorted {
		if i > 0 && r == sorted[i-1] {
			continue
		}
		b = append(b, ':')
		b = append(b, r.text...)
	}
	if self {
		b = append(b, ":self"...)
	}
	return b
}
