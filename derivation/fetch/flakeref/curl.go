package flakeref

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// curlAttrs are the attributes of file and tarball; in a URL they are not part
// of the address that is asked.
var curlAttrs = []string{"url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"}

// archiveEndings make a tarball of a URL that does not say what it is.
var archiveEndings = []string{".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"}

// curlScheme is one file to download, or, as "tarball", one archive.
func curlScheme(name string) *scheme {
	return &scheme{
		name:  name,
		attrs: curlAttrs,
		fromURL: func(u *URL, tree bool) (Attrs, error) {
			if !isCurl(name, u, tree) {
				return nil, nil
			}
			attrs := Attrs{}
			for _, n := range []string{"narHash", "rev"} {
				if v, ok := u.Query[n]; ok {
					attrs[n] = Text(v)
				}
			}
			for _, n := range []string{"revCount", "lastModified"} {
				if v, err := strconv.ParseUint(u.Query[n], 10, 64); err == nil {
					attrs[n] = Number(v)
				}
			}
			address := *u
			address.Scheme = transport(u.Scheme)
			address.Query = maps.Clone(u.Query)
			for _, n := range curlAttrs {
				delete(address.Query, n)
			}
			attrs["url"] = Text(address.String())
			return attrs, nil
		},
		check: func(Parser, Attrs) error { return nil },
		toURL: func(a Attrs) (*URL, error) {
			text, err := a.need("url")
			if err != nil {
				return nil, err
			}
			u, err := ParseURL(text, false)
			if err != nil {
				return nil, err
			}
			return u, addNARHash(u, a)
		},
		locked: hasNARHash,
	}
}

func isCurl(name string, u *URL, tree bool) bool {
	switch transport(u.Scheme) {
	case "file", "http", "https":
	default:
		return false
	}
	if app, ok := application(u.Scheme); ok {
		return app == name
	}
	archive := len(u.Path) > 0 && slices.ContainsFunc(archiveEndings, func(end string) bool {
		return strings.HasSuffix(u.Path[len(u.Path)-1], end)
	})
	return (tree || archive) == (name == "tarball")
}
