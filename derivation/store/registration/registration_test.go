package registration

import (
	"errors"
	"io"
	"strings"
	"testing"

	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

func path(name string) storepath.Path {
	return storepath.MustParse("/nix/store/00000000000000000000000000000000-" + name)
}

func TestForms(t *testing.T) {
	info := &store.Info{
		Path: path("a"), Deriver: path("a.drv"), NarHash: nixhash.Sum(nixhash.SHA256, nil), NarSize: 120,
		References: []storepath.Path{path("a"), path("b")},
	}
	for _, c := range []struct {
		form Form
		want string
	}{
		{Form{}, "P-a\n\n2\nP-a\nP-b\n"},
		{Form{Hash: true, Deriver: true}, "P-a\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n120\nP-a.drv\n2\nP-a\nP-b\n"},
	} {
		text := string(Append(nil, info, c.form))
		if got := strings.ReplaceAll(text, "/nix/store/00000000000000000000000000000000", "P"); got != c.want {
			t.Errorf("%+v: %q", c.form, got)
		}
		in := NewReader(strings.NewReader(text+text), c.form.Hash)
		for range 2 {
			got, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			if again := string(Append(nil, got, c.form)); again != text {
				t.Errorf("%q became %q", text, again)
			}
		}
		if _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("error %v", err)
		}
	}
}

func TestBad(t *testing.T) {
	for in, want := range map[string]string{
		"nonsense\n":                                "line 1: ",
		path("a").String():                          "line 1: unexpected EOF",
		path("a").String() + "\n\n":                 "line 3: unexpected EOF",
		path("a").String() + "\n\nmany\n":           "line 3: 'many' is not a number",
		path("a").String() + "\n\n-1\n":             "line 3: '-1' is not a number",
		path("a").String() + "\n\n1\n":              "line 4: unexpected EOF",
		path("a").String() + "\nnonsense\n0\n":      "line 2: ",
		path("a").String() + "\n\n1\nnonsense\n":    "line 4: ",
		path("a").String() + "\n\n99999999999999\n": "line 4: unexpected EOF",
	} {
		_, err := NewReader(strings.NewReader(in), false).Next()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
}
