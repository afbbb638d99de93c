package flakeref

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
)

// Ref is an input and the folder in it that is meant.
type Ref struct {
	Input Input
	Dir   string // "" for the whole
}

// Options say how a text is read.
type Options struct {
	// Tree takes what does not say what it is for an archive.
	Tree bool
	// Relative lets paths be relative to something that is not known yet.
	Relative bool
}

const refPattern = `[a-zA-Z0-9@][a-zA-Z0-9_./@+-]*`

var (
	idPattern = compiled(`^((?:[a-zA-Z][a-zA-Z0-9_-]*)(?:/(?:(?:[0-9a-fA-F]{40})|(?:(?:` + refPattern +
		`)(?:/(?:[0-9a-fA-F]{40}))?)))?)(?:#((?:[a-zA-Z0-9._~!$&'"()*+,;=:@/? ^-]|%[0-9a-fA-F]{2})*))?$`)
	idName     = compiled(`^[a-zA-Z][a-zA-Z0-9_-]*$`)
	revPattern = compiled(`^[0-9a-fA-F]{40}$`)
)

// compiled compiles a pattern when it is first used: most evaluations read no
// reference.
func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// IsID reports whether name is what a flake in a registry, or an input of a flake,
// may be called (Nix: flakeIdRegex).
func IsID(name string) bool { return idName().MatchString(name) }

// Parse reads the text form (Nix: parseFlakeRef): an identifier in the
// registry, a URL, or an absolute path.
func (p Parser) Parse(text string, o Options) (Ref, error) {
	ref, fragment, err := p.parse(text, o)
	if err == nil && fragment != "" {
		err = fmt.Errorf("unexpected fragment '%s' in flake reference '%s'", fragment, text)
	}
	return ref, err
}

func (p Parser) parse(text string, o Options) (Ref, string, error) {
	if m := idPattern().FindStringSubmatch(text); m != nil {
		in, err := p.InputFromURL(&URL{Scheme: "flake", Path: filePath(m[1])}, o.Tree)
		return Ref{Input: in}, mustDecode(m[2]), err
	}
	u, err := ParseURL(text, true)
	if err == nil {
		var ref Ref
		var fragment string
		if ref, fragment, err = p.fromURL(u, o); err == nil {
			return ref, fragment, nil
		}
	}
	if !isBadURL(err) {
		return Ref{}, "", err
	}
	return p.parsePath(text, o)
}

func (p Parser) fromURL(u *URL, o Options) (Ref, string, error) {
	dir := u.Query["dir"]
	delete(u.Query, "dir")
	fragment := u.Fragment
	u.Fragment = ""
	in, err := p.InputFromURL(u, o.Tree)
	return Ref{in, dir}, fragment, err
}

// parsePath reads a path with a query and a fragment.
func (p Parser) parsePath(text string, o Options) (Ref, string, error) {
	path, fragment, _ := strings.Cut(text, "#")
	path, query, _ := strings.Cut(path, "?")
	query = encodeOnly(query, " \"")
	if !encoded(query, pchar+"/?") {
		return Ref{}, "", badURLf("invalid URI query '%s': leftover", query)
	}
	u := &URL{Scheme: "path", Path: filePath(path), Query: parseQuery(query), Fragment: mustDecode(fragment)}
	switch {
	case strings.HasPrefix(path, "/"):
		u.Authority = &Authority{}
	case !o.Relative:
		return Ref{}, "", badURLf("flake reference '%s' is not an absolute path", text)
	}
	return p.fromURL(u, o)
}

// FromAttrs reads the attribute form, in which dir is the folder.
func (p Parser) FromAttrs(attrs Attrs) (Ref, error) {
	attrs = maps.Clone(attrs)
	dir, _, err := attrs.Text("dir")
	delete(attrs, "dir")
	in, inErr := p.InputFromAttrs(attrs)
	if inErr != nil {
		return Ref{}, inErr
	}
	return Ref{in, dir}, err
}

// Attrs returns the attribute form.
func (r Ref) Attrs() Attrs {
	attrs := maps.Clone(r.Input.Attrs)
	if r.Dir != "" {
		attrs["dir"] = Text(r.Dir)
	}
	return attrs
}

// URL returns the text form.
func (r Ref) URL() (string, error) {
	u, err := r.Input.URL()
	if err != nil {
		return "", err
	}
	if _, ok := u.Query["dir"]; !ok && r.Dir != "" {
		if u.Query == nil {
			u.Query = map[string]string{}
		}
		u.Query["dir"] = r.Dir
	}
	return u.String(), nil
}

// String is the text form, or what stands for it in messages.
func (r Ref) String() string {
	text, err := r.URL()
	if err != nil {
		return r.Attrs().JSON()
	}
	return text
}

// Equal reports whether both have the same attributes.
func (r Ref) Equal(other Ref) bool { return r.Dir == other.Dir && r.Input.Equal(other.Input) }

// Canonical is the reference without the ?dir= that old lock files have in the
// URL as well (Nix: FlakeRef::canonicalize).
func (r Ref) Canonical() Ref {
	text, ok, _ := r.Input.Attrs.Text("url")
	if !ok {
		return r
	}
	u, err := ParseURL(text, true)
	if err != nil {
		return r
	}
	if dir, ok := u.Query["dir"]; ok && r.Dir != "" && dir == r.Dir {
		delete(u.Query, "dir")
	}
	r.Input = r.Input.With("url", Text(u.String()))
	return r
}
