// Package nixbase32 is the base-32 notation of Nix: digests in store paths and
// hashes are written with it.
//
// It differs from RFC 4648 in its alphabet, in having no padding, and in its
// order: the first character holds the most significant bits of the last byte
// (Nix: libutil, BaseNix32).
package nixbase32

import "fmt"

// Alphabet holds the digits in the order of their values; e, o, t and u are
// left out.
const Alphabet = "0123456789abcdfghijklmnpqrsvwxyz"

const invalid = 0xff

// values maps a byte to the value of the digit, or to invalid.
var values = func() (t [256]byte) {
	for i := range t {
		t[i] = invalid
	}
	for i := range len(Alphabet) {
		t[Alphabet[i]] = byte(i)
	}
	return t
}()

// EncodedLen returns the number of digits for n bytes.
func EncodedLen(n int) int { return (n*8 + 4) / 5 }

// IsDigit reports whether c belongs to the alphabet.
func IsDigit(c byte) bool { return values[c] != invalid }

// Encode returns the notation of src.
func Encode(src []byte) string {
	dst := make([]byte, EncodedLen(len(src)))
	for k := range dst {
		bit := (len(dst) - 1 - k) * 5
		i, shift := bit/8, bit%8
		v := uint(src[i]) >> shift
		if i+1 < len(src) {
			v |= uint(src[i+1]) << (8 - shift)
		}
		dst[k] = Alphabet[v&31]
	}
	return string(dst)
}

// Decode returns the bytes that s stands for. Each sequence of bytes has one
// notation only: lengths that none has, and bits beyond the last byte, are errors.
func Decode(s string) ([]byte, error) {
	n := len(s) * 5 / 8
	if EncodedLen(n) != len(s) {
		return nil, fmt.Errorf("invalid length %d of Nix32 (Nix's Base-32) string '%s'", len(s), s)
	}
	dst := make([]byte, n)
	for k := range len(s) {
		v := values[s[k]]
		if v == invalid {
			return nil, fmt.Errorf("invalid character in Nix32 (Nix's Base-32) string: '%c'", s[k])
		}
		bit := (len(s) - 1 - k) * 5
		i, shift := bit/8, bit%8
		dst[i] |= v << shift
		carry := byte(uint(v) >> (8 - shift))
		switch {
		case i+1 < n:
			dst[i+1] |= carry
		case carry != 0:
			return nil, fmt.Errorf("invalid Nix32 (Nix's Base-32) string '%s': bits beyond the last byte", s)
		}
	}
	return dst, nil
}
