package narinfo

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/signature"
)

// TestNix reads files that C++ Nix wrote, checks their signatures, and writes
// the same bytes.
func TestNix(t *testing.T) {
	key, err := os.ReadFile("testdata/secret-key")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := signature.ParseSecretKey(string(key))
	if err != nil {
		t.Fatal(err)
	}
	keys := signature.Keys{secret.Name(): secret.Public()}
	files, _ := filepath.Glob("testdata/*.narinfo")
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := Parse(string(text), file)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := string(info.AppendTo(nil)); got != string(text) {
			t.Errorf("%s is written as\n%s", file, got)
		}
		if File(info.Path) != filepath.Base(file) {
			t.Errorf("%s is about %s", file, info.Path)
		}
		f, err := signature.Fingerprint(info.Path, info.NarHash, info.NarSize, info.References)
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Sigs) != 1 || !keys.Verify(f, info.Sigs[0]) {
			t.Errorf("%s: the signature is not accepted", file)
		}
	}
}

const good = `StorePath: /nix/store/4cixa6sxi66q6ibhrwrsqfbrzxa67j8v-mid
URL: nar/x.nar.zst?hash=1
Compression: zstd
FileHash: sha256:1c8hqyhaikwwcxgva4nv6s4f2y3cz4bnp9150xgadb790hv72cy5
FileSize: 172
NarHash: sha256:1zsgfgdmd0359fzdngjlv3fryzldhldc3pc7dpl4lhqaaqs32kdp
NarSize: 168
References: 4cixa6sxi66q6ibhrwrsqfbrzxa67j8v-mid jgz8chknfzl7slanjlx7x6n4zbfmwvrq-leaf
Deriver: lz86m0y3iv2mpq2iqm8bnfhcqzx62zvw-mid.drv
System: x86_64-linux
`

func TestFields(t *testing.T) {
	info, err := Parse(good, "x")
	if err != nil {
		t.Fatal(err)
	}
	if info.URL != "nar/x.nar.zst?hash=1" || info.Codec() != "zstd" || info.FileSize != 172 || info.NarSize != 168 ||
		len(info.References) != 2 || info.Deriver.Name() != "mid.drv" {
		t.Errorf("%+v", info)
	}
	info, err = Parse(strings.Replace(strings.Replace(good, "Compression: zstd\n", "", 1), "lz86m0y3iv2mpq2iqm8bnfhcqzx62zvw-mid.drv", "unknown-deriver", 1), "x")
	if err != nil {
		t.Fatal(err)
	}
	if info.Codec() != "bzip2" || !info.Deriver.IsZero() {
		t.Errorf("%+v", info)
	}
}

func TestBad(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"no newline at the end": {"System: x86_64-linux\n", "System: x86_64-linux", `expecting '\n' at line 10`},
		"no colon":              {"Compression: zstd", "Compression", "expecting ':' at line 3"},
		"path elsewhere":        {"/nix/store/4cix", "/tmp/4cix", "not in the Nix store at line 1"},
		"path with a file":      {"-mid\nURL", "-mid/x\nURL", "not in the Nix store"},
		"no path":               {"StorePath", "Path", "StorePath missing"},
		"no url":                {"URL: nar/x.nar.zst?hash=1\n", "", "URL missing"},
		"url upwards":           {"nar/x", "nar/../../x", "leads out of the cache at line 2"},
		"absolute url":          {"nar/x", "/etc/x", "leads out of the cache"},
		"url of a file":         {"nar/x", "file:///etc/x", "leads out of the cache"},
		"url with a blank":      {"nar/x", "nar/ x", "bad URL"},
		"sha512 of the nar":     {"NarHash: sha256:1zsgfgdmd0359fzdngjlv3fryzldhldc3pc7dpl4lhqaaqs32kdp", "NarHash: sha1:kpcd173cq987hw957sx6m0868wv3x6d9", "bad hash in NarHash"},
		"short hash":            {"NarHash: sha256:1z", "NarHash: sha256:z", "bad hash"},
		"no nar hash":           {"NarHash", "NoHash", "NarHash missing"},
		"negative size":         {"NarSize: 168", "NarSize: -1", "invalid NarSize"},
		"empty size":            {"NarSize: 168", "NarSize: ", "invalid NarSize"},
		"huge size":             {"NarSize: 168", "NarSize: 99999999999999999999", "invalid NarSize"},
		"no size":               {"NarSize: 168", "NarSize: 0", "NarSize missing or zero"},
		"size of words":         {"FileSize: 172", "FileSize: x", "invalid FileSize"},
		"bad reference":         {"jgz8chknfzl7slanjlx7x6n4zbfmwvrq-leaf", "../../etc/passwd", "at line 8"},
		"two lines of it":       {"System: x86_64-linux", "References: jgz8chknfzl7slanjlx7x6n4zbfmwvrq-leaf", "extra References"},
		"bad deriver":           {"lz86m0y3iv2mpq2iqm8bnfhcqzx62zvw-mid.drv", "x", "too short"},
		"bad signature":         {"System: x86_64-linux", "Sig: x:y", "signature"},
		"two paths":             {"System: x86_64-linux", "StorePath: /nix/store/jgz8chknfzl7slanjlx7x6n4zbfmwvrq-leaf", "extra StorePath"},
	} {
		text := strings.Replace(good, test.old, test.new, 1)
		if text == good {
			t.Errorf("%s: nothing replaced", name)
		}
		_, err := Parse(text, "x.narinfo")
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "x.narinfo") {
			t.Errorf("%s: error %v, want one with %q", name, err, test.want)
		}
	}
	if _, err := Parse(strings.Repeat("x", MaxSize+1), "x"); err == nil {
		t.Error("a file of any size is read")
	}
}

// FuzzParse: what can be read can be written and read again as the same bytes.
func FuzzParse(f *testing.F) {
	f.Add(good)
	files, _ := filepath.Glob("testdata/*.narinfo")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		info, err := Parse(text, "fuzz")
		if err != nil {
			return
		}
		written := string(info.AppendTo(nil))
		again, err := Parse(written, "fuzz")
		if err != nil {
			t.Fatalf("%v:\n%s", err, written)
		}
		if got := string(again.AppendTo(nil)); got != written {
			t.Errorf("first\n%s\nthen\n%s", written, got)
		}
	})
}
