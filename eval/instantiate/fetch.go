package instantiate

import (
	"fmt"
	"path"
	"strings"

	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
	"gonix/eval/value"
	"gonix/parser/source"
)

func (s *State) fetchurl(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	return s.fetch(th, pos, args[0], fetchKind{who: "fetchurl"})
}

func (s *State) fetchTarball(th *value.Thread, pos source.Pos, args []value.Value) (value.Value, error) {
	return s.fetch(th, pos, args[0], fetchKind{who: "fetchTarball", unpack: true, name: "source"})
}

// fetchKind tells the two builtins apart.
type fetchKind struct {
	who    string
	unpack bool
	name   string // of the object, if the program does not say; "" takes the URL's
}

// request is one thing to fetch.
type request struct {
	url, name string
	expected  nixhash.Hash // of the file, or of the tree's NAR; zero if any will do
}

// How to get a usable name, by how the function was called (Nix: fetch).
const (
	adviceName  = "Please change the value for the 'name' attribute passed to '%s', so that it can create a valid store path."
	adviceAttrs = "Please add a valid 'name' attribute to the argument for '%s', so that it can create a valid store path."
	adviceURL   = "Please pass an attribute set with 'url' and 'name' attributes to '%s',  so that it can create a valid store path."
)

func (s *State) fetch(th *value.Thread, pos source.Pos, arg value.Value, kind fetchKind) (value.Value, error) {
	arg, err := th.Force(arg, pos)
	if err != nil {
		return nil, err
	}
	r := request{name: kind.name}
	advice := adviceURL
	const whyURL = "while evaluating the url we should fetch"
	if attrs, ok := arg.(*value.Attrs); ok {
		advice = adviceAttrs
		given := false
		for _, a := range attrs.Sorted(th.Symbols) {
			switch name := th.Symbols.Name(a.Sym); name {
			case "url":
				r.url, err = th.StringNoCtx(a.Val, a.Pos, whyURL)
				given = true
			case "sha256":
				r.expected, err = s.sha256(th, a, "while evaluating the sha256 of the content we should fetch")
			case "name":
				r.name, err = th.StringNoCtx(a.Val, a.Pos, "while evaluating the name of the content we should fetch")
				advice = adviceName
			default:
				err = th.Errorf(pos, value.EvalError, "unsupported argument '%s' to '%s'", name, kind.who)
			}
			if err != nil {
				return nil, err
			}
		}
		if !given {
			return nil, th.Errorf(pos, value.EvalError, "'url' argument required")
		}
	} else if r.url, err = th.StringNoCtx(arg, pos, whyURL); err != nil {
		return nil, err
	}
	if kind.unpack {
		r.url = channelURL(r.url)
	}
	if err := s.opt.CheckURI(r.url); err != nil {
		return nil, err
	}
	if r.name == "" {
		r.name = urlBase(r.url)
	}
	if err := storepath.CheckName(r.name); err != nil {
		return nil, th.Errorf(pos, value.EvalError, "invalid store path name when fetching URL '%s': %v. "+advice, r.url, err, kind.who)
	}
	if s.opt.Pure && r.expected.IsZero() {
		return nil, th.Errorf(pos, value.Restricted, "in pure evaluation mode, '%s' requires a 'sha256' argument", kind.who)
	}
	p, err := s.fetched(th, kind, r)
	if err != nil {
		return nil, value.AsError(err)
	}
	s.addSource("", p)
	return opaque(p.String(), p), nil
}

// fetched returns the path of the object, which it fetches unless it is known
// by its hash and there.
func (s *State) fetched(th *value.Thread, kind fetchKind, r request) (storepath.Path, error) {
	if !r.expected.IsZero() {
		p, err := storepath.FixedOutput(r.name, kind.unpack, r.expected, nil, false)
		if err != nil {
			return storepath.Path{}, err
		}
		if valid, err := s.isValid(p); err != nil || valid {
			return p, err
		}
	}
	if s.opt.Fetcher == nil {
		return storepath.Path{}, th.Errorf(source.NoPos, value.Restricted, "'%s' cannot fetch '%s': this evaluation has no access to the network", kind.who, r.url)
	}
	bring := s.bringFile
	if kind.unpack {
		bring = s.bringArchive
	}
	p, got, err := bring(r)
	if err != nil {
		return storepath.Path{}, err
	}
	if !r.expected.IsZero() && !got.Equal(r.expected) {
		return storepath.Path{}, hostError(&flakeref.MismatchError{Stored: true, Msg: fmt.Sprintf(
			"hash mismatch in file downloaded from '%s':\n  specified: %s\n  got:       %s", r.url, r.expected.Prefixed32(), got.Prefixed32())})
	}
	return p, nil
}

// bringFile fetches a file; got is the hash of its content.
func (s *State) bringFile(r request) (p storepath.Path, got nixhash.Hash, err error) {
	return s.opt.Fetcher.FetchFile(s.ctx, r.url, r.name)
}

// bringArchive fetches the tree in an archive; got is the hash of its NAR.
func (s *State) bringArchive(r request) (p storepath.Path, got nixhash.Hash, err error) {
	in, err := s.Refs().InputFromAttrs(flakeref.Attrs{
		"type": flakeref.Text("tarball"), "url": flakeref.Text(r.url), "name": flakeref.Text(r.name)})
	if err != nil {
		return p, got, err
	}
	t, err := s.FetchTree(in)
	if err != nil {
		return p, got, err
	}
	got, err = t.Input.NARHash()
	return t.Path, got, err
}

// channelURL spells out channel:NAME (Nix: resolvePseudoUrl).
func channelURL(url string) string {
	if name, ok := strings.CutPrefix(url, "channel:"); ok {
		return "https://channels.nixos.org/" + name + "/nixexprs.tar.xz"
	}
	return url
}

// urlBase is the last part of a URL; it may be empty or no name.
func urlBase(url string) string {
	url = strings.TrimRight(url, "/")
	if url == "" {
		return ""
	}
	return path.Base(url)
}
