package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest names bytes by their SHA-256 in the form sha256:<64 lower case hex digits>.
type Digest string

const digestPrefix = "sha256:"

// Sum returns the digest of data.
func Sum(data []byte) Digest {
	sum := sha256.Sum256(data)
	return FromSHA256(sum[:])
}

// FromSHA256 makes a digest of a finished SHA-256 sum.
func FromSHA256(sum []byte) Digest { return Digest(digestPrefix + hex.EncodeToString(sum)) }

// ParseDigest checks the written form of a digest.
func ParseDigest(s string) (Digest, error) {
	rest, ok := strings.CutPrefix(s, digestPrefix)
	if !ok {
		return "", fmt.Errorf("digest '%s' is not of the form sha256:<hex>", s)
	}
	if !isLowerHex(rest) || len(rest) != 2*sha256.Size {
		return "", fmt.Errorf("digest '%s' does not have 64 lower case hexadecimal digits", s)
	}
	return Digest(s), nil
}

// Hex returns the hexadecimal digits of d alone.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), digestPrefix) }

func isLowerHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
