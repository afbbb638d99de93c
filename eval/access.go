package eval

import (
	"fmt"
	"path"
	"strings"

	"gonix/derivation/storepath"
	"gonix/eval/value"
)

// access is what restricted and pure evaluation may do with a path.
type access uint8

const (
	noAccess access = iota
	onTheWay        // it is a directory above what may be read: its type may be seen
	readable        // it may be read, with all below it
)

// guarded reports whether there are paths that may not be read.
func (s *State) guarded() bool { return s.opt.Settings.Pure || s.opt.Settings.Restrict }

// access is the rule of restricted and pure evaluation, for a path without
// symbolic links. Store objects, which cannot change, may be read by either.
func (s *State) access(p string) access {
	if m, _ := s.files.mount(p); m != nil || below(p, storepath.Dir) && p != storepath.Dir {
		return readable
	}
	best := noAccess
	consider := func(allowed string) {
		switch {
		case allowed == "":
		case below(p, allowed):
			best = readable
		case below(allowed, p):
			best = max(best, onTheWay)
		}
	}
	for _, dir := range s.opt.Allowed {
		consider(dir)
	}
	if !s.opt.Settings.Pure {
		for _, e := range s.opt.SearchPath {
			consider(s.entryPath(e.Path))
		}
	}
	if best == noAccess && s.files.aboveMount(p) {
		best = onTheWay
	}
	return best
}

// below reports whether p is dir or lies below it.
func below(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// mayRead returns an error unless p may be looked at, and what the symbolic
// links on the way lead to, with follow those at p itself.
func (s *State) mayRead(p string, follow bool) error {
	if !s.guarded() {
		return nil
	}
	if s.access(p) == noAccess {
		return s.forbidden(p)
	}
	// What is not there is not our error.
	if real, err := s.files.Resolve(p, follow); err == nil && real != p && s.access(real) == noAccess {
		return s.forbidden(real)
	}
	return nil
}

// MayCopy returns an error unless all of p may be read, to be copied to the
// store.
func (s *State) MayCopy(p string) error {
	if !s.guarded() {
		return nil
	}
	if s.access(p) != readable {
		return s.forbidden(p)
	}
	if real, err := s.files.Resolve(p, true); err == nil && real != p && s.access(real) != readable {
		return s.forbidden(real)
	}
	return nil
}

func (s *State) forbidden(p string) error {
	mode, hint := "restricted mode", ""
	if s.opt.Settings.Pure {
		mode, hint = "pure evaluation mode", " (use '--impure' to override)"
	}
	return &value.Error{Kind: value.Restricted, Msg: fmt.Sprintf("access to absolute path '%s' is forbidden in %s%s", p, mode, hint)}
}

// CheckURI returns an error unless what is at an address may be fetched (Nix:
// EvalState::checkURI).
func (s *State) CheckURI(uri string) error {
	if !s.opt.Settings.Restrict {
		return nil
	}
	for _, prefix := range s.opt.AllowedURIs {
		if allowsURI(prefix, uri) {
			return nil
		}
	}
	if p := strings.TrimPrefix(uri, "file://"); strings.HasPrefix(p, "/") {
		if s.access(path.Clean(p)) != readable {
			return s.forbidden(path.Clean(p))
		}
		return nil
	}
	return &value.Error{Kind: value.Restricted, Msg: fmt.Sprintf("access to URI '%s' is forbidden in restricted mode", uri)}
}

// allowsURI reports whether uri is prefix or lies below it. One that ends with
// a colon stands for a whole scheme; otherwise whole components are compared.
func allowsURI(prefix, uri string) bool {
	rest, ok := strings.CutPrefix(uri, prefix)
	if !ok || prefix == "" {
		return false
	}
	last := prefix[len(prefix)-1]
	return rest == "" || rest[0] == '/' || last == '/' || last == ':'
}
