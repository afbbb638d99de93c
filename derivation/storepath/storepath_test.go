package storepath

import (
	"strings"
	"testing"

	"gonix/derivation/nixhash"
)

func mustHash(t *testing.T, s string) nixhash.Hash {
	t.Helper()
	h, err := nixhash.Parse(s, nixhash.Unknown)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The paths are those that C++ Nix gives for the same objects:
// builtins.toFile, nix-store --add, --add-fixed [--recursive], and the outputs
// of derivation { name = "x"; system = "s"; builder = "b"; outputs = [ "out" "dev" ]; }.
func TestMake(t *testing.T) {
	text := func(s string) nixhash.Hash { return nixhash.Sum(nixhash.SHA256, []byte(s)) }
	const first = "/nix/store/m8bk70pnghgh96fvm11r9wvgam6x83zb-a+b"
	for _, c := range []struct {
		what, want string
		make       func() (Path, error)
	}{
		{"text", first, func() (Path, error) { return Text("a+b", text("hello"), nil) }},
		{"text with reference", "/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-ref", func() (Path, error) {
			r := MustParse(first)
			return Text("ref", text("x "+first), []Path{r, r})
		}},
		{"source", "/nix/store/6h9lcbx523532ax1c5g2351w9bm8ykhy-f.txt", func() (Path, error) {
			return FixedOutput("f.txt", true, mustHash(t, "sha256:04zwf782yjwnh3q6hz5izfd6jyip8kgw6g6yj43fiqhbyhdd0dqw"), nil, false)
		}},
		{"flat sha1", "/nix/store/4kn848vczvkyzl9npz1zz3f585s6byn3-f.txt", func() (Path, error) {
			return FixedOutput("f.txt", false, mustHash(t, "sha1:f572d396fae9206628714fb2ce00f72e94f2258f"), nil, false)
		}},
		{"recursive sha512", "/nix/store/wla7z5vwkr5wjhc5l43rlxix9vfp5p5s-f.txt", func() (Path, error) {
			return FixedOutput("f.txt", true, mustHash(t, "sha512:098d9d63b290cc8dff5705019ac0b61fa6ed0b0b1a3d732ef91958c3e5b2d17e8b02b5ed8b01c0526e0e16708adcca96bbf1a906a105927ded24a2236e2a80b0"), nil, false)
		}},
	} {
		got, err := c.make()
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %s, %v; want %s", c.what, got, err, c.want)
		}
	}
}

func TestMakeErrors(t *testing.T) {
	sha1 := nixhash.Sum(nixhash.SHA1, nil)
	if p, err := Text("x", sha1, nil); err == nil {
		t.Errorf("text with sha1: %s", p)
	}
	if p, err := FixedOutput("x", true, sha1, nil, true); err == nil {
		t.Errorf("self reference with sha1: %s", p)
	}
	if p, err := FixedOutput("a b", false, sha1, nil, false); err == nil {
		t.Errorf("bad name: %s", p)
	}
}

func TestParse(t *testing.T) {
	p, err := Parse("/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-a-b.drv")
	if err != nil {
		t.Fatal(err)
	}
	if p.HashPart() != "0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5" || p.Name() != "a-b.drv" || !p.IsDerivation() || p.IsZero() {
		t.Errorf("parts of %s: %s %s", p, p.HashPart(), p.Name())
	}
	q, rest, err := Split(p.String() + "/bin/x")
	if err != nil || q != p || rest != "/bin/x" {
		t.Errorf("Split: %s %q %v", q, rest, err)
	}
	if z := (Path{}); z.String() != "" || z.Name() != "" || z.HashPart() != "" || !z.IsZero() {
		t.Error("the zero path is not empty")
	}
	for _, c := range []struct{ in, want string }{
		{"/usr/bin", "path '/usr/bin' is not in the Nix store"},
		{"/nix/store", "not in the Nix store"},
		{p.String() + "/x", "not in the Nix store"},
		{"/nix/store/abc", "'abc' is too short to be a valid store path"},
		{"/nix/store/edy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-x", "illegal base-32 character 'e'"},
		{"/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5_x", "no dash"},
		{"/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-", "name must not be empty"},
	} {
		if got, err := Parse(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q) = %v, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"a", ""}, {"A0+-._?=", ""}, {".gitignore", ""}, {"..a", ""}, {"...", ""}, {strings.Repeat("x", 211), ""},
		{"", "name must not be empty"},
		{".", "name '.' is not valid"},
		{"..", "name '..' is not valid"},
		{".-x", "name '.-x' is not valid: first dash-separated component must not be '.'"},
		{"..-x", "name '..-x' is not valid: first dash-separated component must not be '..'"},
		{"a b", "name 'a b' contains illegal character ' '"},
		{"a/b", "name 'a/b' contains illegal character '/'"},
		{strings.Repeat("x", 212), "must be no longer than 211 characters"},
	} {
		err := CheckName(c.name)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("CheckName(%q) = %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-ref")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := Parse(s); err == nil && p.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, p)
		}
	})
}
