package flakeref

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonix/derivation/nixhash"
)

// Parser reads references. The zero value refuses what Nix calls an
// experimental feature.
type Parser struct {
	Flakes   bool // path:, github: and the like, and names in the registry
	Verified bool // verified-fetches: public keys of git commits
}

// DisabledError says that something needs an experimental feature of Nix.
type DisabledError struct{ Feature string }

// Error says how to enable the feature.
func (e *DisabledError) Error() string {
	return fmt.Sprintf("experimental Nix feature '%s' is disabled; add '--extra-experimental-features %s' to enable it", e.Feature, e.Feature)
}

// Input says where a tree is to be had. Inputs are values: their attributes
// must not be changed, see [Input.With].
type Input struct {
	Attrs  Attrs
	scheme *scheme // nil if there is none of that type
}

// scheme is one type of input.
type scheme struct {
	name   string
	attrs  []string // allowed besides type and __final
	flakes bool     // needs the feature flakes
	// fromURL returns nil if the URL is not of this scheme. The attributes it
	// returns are still to be checked.
	fromURL func(u *URL, tree bool) (Attrs, error)
	check   func(p Parser, a Attrs) error
	toURL   func(a Attrs) (*URL, error)
	locked  func(a Attrs) bool
}

// schemes are asked in this order, which is that of their names, as in Nix.
var schemes = []*scheme{
	curlScheme("file"), gitScheme, forgeScheme("github"), forgeScheme("gitlab"), hgScheme,
	indirectScheme, pathScheme, forgeScheme("sourcehut"), curlScheme("tarball"),
}

// InputFromURL reads the URL form. With tree, what does not say what it is is
// taken for an archive rather than a file.
func (p Parser) InputFromURL(u *URL, tree bool) (Input, error) {
	for _, s := range schemes {
		attrs, err := s.fromURL(u, tree)
		if err != nil {
			return Input{}, err
		}
		if attrs == nil {
			continue
		}
		if s.flakes && !p.Flakes {
			return Input{}, &DisabledError{"flakes"}
		}
		attrs["type"] = Text(s.name)
		return p.finish(s, attrs)
	}
	if app, _ := application(u.Scheme); app == "file" && transport(u.Scheme) == "git" {
		return Input{}, fmt.Errorf("input '%s' is unsupported; did you mean 'git+file' instead of 'file+git'?", u)
	}
	return Input{}, fmt.Errorf("input '%s' is unsupported", u)
}

// InputFromAttrs reads the attribute form. An unknown type is no error until
// something is to be done with the input.
func (p Parser) InputFromAttrs(attrs Attrs) (Input, error) {
	name, ok, err := attrs.Text("type")
	if err != nil {
		return Input{}, err
	}
	if !ok {
		return Input{}, errors.New("'type' attribute to specify input scheme is required but not provided")
	}
	attrs = maps.Clone(attrs)
	i := slices.IndexFunc(schemes, func(s *scheme) bool { return s.name == name })
	if i < 0 {
		return Input{Attrs: attrs}, checkCommon(attrs)
	}
	s := schemes[i]
	if s.flakes && !p.Flakes {
		return Input{}, &DisabledError{"flakes"}
	}
	for _, n := range attrs.Names() {
		if n != "type" && n != "__final" && !slices.Contains(s.attrs, n) {
			return Input{}, fmt.Errorf("input attribute '%s' not supported by scheme '%s'", n, name)
		}
	}
	return p.finish(s, attrs)
}

func (p Parser) finish(s *scheme, attrs Attrs) (Input, error) {
	if err := s.check(p, attrs); err != nil {
		return Input{}, err
	}
	return Input{attrs, s}, checkCommon(attrs)
}

// checkCommon checks the attributes that mean the same in all schemes.
func checkCommon(a Attrs) error {
	_, _, err := a.Text("ref")
	for _, name := range []string{"revCount", "lastModified"} {
		if err == nil {
			_, _, err = a.Number(name)
		}
	}
	return err
}

// Type is the name of the scheme.
func (in Input) Type() string { return in.Attrs.text("type") }

// Known reports whether the type is one that can be fetched.
func (in Input) Known() bool { return in.scheme != nil }

// URL returns the URL form.
func (in Input) URL() (*URL, error) {
	if in.scheme == nil {
		return nil, fmt.Errorf("cannot show unsupported input '%s'", in.Attrs.JSON())
	}
	return in.scheme.toURL(in.Attrs)
}

// String is the URL form, or what is wrong with it.
func (in Input) String() string {
	u, err := in.URL()
	if err != nil {
		return in.Attrs.JSON()
	}
	return u.String()
}

// Direct reports whether the input says itself where it is, rather than by a
// name in the registry.
func (in Input) Direct() bool { return in.scheme != indirectScheme }

// Locked reports whether the input always stands for the same tree.
func (in Input) Locked() bool { return in.scheme != nil && in.scheme.locked(in.Attrs) }

// Final reports whether the attributes are all that the tree has: it came out
// of a lock file or out of fetching.
func (in Input) Final() bool { return in.Attrs.flag("__final") }

// Relative returns the path of an input that lies in the tree of another.
func (in Input) Relative() (path string, ok bool) {
	if in.scheme != pathScheme {
		return "", false
	}
	path = in.Attrs.text("path")
	return path, !strings.HasPrefix(path, "/")
}

// Name is that of the store object.
func (in Input) Name() string {
	if name, ok, _ := in.Attrs.Text("name"); ok {
		return name
	}
	return "source"
}

// NARHash returns the hash that the tree must have; it is zero if any will do.
func (in Input) NARHash() (nixhash.Hash, error) { return in.Attrs.narHash() }

// Rev returns the commit in base 16, "" if none is given.
func (in Input) Rev() (string, error) {
	rev, _, err := in.Attrs.rev()
	return rev, err
}

// Text, Flag and Number return one attribute, and "", false or 0 if it is not
// there.
func (in Input) Text(name string) string { return in.Attrs.text(name) }

// Flag returns whether a truth value is there and true.
func (in Input) Flag(name string) bool { return in.Attrs.flag(name) }

// Number returns the number of that name; ok is false if there is none.
func (in Input) Number(name string) (n uint64, ok bool) {
	n, ok, _ = in.Attrs.Number(name)
	return n, ok
}

// With returns the input with one more attribute.
func (in Input) With(name string, a Attr) Input {
	in.Attrs = maps.Clone(in.Attrs)
	in.Attrs[name] = a
	return in
}

// Without returns the input without the attributes of those names.
func (in Input) Without(names ...string) Input {
	in.Attrs = maps.Clone(in.Attrs)
	for _, n := range names {
		delete(in.Attrs, n)
	}
	return in
}

// Equal reports whether both have the same attributes.
func (in Input) Equal(other Input) bool { return maps.Equal(in.Attrs, other.Attrs) }
