package provenance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/origin"
)

// TestMaterial has a digest under a name of its own where it is not of what the
// URI gives. A whole statement is among the goldens of package sbom.
func TestMaterial(t *testing.T) {
	p := storepath.MustParse("/nix/store/" + strings.Repeat("a", 32) + "-x")
	hash := nixhash.Sum(nixhash.SHA1, nil)
	for want, m := range map[string]origin.Source{
		`"uri":"https://a/x","digest":{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`:                        {Path: p, URLs: []string{"https://a/x"}, Hash: hash},
		`"uri":"https://a/y","digest":{"nar-sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`:                    {Path: p, URLs: []string{"https://a/y"}, Hash: hash, Recursive: true},
		`"uri":"file://` + p.String() + `","annotations":{"note":"the store no longer has it, so its hash is not`: {Path: p, Recursive: true},
	} {
		got, err := json.Marshal(material(m))
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s, error %v", got, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	img, err := image.New(image.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := origin.Find(t.Context(), nil, storepath.Path{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), Input{Image: archive.Tagged{Image: img}, Origins: o}); !errors.Is(err, ErrUnknown) {
		t.Errorf("error %v", err)
	}
}
