package fetch

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	m := &Mirrors{
		Override: func(name string) []string {
			if name == "gnu" {
				return []string{"http://127.0.0.1:1/g"}
			}
			return nil
		},
		First: map[string][]string{"debian": {"http://127.0.0.1:2/debian"}},
	}
	plain, err := m.Expand("http://127.0.0.1/x")
	if err != nil || !slices.Equal(plain, []string{"http://127.0.0.1/x"}) {
		t.Errorf("plain address: %v, %v", plain, err)
	}
	gnu, err := m.Expand("mirror://gnu/hello/hello-2.10.tar.gz")
	if err != nil || !slices.Equal(gnu, []string{"http://127.0.0.1:1/g/hello/hello-2.10.tar.gz"}) {
		t.Errorf("override: %v, %v", gnu, err)
	}
	deb, err := m.Expand("mirror://debian/pool/x.deb")
	if err != nil || len(deb) < 2 || deb[0] != "http://127.0.0.1:2/debian/pool/x.deb" {
		t.Errorf("host's mirror comes first: %v, %v", deb, err)
	}
	for _, bad := range []string{"mirror://", "mirror://gnu", "mirror:///x", "mirror://nosuch/x"} {
		if _, err := m.Expand(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestAptSources(t *testing.T) {
	text := `# a comment
deb [arch=amd64 signed-by=/x.gpg] http://one.example/debian bookworm main
deb-src http://one.example/debian bookworm main
deb http://one.example/debian bookworm-updates main
deb http://one.example/debian-security bookworm-security main
deb cdrom:[Debian]/ bookworm main

Types: deb deb-src
URIs: https://two.example/debian/ https://three.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://two.example/security
Suites: bookworm-security
`
	got := AptSources(strings.NewReader(text))
	want := []string{"http://one.example/debian", "https://two.example/debian/", "https://three.example/debian"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
