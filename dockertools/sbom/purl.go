package sbom

import (
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"

	"gonix/dockertools/archive"
	"gonix/dockertools/distribution"
	"gonix/dockertools/image"
	"gonix/dockertools/origin"
)

// purls are the places whose addresses say what is fetched from them; a purl is
// made of the submatches of an address (package-url specification, PURL-TYPES).
var purls = []struct {
	pattern func() *regexp.Regexp
	make    func(m []string) string
}{
	{whenNeeded(`^(?:mirror://debian/|https?://(?:deb|ftp|archive|snapshot)\.debian\.org/(?:.*/)?)pool/.*/([a-z0-9][a-z0-9+.-]*)_([^_/]+)_([a-z0-9-]+)\.deb$`), func(m []string) string {
		return "pkg:deb/debian/" + escape(m[1]) + "@" + escape(unescape(m[2])) + "?arch=" + escape(m[3])
	}},
	{whenNeeded(`^https://github\.com/([^/]+)/([^/]+)/(?:archive|releases/download)/(?:refs/tags/)?([^/]+?)(?:\.tar\.gz|\.zip|/[^/]+)$`), func(m []string) string {
		return "pkg:github/" + escape(strings.ToLower(m[1])) + "/" + escape(strings.ToLower(m[2])) + "@" + escape(m[3])
	}},
	{whenNeeded(`^https://(?:static\.)?crates\.io/(?:api/v1/)?crates/([^/]+)/([^/]+)/download$`), func(m []string) string {
		return "pkg:cargo/" + escape(m[1]) + "@" + escape(m[2])
	}},
	{whenNeeded(`^https://registry\.[^/]+/((?:@[^/]+/)?[^/@]+)/-/[^/]*?-(\d[^/]*)\.tgz$`), func(m []string) string {
		return "pkg:npm/" + strings.Replace(m[1], "@", "%40", 1) + "@" + escape(m[2])
	}},
}

// whenNeeded compiles a pattern when it is first asked for: few runs of the
// program write a document.
func whenNeeded(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// sourcePurl names a download where its address says what it is; a download of
// any other place is named by its address and hash. Files that were added have no
// name that means anything elsewhere.
func sourcePurl(s origin.Source) string {
	if len(s.URLs) == 0 {
		return ""
	}
	for _, p := range purls {
		if m := p.pattern().FindStringSubmatch(s.URLs[0]); m != nil {
			return p.make(m)
		}
	}
	u, err := url.Parse(s.URLs[0])
	if err != nil || u.Host == "" || u.Path == "" || s.Recursive {
		return ""
	}
	return "pkg:generic/" + escape(path.Base(u.Path)) + "?checksum=" + escape(s.Hash.Algo.String()+":"+s.Hash.Base16()) + "&download_url=" + escape(s.URLs[0])
}

// partPurl names a store path that was made of a single download under the name
// and version of its derivation. What was made of several, or of none, has none.
func partPurl(p *part) string {
	if len(p.Sources) != 1 || p.Version == "" {
		return ""
	}
	s := p.Sources[0]
	purl := sourcePurl(s)
	if rest, ok := strings.CutPrefix(purl, "pkg:generic/"); ok {
		_, query, _ := strings.Cut(rest, "?")
		return "pkg:generic/" + escape(p.Name) + "@" + escape(p.Version) + "?" + query
	}
	return purl
}

// imagePurl names the image by its digest.
func imagePurl(t archive.Tagged, architecture string) string {
	if len(t.References) == 0 {
		return ""
	}
	r := t.References[0]
	purl := "pkg:oci/" + escape(strings.ToLower(path.Base(r.Name))) + "@" + escape(string(t.Image.Digest())) + "?arch=" + escape(architecture)
	if full := r.Full(); strings.Contains(r.Name, "/") {
		purl += "&repository_url=" + escape(image.SplitReference(full).Name)
	}
	if r.Tag != "" {
		purl += "&tag=" + escape(r.Tag)
	}
	return purl
}

// escape is percent-encoding as purls have it, with the colon as it is.
func escape(s string) string { return distribution.Escape(s) }

func unescape(s string) string {
	if t, err := url.PathUnescape(s); err == nil {
		return t
	}
	return s
}
