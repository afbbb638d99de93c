package nixhash

import (
	"encoding/hex"
	"strings"
	"testing"
)

// What nix-hash and `nix hash to-sri` print for the empty string.
var empty = []struct {
	algo          Algorithm
	b16, b32, b64 string
}{
	{MD5, "d41d8cd98f00b204e9800998ecf8427e", "3y8bwfr609h3lh9ch0izcqq7fl", "1B2M2Y8AsgTpgAmY7PhCfg=="},
	{SHA1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "143xibwh31h9bvxzalr0sjvbbvpa6ffs", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
	{SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
	{SHA512, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
		"0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg",
		"z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
}

func TestNotations(t *testing.T) {
	for _, e := range empty {
		h := Sum(e.algo, nil)
		name := e.algo.String()
		for _, c := range []struct{ what, got, want string }{
			{"Base16", h.Base16(), e.b16},
			{"Base32", h.Base32(), e.b32},
			{"Base64", h.Base64(), e.b64},
			{"SRI", h.SRI(), name + "-" + e.b64},
			{"Prefixed16", h.Prefixed16(), name + ":" + e.b16},
			{"Prefixed32", h.Prefixed32(), name + ":" + e.b32},
		} {
			if c.got != c.want {
				t.Errorf("%s %s = %s, want %s", name, c.what, c.got, c.want)
			}
		}
		for _, in := range []string{e.b16, strings.ToUpper(e.b16), e.b32, e.b64} {
			got, err := Parse(in, e.algo)
			if err != nil || !got.Equal(h) {
				t.Errorf("Parse(%s, %s) = %v, %v", in, name, got, err)
			}
			got, err = Parse(name+":"+in, Unknown)
			if err != nil || !got.Equal(h) {
				t.Errorf("Parse(%s:%s) = %v, %v", name, in, got, err)
			}
		}
		for _, in := range []string{h.SRI(), strings.TrimRight(h.SRI(), "=")} {
			got, err := Parse(in, Unknown)
			if err != nil || !got.Equal(h) {
				t.Errorf("Parse(%s) = %v, %v", in, got, err)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	sha := Sum(SHA256, nil)
	for _, c := range []struct {
		in   string
		algo Algorithm
		want string
	}{
		{sha.Base16(), Unknown, "does not include a type"},
		{sha.SRI(), SHA1, "should have type 'sha1'"},
		{"sha3:" + sha.Base16(), Unknown, "unknown hash algorithm 'sha3'"},
		{"abc", SHA256, "hash 'abc' has wrong length for hash algorithm 'sha256'"},
		{"", SHA256, "has wrong length"},
		{"sha256-abcd", Unknown, "invalid SRI hash 'abcd', length 3 != expected length 32"},
		{"sha256:" + strings.Repeat("z", 64), Unknown, "invalid base-16 string"},
		{"sha256:" + strings.Repeat("e", 52), Unknown, "invalid character in Nix32"},
		{"sha256-" + strings.Repeat("!", 44), Unknown, "invalid character in Base64 string: '!'"},
	} {
		_, err := Parse(c.in, c.algo)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q, %s): %v, want %q", c.in, c.algo, err, c.want)
		}
	}
}

func TestCompress(t *testing.T) {
	got := hex.EncodeToString(Compress([]byte{1, 2, 3, 4, 5}, 3))
	if got != "050703" {
		t.Errorf("Compress = %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range empty {
		f.Add(Sum(e.algo, nil).SRI(), uint8(0))
		f.Add(e.b32, uint8(e.algo))
	}
	f.Fuzz(func(t *testing.T, s string, a uint8) {
		h, err := Parse(s, Algorithm(a%5))
		if err != nil {
			return
		}
		again, err := Parse(h.SRI(), h.Algo)
		if err != nil || !again.Equal(h) {
			t.Errorf("Parse(%q).SRI() = %s does not come back: %v", s, h.SRI(), err)
		}
	})
}
