package signature

import (
	"bytes"
	"strings"
	"testing"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

// A key and a signature that C++ Nix made.
const (
	secret = "test.example-1:IymjdIOwFQMKEQFaOGpdwH6myUF2Afsoe5pdpQM9vVEEA3D9iHALX4E+Rzpbbd2GybqMNWqWIV2BItLLdVoeyg=="
	public = "test.example-1:BANw/YhwC1+BPkc6W23dhsm6jDVqliFdgSLSy3VaHso="
	sig    = "test.example-1:5edgSWa6Z/tipmCm5PURdur/2dLWNrlobhhfkDfotTFxCE3Eu9xAWPaZ9JhrBM72BH/fUa//dpksfmlv+XYXAw=="
)

func fingerprint(t *testing.T, size int64, refs ...string) string {
	t.Helper()
	hash, err := nixhash.Parse("sha256:1zsgfgdmd0359fzdngjlv3fryzldhldc3pc7dpl4lhqaaqs32kdp", nixhash.Unknown)
	if err != nil {
		t.Fatal(err)
	}
	var paths []storepath.Path
	for _, r := range refs {
		paths = append(paths, storepath.MustParse(r))
	}
	f, err := Fingerprint(storepath.MustParse("/nix/store/4cixa6sxi66q6ibhrwrsqfbrzxa67j8v-mid"), hash, size, paths)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const leaf = "/nix/store/jgz8chknfzl7slanjlx7x6n4zbfmwvrq-leaf"

// TestNix signs what Nix signed.
func TestNix(t *testing.T) {
	k, err := ParseSecretKey(secret + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Public().String(); got != public {
		t.Errorf("public key %s, want %s", got, public)
	}
	f := fingerprint(t, 168, leaf, leaf)
	if got := k.Sign(f); got != sig {
		t.Errorf("signature %s, want %s", got, sig)
	}
	keys, err := ParseKeys([]string{public})
	if err != nil {
		t.Fatal(err)
	}
	if !keys.Verify(f, sig) {
		t.Error("Nix's signature is refused")
	}
	for name, bad := range map[string]string{
		"size":       fingerprint(t, 169, leaf),
		"references": fingerprint(t, 168),
	} {
		if keys.Verify(bad, sig) {
			t.Errorf("another %s, and the signature still holds", name)
		}
	}
	if keys.Verify(f, "other-1:"+strings.TrimPrefix(sig, "test.example-1:")) {
		t.Error("a signature holds under another name")
	}
	if (Keys{}).Verify(f, sig) {
		t.Error("a signature holds without a key")
	}
}

func TestGenerate(t *testing.T) {
	k, err := Generate("cache-1", bytes.NewReader(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSecretKey(k.String())
	if err != nil {
		t.Fatal(err)
	}
	keys := Keys{"cache-1": again.Public()}
	if !keys.Verify("text", k.Sign("text")) {
		t.Error("a key does not check its own signature")
	}
	if _, err := Generate("cache-1", bytes.NewReader(nil)); err == nil {
		t.Error("a key without random")
	}
	for _, name := range []string{"", "a:b", "a b"} {
		if _, err := Generate(name, bytes.NewReader(make([]byte, 32))); err == nil {
			t.Errorf("a key called %q", name)
		}
	}
}

func TestBadKeys(t *testing.T) {
	other := strings.Replace(secret, "yg==", "yA==", 1)
	for _, text := range []string{"", "x", ":", "x:", ":AAAA", "x:&", "x:AAAA", public, other} {
		if _, err := ParseSecretKey(text); err == nil {
			t.Errorf("ParseSecretKey(%q) succeeds", text)
		} else if len(text) > 40 && strings.Contains(err.Error(), text[20:40]) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	for _, text := range []string{"", "x", "x:", "x:AAAA", secret} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("ParsePublicKey(%q) succeeds", text)
		}
	}
	for _, text := range []string{"", "x", "x:AAAA", public} {
		if Check(text) == nil {
			t.Errorf("Check(%q) succeeds", text)
		}
	}
	if _, err := Fingerprint(storepath.Path{}, nixhash.Hash{}, 0, nil); err == nil {
		t.Error("a fingerprint of nothing")
	}
}
