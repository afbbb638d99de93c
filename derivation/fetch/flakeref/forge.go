package flakeref

import (
	"fmt"
	"strings"

	"gonix/derivation/nixhash"
)

var hostName = compiled(`^[a-zA-Z0-9.-]*$`)

// forgeScheme is an archive of a repository on a host that makes one of each
// commit: github, gitlab or sourcehut. (Nix: GitArchiveInputScheme)
func forgeScheme(name string) *scheme {
	return &scheme{
		name:    name,
		attrs:   []string{"owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"},
		flakes:  true,
		fromURL: func(u *URL, _ bool) (Attrs, error) { return forgeAttrs(name, u) },
		check:   checkForge,
		toURL:   forgeURL,
		// The commit alone does not vouch for the archive, but the forge is
		// trusted (Nix: trust-tarballs-from-git-forges).
		locked: func(a Attrs) bool {
			_, ok, err := a.rev()
			return ok && err == nil
		},
	}
}

func forgeAttrs(name string, u *URL) (Attrs, error) {
	if u.Scheme != name {
		return nil, nil
	}
	path := u.segments()
	if len(path) < 2 {
		return nil, badURLf("URL '%s' is invalid", u)
	}
	attrs := Attrs{"owner": Text(path[0]), "repo": Text(path[1]), "type": Text(name)}
	if len(path) > 2 {
		attr := "ref"
		if len(path) == 3 && revPattern().MatchString(path[2]) {
			attr = "rev"
		}
		attrs[attr] = Text(strings.Join(path[2:], "/"))
	}
	for _, q := range []struct{ name, what string }{{"rev", "commit hashes"}, {"ref", "branch/tag names"}} {
		v, ok := u.Query[q.name]
		if !ok {
			continue
		}
		if _, twice := attrs[q.name]; twice {
			return nil, badURLf("URL '%s' contains multiple %s", u, q.what)
		}
		attrs[q.name] = Text(v)
	}
	for _, q := range []string{"host", "narHash"} {
		if v, ok := u.Query[q]; ok {
			attrs[q] = Text(v)
		}
	}
	return attrs, nil
}

func checkForge(_ Parser, a Attrs) error {
	for _, name := range []string{"owner", "repo"} {
		if _, err := a.need(name); err != nil {
			return err
		}
	}
	ref, hasRef, err := a.Text("ref")
	if err != nil {
		return err
	}
	rev, hasRev, err := a.Text("rev")
	if err != nil {
		return err
	}
	if hasRef && hasRev {
		return badURLf("input %s contains both a commit hash ('%s') and a branch/tag name ('%s')", a.JSON(), rev, ref)
	}
	if hasRev {
		if _, err := nixhash.Parse(rev, nixhash.SHA1); err != nil {
			return err
		}
	}
	if hasRef && !LegalRef(ref) {
		return badURLf("input %s contains an invalid branch/tag name", a.JSON())
	}
	host, hasHost, err := a.Text("host")
	if err == nil && hasHost && !hostName().MatchString(host) {
		err = badURLf("input %s contains an invalid instance host", a.JSON())
	}
	return err
}

func forgeURL(a Attrs) (*URL, error) {
	u := &URL{Scheme: a.text("type"), Path: []string{a.text("owner"), a.text("repo")}, Query: map[string]string{}}
	if ref, ok, _ := a.Text("ref"); ok {
		u.Path = append(u.Path, ref)
	}
	rev, ok, err := a.rev()
	if err != nil {
		return nil, err
	}
	if ok {
		u.Path = append(u.Path, rev)
	}
	if host, ok, _ := a.Text("host"); ok {
		u.Query["host"] = host
	}
	return u, addNARHash(u, a)
}

func addNARHash(u *URL, a Attrs) error {
	h, err := a.narHash()
	if err == nil && !h.IsZero() {
		if u.Query == nil {
			u.Query = map[string]string{}
		}
		u.Query["narHash"] = h.SRI()
	}
	return err
}

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }
