package instantiate

import (
	"path"
	"strings"

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
	r := Request{Name: kind.name, Unpack: kind.unpack}
	advice := adviceURL
	const whyURL = "while evaluating the url we should fetch"
	if attrs, ok := arg.(*value.Attrs); ok {
		advice = adviceAttrs
		given := false
		for _, a := range attrs.Sorted(th.Symbols) {
			switch name := th.Symbols.Name(a.Sym); name {
			case "url":
				r.URL, err = th.StringNoCtx(a.Val, a.Pos, whyURL)
				given = true
			case "sha256":
				r.Expected, err = s.sha256(th, a, "while evaluating the sha256 of the content we should fetch")
			case "name":
				r.Name, err = th.StringNoCtx(a.Val, a.Pos, "while evaluating the name of the content we should fetch")
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
	} else if r.URL, err = th.StringNoCtx(arg, pos, whyURL); err != nil {
		return nil, err
	}
	if kind.unpack {
		r.URL = channelURL(r.URL)
	}
	if r.Name == "" {
		r.Name = urlBase(r.URL)
	}
	if err := storepath.CheckName(r.Name); err != nil {
		return nil, th.Errorf(pos, value.EvalError, "invalid store path name when fetching URL '%s': %v. "+advice, r.URL, err, kind.who)
	}
	if s.opt.Pure && r.Expected.IsZero() {
		return nil, th.Errorf(pos, value.Restricted, "in pure evaluation mode, '%s' requires a 'sha256' argument", kind.who)
	}
	p, err := s.fetched(th, pos, kind, r)
	if err != nil {
		return nil, value.AsError(err)
	}
	s.addSource("", p)
	return opaque(p.String(), p), nil
}

// fetched returns the path of the object, which it fetches unless it is known
// by its hash and there.
func (s *State) fetched(th *value.Thread, pos source.Pos, kind fetchKind, r Request) (storepath.Path, error) {
	if !r.Expected.IsZero() {
		p, err := storepath.FixedOutput(r.Name, r.Unpack, r.Expected, nil, false)
		if err != nil {
			return storepath.Path{}, err
		}
		if valid, err := s.isValid(p); err != nil || valid {
			return p, err
		}
	}
	if s.opt.Fetcher == nil {
		return storepath.Path{}, th.Errorf(pos, value.Restricted, "'%s' cannot fetch '%s': this evaluation has no access to the network", kind.who, r.URL)
	}
	p, got, err := s.opt.Fetcher.Fetch(s.ctx, r)
	if err != nil {
		return storepath.Path{}, err
	}
	if !r.Expected.IsZero() && !got.Equal(r.Expected) {
		return storepath.Path{}, th.Errorf(pos, value.EvalError, "hash mismatch in file downloaded from '%s':\n  specified: %s\n  got:       %s",
			r.URL, r.Expected.Prefixed32(), got.Prefixed32())
	}
	return p, nil
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
