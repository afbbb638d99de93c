package substitute

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gonix/derivation/narinfo"
	"gonix/derivation/nixhash"
	"gonix/derivation/signature"
	"gonix/derivation/storepath"
)

// trusted is a Source of which it can be said that it needs no signatures.
type trusted interface{ Trusted() bool }

// check reports why an object must not be taken, going by what its source says.
func (s *Substituter) check(src *source, info *narinfo.Info) error {
	if info.CA != "" {
		// A claim that does not hold is no reason to trust, and must not get
		// into the database.
		if _, err := addressed(info); err != nil {
			return err
		}
	}
	if t, ok := src.Source.(trusted); ok && t.Trusted() || s.opts.NoSignatures {
		return nil
	}
	return Vouched(info, s.opts.Keys)
}

// Vouched returns nil if a trusted key has signed what is said about an object,
// or if the object's path follows from its content.
func Vouched(info *narinfo.Info, keys signature.Keys) error {
	if c, err := addressed(info); err == nil && c != nil {
		return nil
	}
	f, err := signature.Fingerprint(info.Path, info.NarHash, info.NarSize, info.References)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(info.Sigs, func(sig string) bool { return keys.Verify(f, sig) }) {
		return nil
	}
	return errors.New("it is not signed by any of the keys in 'trusted-public-keys'")
}

// Trusted reports whether as many trusted keys as are needed have signed what is
// said about an object, or the object's path follows from its content.
func Trusted(info *narinfo.Info, keys signature.Keys, needed int) (bool, error) {
	if c, err := addressed(info); err == nil && c != nil {
		return true, nil
	}
	f, err := signature.Fingerprint(info.Path, info.NarHash, info.NarSize, info.References)
	if err != nil {
		return false, err
	}
	valid := 0
	for i, sig := range info.Sigs {
		if !slices.Contains(info.Sigs[:i], sig) && keys.Verify(f, sig) {
			valid++
		}
	}
	return valid >= needed, nil
}

// content is what a content address says of the archive.
type content struct {
	flat bool // the hash is that of the one file in the archive
	hash nixhash.Hash
}

// addressed takes the content address of an object apart and checks that the
// object's path follows from it. It returns nil without an error where it cannot
// tell: no address, an unknown method, an object that refers to itself. Such an
// object needs a signature.
func addressed(info *narinfo.Info) (*content, error) {
	if slices.Contains(info.References, info.Path) {
		return nil, nil
	}
	var c content
	var path storepath.Path
	var err error
	method, text, _ := strings.Cut(info.CA, ":")
	switch method {
	case "text":
		c.flat = true
		if c.hash, err = nixhash.Parse(text, nixhash.SHA256); err == nil {
			path, err = storepath.Text(info.Path.Name(), c.hash, info.References)
		}
	case "fixed":
		digest, recursive := strings.CutPrefix(text, "r:")
		if strings.HasPrefix(digest, "git:") {
			return nil, nil
		}
		c.flat = !recursive
		if c.hash, err = nixhash.Parse(digest, nixhash.Unknown); err == nil {
			path, err = storepath.FixedOutput(info.Path.Name(), recursive, c.hash, info.References, false)
		}
	default:
		return nil, nil
	}
	if err == nil && path != info.Path {
		err = errors.New("its path follows from other content")
	}
	if err != nil {
		return nil, fmt.Errorf("it claims to be content-addressed ('%s') and is not: %w", info.CA, err)
	}
	return &c, nil
}
