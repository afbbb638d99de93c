package flakeref

import (
	"encoding/json"
	"strings"
)

// verifyAttrs need the feature verified-fetches.
var verifyAttrs = []string{"verifyCommit", "keytype", "publicKey", "publicKeys"}

// nullRev is the commit of a repository that has none.
const nullRev = "0000000000000000000000000000000000000000"

// gitScheme is a commit or the work tree of a git repository.
var gitScheme = &scheme{
	name: "git",
	attrs: append([]string{"url", "ref", "rev", "shallow", "submodules", "lfs", "exportIgnore", "lastModified", "revCount",
		"narHash", "allRefs", "name", "dirtyRev", "dirtyShortRev"}, verifyAttrs...),
	fromURL: func(u *URL, _ bool) (Attrs, error) {
		if app, ok := application(u.Scheme); u.Scheme != "git" && !(ok && app == "git") {
			return nil, nil
		}
		attrs := Attrs{}
		address := *u
		address.Query = map[string]string{}
		for name, v := range u.Query {
			switch name {
			case "rev", "ref", "keytype", "publicKey", "publicKeys":
				attrs[name] = Text(v)
			case "shallow", "submodules", "lfs", "exportIgnore", "allRefs", "verifyCommit":
				attrs[name] = Flag(v == "1")
			default:
				address.Query[name] = v
			}
		}
		attrs["url"] = Text(address.String())
		return attrs, nil
	},
	check: func(p Parser, a Attrs) error {
		for _, name := range verifyAttrs {
			if _, ok := a[name]; ok && !p.Verified {
				return &DisabledError{"verified-fetches"}
			}
		}
		ref, ok, err := a.Text("ref")
		if err != nil {
			return err
		}
		if ok && !LegalRef(ref) {
			return badURLf("invalid Git branch/tag name '%s'", ref)
		}
		return fixURL(a, GitURL, "verifyCommit", "shallow", "submodules", "allRefs")
	},
	toURL: func(a Attrs) (*URL, error) {
		u, err := ParseURL(a.text("url"), false)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "git" {
			u.Scheme = "git+" + u.Scheme
		}
		if err := addRevision(u, a); err != nil {
			return nil, err
		}
		for _, name := range []string{"shallow", "lfs", "submodules", "exportIgnore", "verifyCommit"} {
			if a.flag(name) {
				u.Query[name] = "1"
			}
		}
		addKeys(u, a)
		return u, nil
	},
	locked: func(a Attrs) bool {
		rev, ok, err := a.rev()
		return ok && err == nil && rev != nullRev
	},
}

// addKeys puts the public keys of commits into the query.
func addKeys(u *URL, a Attrs) {
	type key struct {
		Key  string `json:"key"`
		Type string `json:"type"`
	}
	var keys []key
	if text := a.text("publicKeys"); text != "" {
		if json.Unmarshal([]byte(text), &keys) != nil {
			u.Query["publicKeys"] = text
			return
		}
	}
	if k := a.text("publicKey"); k != "" {
		typ := a.text("keytype")
		if typ == "" {
			typ = "ssh-ed25519"
		}
		keys = append(keys, key{k, typ})
	}
	switch {
	case len(keys) == 1:
		u.Query["keytype"], u.Query["publicKey"] = keys[0].Type, keys[0].Key
	case len(keys) > 1:
		text, err := json.Marshal(keys)
		if err == nil {
			u.Query["publicKeys"] = string(text)
		}
	}
}

func addRevision(u *URL, a Attrs) error {
	rev, ok, err := a.rev()
	if err != nil {
		return err
	}
	if ok {
		u.Query["rev"] = rev
	}
	if ref, ok, _ := a.Text("ref"); ok {
		u.Query["ref"] = ref
	}
	return nil
}

// fixURL brings the attribute url into its normal form and checks flags.
func fixURL(a Attrs, parse func(string) (*URL, error), flags ...string) error {
	text, err := a.need("url")
	if err != nil {
		return err
	}
	u, err := parse(text)
	if err != nil {
		return err
	}
	a["url"] = Text(u.String())
	for _, name := range flags {
		if _, _, err := a.Flag(name); err != nil {
			return err
		}
	}
	return nil
}

// hgScheme is a changeset of a Mercurial repository.
var hgScheme = &scheme{
	name:  "hg",
	attrs: []string{"url", "ref", "rev", "revCount", "narHash", "name"},
	fromURL: func(u *URL, _ bool) (Attrs, error) {
		switch u.Scheme {
		case "hg+http", "hg+https", "hg+ssh", "hg+file":
		default:
			return nil, nil
		}
		attrs := Attrs{}
		address := *u
		address.Scheme = strings.TrimPrefix(u.Scheme, "hg+")
		address.Query = map[string]string{}
		for name, v := range u.Query {
			if name == "rev" || name == "ref" {
				attrs[name] = Text(v)
			} else {
				address.Query[name] = v
			}
		}
		attrs["url"] = Text(address.String())
		return attrs, nil
	},
	check: func(_ Parser, a Attrs) error {
		text, err := a.need("url")
		if err != nil {
			return err
		}
		if _, err := ParseURL(text, false); err != nil {
			return err
		}
		ref, ok, err := a.Text("ref")
		if err == nil && ok && !LegalRef(ref) {
			err = badURLf("invalid Mercurial branch/tag name '%s'", ref)
		}
		return err
	},
	toURL: func(a Attrs) (*URL, error) {
		u, err := ParseURL(a.text("url"), false)
		if err != nil {
			return nil, err
		}
		u.Scheme = "hg+" + u.Scheme
		return u, addRevision(u, a)
	},
	locked: func(a Attrs) bool {
		_, ok, err := a.rev()
		return ok && err == nil
	},
}
