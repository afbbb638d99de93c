package nixhash

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"gonix/derivation/nixbase32"
)

// notations are told apart by their length, in this order.
var notations = []struct {
	name   string
	length func(size int) int
	decode func(string) ([]byte, error)
}{
	{"base16", hex.EncodedLen, decode16},
	{"nix32", nixbase32.EncodedLen, nixbase32.Decode},
	{"base64", base64.StdEncoding.EncodedLen, decode64},
}

// Parse reads a hash in any notation: "sha256-<base64>", "sha256:<digest>", or
// a digest alone in base-16, base-32 or base-64. algo is what the context says
// the algorithm is; Unknown leaves it to the text. Where both say it they must
// agree (Nix: Hash::parseAny).
func Parse(s string, algo Algorithm) (Hash, error) {
	h, _, err := ParseNotation(s, algo)
	return h, err
}

// ParseNotation is [Parse] and also returns the name of the notation: base16,
// nix32, base64 or sri.
func ParseNotation(s string, algo Algorithm) (Hash, string, error) {
	rest, sri := s, false
	named := Unknown
	i := strings.IndexByte(s, ':')
	if i < 0 {
		i = strings.IndexByte(s, '-')
		sri = i >= 0
	}
	if i >= 0 {
		a, err := ParseAlgorithm(s[:i])
		if err != nil {
			return Hash{}, "", err
		}
		named, rest = a, s[i+1:]
	}
	switch {
	case named == Unknown && algo == Unknown:
		return Hash{}, "", fmt.Errorf("hash '%s' does not include a type, nor is the type otherwise known from context", s)
	case named != Unknown && algo != Unknown && named != algo:
		return Hash{}, "", fmt.Errorf("hash '%s' should have type '%s'", s, algo)
	case named != Unknown:
		algo = named
	}
	for _, n := range notations {
		if (sri && n.name != "base64") || (!sri && len(rest) != n.length(algo.Size())) {
			continue
		}
		digest, err := n.decode(rest)
		if err != nil {
			return Hash{}, "", fmt.Errorf("while decoding hash '%s': %w", rest, err)
		}
		if sri {
			n.name = "SRI"
		}
		if len(digest) != algo.Size() {
			return Hash{}, "", fmt.Errorf("invalid %s hash '%s', length %d != expected length %d", n.name, rest, len(digest), algo.Size())
		}
		name := n.name
		if sri {
			name = "sri"
		}
		return Hash{algo, digest}, name, nil
	}
	return Hash{}, "", fmt.Errorf("hash '%s' has wrong length for hash algorithm '%s'", rest, algo)
}

// ParseSRI reads the SRI notation only.
func ParseSRI(s string) (Hash, error) {
	if !strings.Contains(s, "-") || strings.Contains(s, ":") {
		return Hash{}, fmt.Errorf("hash '%s' is not SRI", s)
	}
	return Parse(s, Unknown)
}

func decode16(s string) ([]byte, error) {
	out, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("invalid base-16 string '%s'", s)
	}
	return out, nil
}

// decode64 takes padded and unpadded base-64 with line breaks, as Nix does, and
// lets bits beyond the last byte be anything.
func decode64(s string) ([]byte, error) {
	var digits []byte
	for i := range len(s) {
		c := s[i]
		if c == '=' {
			break
		}
		switch {
		case c == '\n':
			continue
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			digits = append(digits, c)
		default:
			return nil, fmt.Errorf("invalid character in Base64 string: '%s'", s[i:i+1])
		}
	}
	// A single digit at the end cannot complete a byte.
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	return base64.RawStdEncoding.DecodeString(string(digits))
}
