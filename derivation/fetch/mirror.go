package fetch

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// mirrors are the well-known public copies of large collections, each a base
// to which the rest of a mirror://NAME/REST address is appended.
var mirrors = map[string][]string{
	"debian": {
		"https://ftp.debian.org/debian/",
		"https://mirrors.edge.kernel.org/debian/",
		"https://archive.debian.org/debian/",
	},
	"ubuntu": {
		"https://archive.ubuntu.com/ubuntu/",
		"https://old-releases.ubuntu.com/ubuntu/",
	},
	"gnu": {
		"https://ftpmirror.gnu.org/",
		"https://ftp.gnu.org/pub/gnu/",
		"https://mirrors.kernel.org/gnu/",
	},
	"savannah": {
		"https://download.savannah.gnu.org/releases/",
		"https://mirrors.sarata.com/non-gnu/",
	},
	"kernel": {
		"https://cdn.kernel.org/pub/",
		"https://mirrors.edge.kernel.org/pub/",
	},
	"sourceforge": {
		"https://downloads.sourceforge.net/",
	},
	"apache": {
		"https://dlcdn.apache.org/",
		"https://archive.apache.org/dist/",
	},
	"cpan": {
		"https://cpan.metacpan.org/",
		"https://cpan.perl.org/",
	},
	"pypi": {
		"https://files.pythonhosted.org/packages/source/",
	},
	"gnome": {
		"https://download.gnome.org/",
	},
	"xorg": {
		"https://xorg.freedesktop.org/releases/",
	},
	"alpine": {
		"https://dl-cdn.alpinelinux.org/alpine/",
	},
	"redis": {
		"https://download.redis.io/releases/",
	},
	"musl": {
		"https://musl.libc.org/releases/",
	},
}

// Mirrors expands mirror://NAME/REST addresses.
type Mirrors struct {
	// Override replaces the table's entry for a name when it returns any
	// (NIX_MIRRORS_<name>, as nixpkgs' fetchurl has it).
	Override func(name string) []string
	// First are bases that are tried before the table's (the mirror that the
	// host's own package manager uses).
	First map[string][]string
}

// Expand returns the addresses to try for url, in order. An address that does
// not begin with mirror:// stands for itself.
func (m *Mirrors) Expand(url string) ([]string, error) {
	rest, ok := strings.CutPrefix(url, "mirror://")
	if !ok {
		return []string{url}, nil
	}
	name, path, ok := strings.Cut(rest, "/")
	if !ok || name == "" || path == "" {
		return nil, &badURLError{url, "a mirror address has the form mirror://NAME/PATH"}
	}
	var bases []string
	if m.Override != nil {
		bases = m.Override(name)
	}
	if len(bases) == 0 {
		bases = append(bases, m.First[name]...)
		bases = append(bases, mirrors[name]...)
	}
	if len(bases) == 0 {
		return nil, &badURLError{url, "no mirror named '" + name + "' is known (NIX_MIRRORS_" + name + " can name some)"}
	}
	var urls []string
	for _, b := range bases {
		u := strings.TrimSuffix(b, "/") + "/" + path
		if !slices.Contains(urls, u) {
			urls = append(urls, u)
		}
	}
	return urls, nil
}

type badURLError struct{ url, why string }

func (e *badURLError) Error() string { return "cannot download '" + e.url + "': " + e.why }

// AptSources returns the base addresses of a Debian-like host's package
// repositories, from the texts of sources.list files in either of apt's
// formats (sources.list(5)). Repositories of security updates are left out:
// their pool is another one.
func AptSources(list io.Reader) []string {
	var out []string
	add := func(url, suite string) {
		if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			return
		}
		if strings.Contains(suite, "security") || strings.Contains(url, "security") {
			return
		}
		if !slices.Contains(out, url) {
			out = append(out, url)
		}
	}
	var uris, suites []string
	flush := func() {
		for _, u := range uris {
			add(u, strings.Join(suites, " "))
		}
		uris, suites = nil, nil
	}
	sc := bufio.NewScanner(list)
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		switch key, val, isField := strings.Cut(line, ":"); {
		case line == "":
			flush()
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "deb ") || strings.HasPrefix(line, "deb\t"):
			if i := strings.IndexByte(line, '['); i >= 0 {
				if j := strings.IndexByte(line, ']'); j > i {
					line = line[:i] + line[j+1:]
				}
			}
			if f := strings.Fields(line); len(f) >= 3 {
				add(f[1], f[2])
			}
		case isField && strings.EqualFold(key, "URIs"):
			uris = strings.Fields(val)
		case isField && strings.EqualFold(key, "Suites"):
			suites = strings.Fields(val)
		}
	}
	flush()
	return out
}
