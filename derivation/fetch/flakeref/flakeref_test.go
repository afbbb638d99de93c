package flakeref

import (
	"strings"
	"testing"
)

var all = Parser{Flakes: true}

const rev = "41632ca330cc6862bda2a8af3ce89933829802ef"

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, attrs, back string }{
		{"nixpkgs", `{"id":"nixpkgs","type":"indirect"}`, "flake:nixpkgs"},
		{"nixpkgs/nixos-25.11", `{"id":"nixpkgs","ref":"nixos-25.11","type":"indirect"}`, "flake:nixpkgs/nixos-25.11"},
		{"flake:a/b/" + rev, `{"id":"a","ref":"b","rev":"` + rev + `","type":"indirect"}`, "flake:a/b/" + rev},
		{"/foo/bar?dir=x", `{"dir":"x","path":"/foo/bar","type":"path"}`, "path:/foo/bar?dir=x"},
		{"path:./x?lastModified=12", `{"lastModified":12,"path":"./x","type":"path"}`, "path:./x?lastModified=12"},
		{"github:NixOS/nixpkgs/23.05?dir=lib", `{"dir":"lib","owner":"NixOS","ref":"23.05","repo":"nixpkgs","type":"github"}`, "github:NixOS/nixpkgs/23.05?dir=lib"},
		{"github:a/b/c/d?host=h.org", `{"host":"h.org","owner":"a","ref":"c/d","repo":"b","type":"github"}`, "github:a/b/c%2Fd?host=h.org"},
		{"sourcehut:~a/b/" + rev, `{"owner":"~a","repo":"b","rev":"` + rev + `","type":"sourcehut"}`, "sourcehut:~a/b/" + rev},
		{"gitlab:a%2Fb/c", `{"owner":"a/b","repo":"c","type":"gitlab"}`, "gitlab:a%2Fb/c"},
		{"git+https://u:p@h:22/a%20b/c?ref=x&dir=z&q=1&submodules=1", `{"dir":"z","ref":"x","submodules":true,"type":"git","url":"https://u:p@h:22/a%20b/c?q=1"}`,
			"git+https://u:p@h:22/a%20b/c?dir=z&q=1&ref=x&submodules=1"},
		{"git+ssh://git@github.com/a/b", `{"type":"git","url":"ssh://git@github.com/a/b"}`, "git+ssh://git@github.com/a/b"},
		{"https://x.org/a.tar.gz?rev=5", `{"rev":"5","type":"tarball","url":"https://x.org/a.tar.gz"}`, "https://x.org/a.tar.gz"},
		{"file+https://x.org/y", `{"type":"file","url":"https://x.org/y"}`, "https://x.org/y"},
		{"hg+https://x.org/y?ref=abc", `{"ref":"abc","type":"hg","url":"https://x.org/y"}`, "hg+https://x.org/y?ref=abc"},
	} {
		ref, err := all.Parse(c.text, Options{Tree: true})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := ref.Attrs().JSON(); got != c.attrs {
			t.Errorf("%s is %s, want %s", c.text, got, c.attrs)
		}
		if got := ref.String(); got != c.back {
			t.Errorf("%s is written %s, want %s", c.text, got, c.back)
		}
		again, err := all.FromAttrs(ref.Attrs())
		if err != nil || !again.Equal(ref) {
			t.Errorf("%s: from attributes %v, %v", c.text, again, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		".":                                 "flake reference '.' is not an absolute path",
		"":                                  "flake reference '' is not an absolute path",
		"github:a":                          "flake reference 'github:a' is not an absolute path",
		"foo://bar":                         "input 'foo://bar' is unsupported",
		"nixpkgs#hello":                     "unexpected fragment 'hello' in flake reference 'nixpkgs#hello'",
		"path:/x?foo=1":                     "path URL 'path:/x?foo=1' has unsupported parameter 'foo'",
		"path://h/x":                        "path URL 'path://h/x' should not have an authority ('h')",
		"file+git:///x":                     "input 'file+git:///x' is unsupported; did you mean 'git+file' instead of 'file+git'?",
		"git+https://x/y?verifyCommit=1":    "experimental Nix feature 'verified-fetches' is disabled; add '--extra-experimental-features verified-fetches' to enable it",
		"https://x/y.zip?lastModified=1#ab": "unexpected fragment 'ab'",
	} {
		if _, err := all.Parse(text, Options{Tree: true}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := (Parser{}).Parse("github:a/b", Options{}); err == nil || !strings.Contains(err.Error(), "'flakes' is disabled") {
		t.Errorf("without the feature: %v", err)
	}
}

func TestFromAttrsErrors(t *testing.T) {
	for _, c := range []struct {
		attrs Attrs
		want  string
	}{
		{Attrs{"foo": Number(1)}, "'type' attribute to specify input scheme is required but not provided"},
		{Attrs{"type": Text("git"), "url": Text("https://x/y"), "ref": Text("a b")}, "invalid Git branch/tag name 'a b'"},
		{Attrs{"type": Text("git"), "url": Text("https://x/y"), "shallow": Text("1")}, "input attribute 'shallow' is not a Boolean"},
		{Attrs{"type": Text("git")}, "input attribute 'url' is missing"},
		{Attrs{"type": Text("path")}, "input attribute 'path' is missing"},
		{Attrs{"type": Text("indirect"), "id": Text("1")}, "'1' is not a valid flake ID"},
		{Attrs{"type": Text("github"), "owner": Text("a"), "repo": Text("b"), "foo": Text("c")}, "input attribute 'foo' not supported by scheme 'github'"},
		{Attrs{"type": Text("github"), "owner": Text("a"), "repo": Text("b"), "rev": Text("c")}, "hash 'c' has wrong length for hash algorithm 'sha1'"},
		{Attrs{"type": Text("tarball"), "url": Text("https://a/b"), "lastModified": Text("x")}, "input attribute 'lastModified' is not an integer"},
	} {
		if _, err := all.FromAttrs(c.attrs); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.attrs.JSON(), err, c.want)
		}
	}
}

func TestGitURL(t *testing.T) {
	for text, want := range map[string]string{
		"/a b/c":                     "file:///a%20b/c",
		"git@github.com:a/b":         "ssh://git@github.com/a/b",
		"user@[::1]:p":               "ssh://user@[::1]/p",
		"git+https://x/y":            "https://x/y",
		"a/b":                        "file:a/b",
		"https://x.org/y?z=1":        "https://x.org/y?z=1",
		"ssh://git@github.com:22/ab": "ssh://git@github.com:22/ab",
	} {
		u, err := GitURL(text)
		if err != nil || u.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, u, err, want)
		}
	}
}

func TestLegalRef(t *testing.T) {
	for name, want := range map[string]bool{"main": true, "HEAD": true, "refs/heads/x": true, "a.b": true, "v1+2": true,
		"": false, "@": false, "a..b": false, ".a": false, "a/.b": false, "a.lock": false, "a b": false, "a~1": false, "-a": false, "a/": false, "a//b": false} {
		if LegalRef(name) != want {
			t.Errorf("LegalRef(%q) = %v", name, !want)
		}
	}
}

// What is parsed has attributes that are a reference again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"nixpkgs/x#y", "git+https://u@h/a?ref=b&dir=c", "github:a/b/c?host=d", "path:./x?narHash=sha256-x", "/a?dir=b#c", "http://[::1]:80/a.zip"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := all.Parse(s, Options{Tree: true, Relative: true})
		if err != nil {
			return
		}
		if text, err := ref.URL(); err == nil {
			// Whatever it becomes, reading it ends.
			all.Parse(text, Options{Tree: true, Relative: true})
		}
		if _, err := all.FromAttrs(ref.Attrs()); err != nil {
			t.Errorf("%q: attributes %s: %v", s, ref.Attrs().JSON(), err)
		}
	})
}
