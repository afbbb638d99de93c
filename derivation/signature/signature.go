// Package signature says who vouches for a store object: an ed25519 signature
// over the object's fingerprint, which is made of its path, the hash and size of
// its archive, and its references.
//
// Keys and signatures are texts of the form NAME:BASE64, in which NAME tells
// which key belongs to which signature. (Nix: libutil/signature, and
// ValidPathInfo::fingerprint)
package signature

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// SecretKey makes signatures.
type SecretKey struct {
	name string
	key  ed25519.PrivateKey
}

// PublicKey checks signatures.
type PublicKey struct {
	name string
	key  ed25519.PublicKey
}

// Generate makes a new key pair from 32 bytes of random.
func Generate(name string, random io.Reader) (SecretKey, error) {
	if err := checkName(name); err != nil {
		return SecretKey{}, err
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return SecretKey{}, fmt.Errorf("generate key '%s': %w", name, err)
	}
	return SecretKey{name, ed25519.NewKeyFromSeed(seed)}, nil
}

// ParseSecretKey reads what [SecretKey.String] wrote; blanks around it do not
// count. The error shows nothing of the key but its name.
func ParseSecretKey(text string) (SecretKey, error) {
	name, data, err := parse(text)
	if err != nil {
		return SecretKey{}, fmt.Errorf("secret key: %w", err)
	}
	if len(data) != ed25519.PrivateKeySize {
		return SecretKey{}, fmt.Errorf("secret key '%s' is not valid: it has %d bytes instead of %d", name, len(data), ed25519.PrivateKeySize)
	}
	key := ed25519.PrivateKey(data)
	if !key.Equal(ed25519.NewKeyFromSeed(key.Seed())) {
		return SecretKey{}, fmt.Errorf("secret key '%s' is not valid: its public half is that of another key", name)
	}
	return SecretKey{name, key}, nil
}

// ParsePublicKey reads an entry of trusted-public-keys.
func ParsePublicKey(text string) (PublicKey, error) {
	name, data, err := parse(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key '%s': %w", text, err)
	}
	if len(data) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("public key '%s' is not valid: it has %d bytes instead of %d", text, len(data), ed25519.PublicKeySize)
	}
	return PublicKey{name, data}, nil
}

// Name is what the key's signatures start with.
func (k SecretKey) Name() string { return k.name }

// String is the secret itself.
func (k SecretKey) String() string { return k.name + ":" + base64.StdEncoding.EncodeToString(k.key) }

// Public returns the key with which others check.
func (k SecretKey) Public() PublicKey {
	return PublicKey{k.name, k.key.Public().(ed25519.PublicKey)}
}

// Sign returns the signature of a fingerprint.
func (k SecretKey) Sign(fingerprint string) string {
	return k.name + ":" + base64.StdEncoding.EncodeToString(ed25519.Sign(k.key, []byte(fingerprint)))
}

// Name is what the signatures that the key checks start with.
func (k PublicKey) Name() string { return k.name }

// String is the form in which keys are published.
func (k PublicKey) String() string { return k.name + ":" + base64.StdEncoding.EncodeToString(k.key) }

// Keys are the public keys that are trusted, by name.
type Keys map[string]PublicKey

// ParseKeys reads the entries of trusted-public-keys. Of two of the same name
// the last counts.
func ParseKeys(texts []string) (Keys, error) {
	keys := make(Keys, len(texts))
	for _, text := range texts {
		k, err := ParsePublicKey(text)
		if err != nil {
			return nil, err
		}
		keys[k.name] = k
	}
	return keys, nil
}

// Verify reports whether one of the keys has made the signature of the
// fingerprint.
func (keys Keys) Verify(fingerprint, sig string) bool {
	name, data, err := parse(sig)
	if err != nil || len(data) != ed25519.SignatureSize {
		return false
	}
	k, ok := keys[name]
	return ok && ed25519.Verify(k.key, []byte(fingerprint), data)
}

// Check reports what is wrong with the form of a signature.
func Check(sig string) error {
	name, data, err := parse(sig)
	if err != nil {
		return fmt.Errorf("signature '%s': %w", sig, err)
	}
	if len(data) != ed25519.SignatureSize {
		return fmt.Errorf("signature of key '%s' is not valid: it has %d bytes instead of %d", name, len(data), ed25519.SignatureSize)
	}
	return nil
}

// Fingerprint is the text that is signed for an object. Its references are taken
// sorted and once each.
func Fingerprint(path storepath.Path, narHash nixhash.Hash, narSize int64, references []storepath.Path) (string, error) {
	if path.IsZero() || narHash.Algo != nixhash.SHA256 || narSize <= 0 {
		return "", fmt.Errorf("cannot calculate fingerprint of path '%s' because its size or hash is not known", path)
	}
	refs := slices.Clone(references)
	slices.SortFunc(refs, storepath.Compare)
	refs = slices.Compact(refs)
	var b strings.Builder
	b.WriteString("1;" + path.String() + ";" + narHash.Prefixed32() + ";" + strconv.FormatInt(narSize, 10) + ";")
	for i, r := range refs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(r.String())
	}
	return b.String(), nil
}

func parse(text string) (name string, data []byte, err error) {
	name, encoded, ok := strings.Cut(strings.TrimSpace(text), ":")
	if !ok || encoded == "" || checkName(name) != nil || strings.ContainsAny(encoded, "\r\n") {
		return "", nil, errors.New("it is not of the form NAME:BASE64")
	}
	data, err = base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", nil, fmt.Errorf("what follows '%s:' is not base-64", name)
	}
	return name, data, nil
}

// checkName refuses names that could not be read again.
func checkName(name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == ':' || r == 0x7f }) {
		return fmt.Errorf("'%s' cannot be the name of a key: it must not be empty and hold neither blanks nor colons", name)
	}
	return nil
}
