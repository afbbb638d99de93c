package flakeref

import (
	"net/netip"
	"slices"
	"strings"
)

// gitSchemes are those that are not mistaken for the host of host:path.
var gitSchemes = []string{"ssh", "http", "https", "file", "ftp", "ftps", "git"}

// GitURL reads what git takes for the place of a repository: an absolute path,
// a URL, or user@host:path. The result never begins with git+. (Nix: fixGitURL)
func GitURL(text string) (*URL, error) {
	if strings.HasPrefix(text, "/") {
		return &URL{Scheme: "file", Authority: &Authority{}, Path: filePath(text)}, nil
	}
	if u, err := scpURL(text); u != nil || err != nil {
		return u, err
	}
	if !strings.Contains(text, ":") {
		// Relative to the current directory, as Nix had it up to 2.34.
		return &URL{Scheme: "file", Path: filePath(text)}, nil
	}
	u, err := ParseURL(text, false)
	if err != nil {
		return nil, err
	}
	if app, ok := application(u.Scheme); ok && app == "git" {
		u.Scheme = transport(u.Scheme)
	}
	return u, nil
}

// scpURL reads host:path; it returns nil if text is not of that form.
func scpURL(text string) (*URL, error) {
	host, path, ok := strings.Cut(text, ":")
	if strings.Contains(text, "://") || !ok || strings.Contains(host, "/") ||
		slices.Contains(gitSchemes, strings.TrimPrefix(host, "git+")) {
		return nil, nil
	}
	start := strings.Index(text, "@[") + 1
	if start > 0 || strings.HasPrefix(text, "[") {
		if end := strings.IndexByte(text[start+1:], ']'); end >= 0 {
			end += start + 2
			if end >= len(text) || text[end] != ':' {
				return nil, nil
			}
			host, path = text[:end], text[end+1:]
		}
	}
	a := &Authority{}
	if user, rest, ok := strings.Cut(host, "@"); ok {
		a.HasUser, a.User, host = true, user, rest
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		addr, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !addr.Is6() {
			return nil, badURLf("Git SCP bracketed URL is not valid: '%s' is not a valid IPv6 address", host[1:len(host)-1])
		}
		a.IPv6, host = true, addr.String()
	}
	a.Host = host
	if path == "" {
		return nil, badURLf("SCP-style Git URL '%s' has an empty path", text)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return &URL{Scheme: "ssh", Authority: a, Path: filePath(path)}, nil
}

// LegalRef reports whether name can be that of a branch, a tag or a reference
// of git (git-check-ref-format(1); Nix: isLegalRefName).
func LegalRef(name string) bool {
	if name == "" || name == "@" || strings.HasSuffix(name, "/") || strings.HasSuffix(name, ".") ||
		strings.HasPrefix(name, "-") || strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.ContainsAny(name, " ~^:?*[\\\x7f") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
}
