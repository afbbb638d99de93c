package store

import (
	"strings"

	"gonix/derivation/nixhash"
)

// ParseFixedCA takes the content address of a fixed output or source apart; ok is
// false for any other.
func ParseFixedCA(ca string) (recursive bool, hash nixhash.Hash, ok bool) {
	text, ok := strings.CutPrefix(ca, "fixed:")
	if !ok {
		return false, hash, false
	}
	text, recursive = strings.CutPrefix(text, "r:")
	hash, err := nixhash.Parse(text, nixhash.Unknown)
	return recursive, hash, err == nil
}
