package flakeref

import (
	"strconv"
)

// pathScheme is a folder of this machine, or of the tree that refers to it.
var pathScheme = &scheme{
	name:   "path",
	attrs:  []string{"path", "rev", "revCount", "lastModified", "narHash"},
	flakes: true,
	fromURL: func(u *URL, _ bool) (Attrs, error) {
		if u.Scheme != "path" {
			return nil, nil
		}
		if u.Authority != nil && u.Authority.Host != "" {
			return nil, errorf("path URL '%s' should not have an authority ('%s')", u, u.Authority)
		}
		path, err := u.FilePath()
		if err != nil {
			return nil, err
		}
		attrs := Attrs{"path": Text(path)}
		for name, v := range u.Query {
			switch name {
			case "rev", "narHash":
				attrs[name] = Text(v)
			case "revCount", "lastModified":
				n, err := strconv.ParseUint(v, 10, 64)
				if err != nil {
					return nil, errorf("path URL '%s' has invalid parameter '%s'", u, name)
				}
				attrs[name] = Number(n)
			default:
				return nil, errorf("path URL '%s' has unsupported parameter '%s'", u, name)
			}
		}
		return attrs, nil
	},
	check: func(_ Parser, a Attrs) error {
		_, err := a.need("path")
		return err
	},
	toURL: func(a Attrs) (*URL, error) {
		query := map[string]string{}
		for name, v := range a {
			if name != "path" && name != "type" && name != "__final" {
				query[name] = v.query()
			}
		}
		return &URL{Scheme: "path", Path: filePath(a.text("path")), Query: query}, nil
	},
	locked: hasNARHash,
}

func hasNARHash(a Attrs) bool {
	_, ok := a["narHash"]
	return ok
}

// indirectScheme is a name that a registry knows more about.
var indirectScheme = &scheme{
	name:   "indirect",
	attrs:  []string{"id", "ref", "rev", "narHash"},
	flakes: true,
	fromURL: func(u *URL, _ bool) (Attrs, error) {
		if u.Scheme != "flake" {
			return nil, nil
		}
		path := u.segments()
		attrs := Attrs{}
		switch len(path) {
		case 1:
		case 2:
			switch {
			case revPattern().MatchString(path[1]):
				attrs["rev"] = Text(path[1])
			case LegalRef(path[1]):
				attrs["ref"] = Text(path[1])
			default:
				return nil, badURLf("in flake URL '%s', '%s' is not a commit hash or branch/tag name", u, path[1])
			}
		case 3:
			if !LegalRef(path[1]) {
				return nil, badURLf("in flake URL '%s', '%s' is not a branch/tag name", u, path[1])
			}
			if !revPattern().MatchString(path[2]) {
				return nil, badURLf("in flake URL '%s', '%s' is not a commit hash", u, path[2])
			}
			attrs["ref"], attrs["rev"] = Text(path[1]), Text(path[2])
		default:
			return nil, badURLf("GitHub URL '%s' is invalid", u)
		}
		attrs["id"] = Text(path[0])
		return attrs, nil
	},
	check: func(_ Parser, a Attrs) error {
		id, err := a.need("id")
		if err == nil && !IsID(id) {
			err = badURLf("'%s' is not a valid flake ID", id)
		}
		return err
	},
	toURL: func(a Attrs) (*URL, error) {
		u := &URL{Scheme: "flake", Path: []string{a.text("id")}}
		if ref, ok, _ := a.Text("ref"); ok {
			u.Path = append(u.Path, ref)
		}
		rev, ok, err := a.rev()
		if ok {
			u.Path = append(u.Path, rev)
		}
		return u, err
	},
	locked: func(Attrs) bool { return false },
}
