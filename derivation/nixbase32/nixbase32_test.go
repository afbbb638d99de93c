package nixbase32

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The expected texts are what `nix-hash --to-base32` prints.
var known = []struct{ hex, text string }{
	{"", ""},
	{"d41d8cd98f00b204e9800998ecf8427e", "3y8bwfr609h3lh9ch0izcqq7fl"},
	{"da39a3ee5e6b4b0d3255bfef95601890afd80709", "143xibwh31h9bvxzalr0sjvbbvpa6ffs"},
	{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"},
}

func TestKnown(t *testing.T) {
	for _, k := range known {
		raw, err := hex.DecodeString(k.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got := Encode(raw); got != k.text {
			t.Errorf("Encode(%s) = %s, want %s", k.hex, got, k.text)
		}
		got, err := Decode(k.text)
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("Decode(%s) = %x, %v", k.text, got, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, s := range []string{
		"e0",                           // not in the alphabet
		"A0",                           // upper case
		"1",                            // no byte has one digit
		"zz",                           // ten bits for one byte
		"00000000000000000000000000x ", // length that nothing has
	} {
		if got, err := Decode(s); err == nil {
			t.Errorf("Decode(%q) = %x, want an error", s, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range known {
		f.Add(k.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw, err := Decode(s)
		if err != nil {
			return
		}
		if again := Encode(raw); again != s {
			t.Errorf("Encode(Decode(%q)) = %q", s, again)
		}
	})
}
