// Package nixhash holds digests with their algorithm, and the notations in
// which Nix reads and writes them.
package nixhash

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"gonix/derivation/nixbase32"
)

// Algorithm is a hash function; the zero value means that none is known.
type Algorithm uint8

// The hash functions of Nix.
const (
	Unknown Algorithm = iota
	MD5
	SHA1
	SHA256
	SHA512
)

// algorithms is indexed by Algorithm.
var algorithms = [...]struct {
	name string
	size int
	make func() hash.Hash
}{
	MD5:    {"md5", md5.Size, md5.New},
	SHA1:   {"sha1", sha1.Size, sha1.New},
	SHA256: {"sha256", sha256.Size, sha256.New},
	SHA512: {"sha512", sha512.Size, sha512.New},
}

// ParseAlgorithm returns the algorithm of that name.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a := MD5; a <= SHA512; a++ {
		if algorithms[a].name == name {
			return a, nil
		}
	}
	return Unknown, fmt.Errorf("unknown hash algorithm '%s', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'", name)
}

// String is the name of the algorithm, "" if it is unknown.
func (a Algorithm) String() string { return algorithms[a].name }

// Size is the length of a digest in bytes.
func (a Algorithm) Size() int { return algorithms[a].size }

// New returns a running hash; the algorithm must be known.
func (a Algorithm) New() hash.Hash { return algorithms[a].make() }

// Hash is a digest with its algorithm. The zero value is no hash at all.
type Hash struct {
	Algo   Algorithm
	Digest []byte // Algo.Size() bytes
}

// Sum hashes data.
func Sum(a Algorithm, data []byte) Hash {
	if a == SHA256 { // the commonest by far, and cheaper so
		d := sha256.Sum256(data)
		return Hash{a, d[:]}
	}
	h := a.New()
	h.Write(data)
	return Hash{a, h.Sum(nil)}
}

// SumString hashes s without a copy of it as a whole.
func SumString(a Algorithm, s string) Hash {
	h := a.New()
	c := chunks.Get().(*[chunk]byte)
	defer chunks.Put(c)
	for len(s) > 0 {
		n := copy(c[:], s)
		h.Write(c[:n])
		s = s[n:]
	}
	return Hash{a, h.Sum(nil)}
}

const chunk = 8 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// Of is the hash that h has arrived at; a must be h's algorithm.
func Of(a Algorithm, h hash.Hash) Hash { return Hash{a, h.Sum(nil)} }

// IsZero reports whether h is no hash at all.
func (h Hash) IsZero() bool { return h.Algo == Unknown }

// Equal reports whether h and g have the same algorithm and digest.
func (h Hash) Equal(g Hash) bool { return h.Algo == g.Algo && bytes.Equal(h.Digest, g.Digest) }

// Base16 is the digest in lower case hexadecimal.
func (h Hash) Base16() string { return hex.EncodeToString(h.Digest) }

// Base32 is the digest in Nix's base-32.
func (h Hash) Base32() string { return nixbase32.Encode(h.Digest) }

// Base64 is the digest in padded base-64.
func (h Hash) Base64() string { return base64.StdEncoding.EncodeToString(h.Digest) }

// SRI is the notation of Subresource Integrity: the algorithm, a dash, base-64.
func (h Hash) SRI() string { return h.Algo.String() + "-" + h.Base64() }

// Prefixed16 is "sha256:" and the digest in hexadecimal.
func (h Hash) Prefixed16() string { return h.Algo.String() + ":" + h.Base16() }

// Prefixed32 is "sha256:" and the digest in base-32.
func (h Hash) Prefixed32() string { return h.Algo.String() + ":" + h.Base32() }

// String is the SRI notation.
func (h Hash) String() string { return h.SRI() }

// Compress folds a digest to size bytes by xor, as store paths do with 20
// (Nix: compressHash).
func Compress(digest []byte, size int) []byte {
	out := make([]byte, size)
	for i, b := range digest {
		out[i%size] ^= b
	}
	return out
}
