package flakeref

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// URL is a parsed URL: nothing in it is percent-encoded.
type URL struct {
	Scheme string
	// Authority is nil if there is none, as opposed to an empty one.
	Authority *Authority
	// Path has the segments between slashes; of an absolute path the first is
	// empty.
	Path     []string
	Query    map[string]string
	Fragment string
}

// Authority is the part of a URL after the two slashes.
type Authority struct {
	User, Password       string
	HasUser, HasPassword bool
	Host                 string // without brackets
	IPv6                 bool
	Port                 string
}

// badURL is an error about the syntax of a URL or reference: what is not a URL
// may still be a path (Nix: BadURL).
type badURL struct{ msg string }

func (e *badURL) Error() string { return e.msg }

func badURLf(format string, args ...any) error { return &badURL{fmt.Sprintf(format, args...)} }

func isBadURL(err error) bool {
	var b *badURL
	return errors.As(err, &b)
}

// The characters of RFC 3986.
const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	unreserved   = alphanumeric + "-._~"
	subDelims    = "!$&'()*+,;="
	pchar        = unreserved + subDelims + ":@"
)

// ParseURL parses a URL. Lenient lets blanks and quotation marks stand in the
// query and the fragment (Nix: parseURL).
func ParseURL(text string, lenient bool) (*URL, error) {
	rest, fragment, hasFragment := strings.Cut(text, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if lenient {
		query = encodeOnly(query, " \"")
		fragment = encodeOnly(fragment, " \"^")
	}
	invalid := func(why string) error { return badURLf("'%s' is not a valid URL: %s", text, why) }
	if strings.Trim(rest, pchar+"/%[]") != "" {
		return nil, invalid("leftover")
	}
	scheme, rest, ok := strings.Cut(rest, ":")
	if !ok || strings.Contains(scheme, "/") {
		return nil, badURLf("'%s' doesn't have a scheme", text)
	}
	if scheme == "" || !isAlpha(scheme[0]) || !consists(scheme, alphanumeric+"+-.") {
		return nil, invalid("leftover")
	}
	u := &URL{Scheme: scheme}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexByte(after, '/')
		if end < 0 {
			end = len(after)
		}
		var err error
		if u.Authority, err = parseAuthority(after[:end]); err != nil {
			return nil, err
		}
		rest = after[end:]
	}
	isFile := transport(scheme) == "file"
	if isFile && u.Authority != nil && u.Authority.Host != "" {
		return nil, badURLf("file:// URL '%s' has unexpected authority '%s'", text, u.Authority)
	}
	if !encoded(rest, pchar+"/") || !encoded(query, pchar+"/?") || hasFragment && !encoded(fragment, pchar+"/?") {
		return nil, invalid("leftover")
	}
	if isFile && rest == "" {
		rest = "/"
	}
	for _, segment := range strings.Split(rest, "/") {
		u.Path = append(u.Path, mustDecode(segment))
	}
	u.Query = parseQuery(query)
	u.Fragment = mustDecode(fragment)
	return u, nil
}

func parseAuthority(text string) (*Authority, error) {
	a := &Authority{}
	host := text
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		var user, password string
		user, password, a.HasPassword = strings.Cut(text[:i], ":")
		if !encoded(user, unreserved+subDelims) || !encoded(password, unreserved+subDelims+":") {
			return nil, badURLf("invalid URL authority: '%s': leftover", text)
		}
		a.HasUser, a.User, a.Password = true, mustDecode(user), mustDecode(password)
		host = text[i+1:]
	}
	port := ""
	if rest, ok := strings.CutPrefix(host, "["); ok {
		name, after, ok := strings.Cut(rest, "]")
		addr, err := netip.ParseAddr(mustDecode(name))
		if !ok || err != nil || !addr.Is6() || after != "" && after[0] != ':' {
			return nil, badURLf("invalid URL authority: '%s': leftover", text)
		}
		a.IPv6, a.Host, port = true, mustDecode(name), strings.TrimPrefix(after, ":")
	} else {
		name, p, _ := strings.Cut(host, ":")
		if !encoded(name, unreserved+subDelims) {
			return nil, badURLf("invalid URL authority: '%s': leftover", text)
		}
		a.Host, port = mustDecode(name), p
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return nil, badURLf("port '%s' is invalid", port)
		}
		a.Port = strconv.FormatUint(n, 10)
	}
	return a, nil
}

// parseQuery decodes a query whose characters have been checked; of several
// values of one name the first counts.
func parseQuery(query string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		name, val, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		name = mustDecode(name)
		if _, twice := out[name]; !twice {
			out[name] = mustDecode(val)
		}
	}
	return out
}

// String spells the URL out, names in the query sorted.
func (u *URL) String() string {
	var b strings.Builder
	b.WriteString(u.Scheme + ":")
	if u.Authority != nil {
		b.WriteString("//" + u.Authority.String())
	}
	for i, segment := range u.Path {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(encode(segment, ":@"))
	}
	sep := byte('?')
	for _, name := range slices.Sorted(maps.Keys(u.Query)) {
		b.WriteByte(sep)
		b.WriteString(encode(name, ":@/?") + "=" + encode(u.Query[name], ":@/?"))
		sep = '&'
	}
	if u.Fragment != "" {
		b.WriteString("#" + encode(u.Fragment, ""))
	}
	return b.String()
}

// String spells the authority out.
func (a *Authority) String() string {
	var b strings.Builder
	if a.HasUser {
		b.WriteString(encode(a.User, ""))
		if a.HasPassword {
			b.WriteString(":" + encode(a.Password, ""))
		}
		b.WriteByte('@')
	}
	if a.IPv6 {
		b.WriteString("[" + encode(a.Host, ":") + "]")
	} else {
		b.WriteString(encode(a.Host, ""))
	}
	if a.Port != "" {
		b.WriteString(":" + a.Port)
	}
	return b.String()
}

// FilePath is the path of a URL as the path of a file.
func (u *URL) FilePath() (string, error) {
	for _, segment := range u.Path {
		switch {
		case strings.Contains(segment, "/"):
			return "", badURLf("URL path component '%s' contains '/', which is not allowed in file names", segment)
		case strings.Contains(segment, "\x00"):
			return "", badURLf("URL path component '%s' contains NUL byte which is not allowed", strings.ReplaceAll(segment, "\x00", "␀"))
		}
	}
	return strings.Join(u.Path, "/"), nil
}

// segments are those of the path that are not empty.
func (u *URL) segments() []string {
	return slices.DeleteFunc(slices.Clone(u.Path), func(s string) bool { return s == "" })
}

// filePath splits the path of a file into the segments of a URL.
func filePath(path string) []string { return strings.Split(path, "/") }

// application and transport are the parts of a scheme such as git+https.
func application(scheme string) (name string, ok bool) {
	name, _, ok = strings.Cut(scheme, "+")
	return name, ok
}

func transport(scheme string) string {
	if _, t, ok := strings.Cut(scheme, "+"); ok {
		return t
	}
	return scheme
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func consists(s, of string) bool { return strings.Trim(s, of) == "" }

// encoded reports whether s has the given characters and percent-encodings
// alone.
func encoded(s, allowed string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 2
		} else if strings.IndexByte(allowed, s[i]) < 0 {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// mustDecode decodes what encoded has checked.
func mustDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+2 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte(byte(n))
		i += 2
	}
	return b.String()
}

// encode percent-encodes all but the unreserved characters and those in keep.
func encode(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(unreserved, s[i]) >= 0 || strings.IndexByte(keep, s[i]) >= 0 {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// encodeOnly percent-encodes the given characters.
func encodeOnly(s, chars string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(chars, s[i]) >= 0 {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
