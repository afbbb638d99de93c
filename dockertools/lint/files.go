package lint

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"sync"

	"gonix/dockertools/tarball"
)

// tlsLibraries are those that check certificates of others.
var tlsLibraries = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(^|/)lib(ssl|gnutls|mbedtls|nss3|wolfssl)\.so(\.|$)`)
})

// bundles are where TLS libraries and programs look for certificates, and the
// variables that name other places.
var bundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem"}

var bundleVariables = []string{"SSL_CERT_FILE", "NIX_SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"}

// certificates warns of a TLS library that has nothing to check others by.
func (s *subject) certificates() {
	for _, name := range bundles {
		if s.resolve(name, 0) != nil {
			return
		}
	}
	for _, v := range bundleVariables {
		if file := s.env(v); file != "" && s.resolve(file, 0) != nil {
			return
		}
	}
	library := ""
	for _, name := range s.names {
		if strings.HasSuffix(name, "/etc/ssl/certs/ca-bundle.crt") {
			return // a package brings its own, and knows where it is
		}
		if f := s.files[name]; library == "" && f.Kind == tarball.Regular && tlsLibraries().MatchString(name) {
			library = "/" + name
		}
	}
	if library != "" {
		s.warn("certificates", library, "there are no CA certificates, so that "+library+" will trust no server", "add dockerTools.caCertificates to the contents, or set SSL_CERT_FILE to those of cacert")
	}
}

// modes warns of files with which users get more than they should. A folder for
// data of whoever the container runs as may be open to all.
func (s *subject) modes() {
	g := groups{}
	data := map[string]bool{strings.Trim(path.Clean(s.text("WorkingDir")), "/"): true}
	var volumes map[string]struct{}
	if raw, ok := s.cfg.Settings["Volumes"]; ok && json.Unmarshal(raw, &volumes) == nil {
		for v := range volumes {
			data[strings.Trim(path.Clean(v), "/")] = true
		}
	}
	for _, name := range s.names {
		f := s.files[name]
		switch {
		case f.Kind == tarball.Regular && f.Mode&0o6000 != 0:
			g.add(name, "setuid", "runs with the rights of its owner or group (setuid, setgid)", "take the bit away if the program is not needed; no-new-privileges makes it useless")
		case f.Kind == tarball.Regular && f.Mode&0o002 != 0, f.Kind == tarball.Directory && f.Mode&0o1002 == 0o002 && !data[name] && name != "tmp":
			g.add(name, "writable", "every user may write there", "take the bit away (chmod o-w); folders for all want the sticky bit")
		}
	}
	s.warnGroups(g)
}
