package network

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
)

// transport carries requests: it honours the usual proxy variables, gives up
// connecting in time, trusts the certificates that the user names instead of the
// machine's, and knows the passwords of the netrc file.
func transport(w *process.World, set *config.Settings, connect time.Duration) http.RoundTripper {
	file := set.NetrcFile
	if file == "" {
		file = filepath.Join(config.ConfDir(w), "netrc")
	}
	plain := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connect}).DialContext,
		TLSHandshakeTimeout: connect,
		MaxIdleConnsPerHost: max(8, set.Connections),
		IdleConnTimeout:     90 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	a := &authorised{file: file, given: set.NetrcFile != "", RoundTripper: plain}
	if certs := certFile(w, set); certs != "" {
		pool, err := certificates(certs)
		if err != nil {
			a.RoundTripper = untrusting{plain, err}
		}
		plain.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return a
}

// certFile is the file of the authorities that are trusted instead of the
// machine's, "" if there is none.
func certFile(w *process.World, set *config.Settings) string {
	file := cmp.Or(set.CertFile, w.Getenv("NIX_SSL_CERT_FILE"))
	if file == "" {
		return ""
	}
	return w.Abs(file)
}

// certificates reads the authorities that are trusted.
func certificates(file string) (*x509.CertPool, error) {
	text, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("the file '%s' of 'ssl-cert-file' has no certificate", file)
	}
	return pool, nil
}

func readCertificates(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of 'ssl-cert-file': %w", err)
	}
	return text, nil
}

// untrusting fails where certificates are needed, which could not be read.
type untrusting struct {
	http.RoundTripper
	err error
}

// RoundTrip implements http.RoundTripper.
func (u untrusting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return nil, u.err
	}
	return u.RoundTripper.RoundTrip(r)
}

// authorised adds the names and passwords of a netrc file to requests.
type authorised struct {
	http.RoundTripper
	file  string
	given bool // by the user, so that it must exist

	once  sync.Once
	login map[string][2]string // by host; "" is for all others
	err   error
}

// RoundTrip implements http.RoundTripper.
func (a *authorised) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return a.RoundTripper.RoundTrip(r)
	}
	a.once.Do(func() {
		var text []byte
		if text, a.err = os.ReadFile(a.file); a.err == nil {
			a.login = parseNetrc(string(text))
		} else if errors.Is(a.err, fs.ErrNotExist) && !a.given {
			a.err = nil
		} else {
			a.err = fmt.Errorf("read the netrc file: %w", a.err)
		}
	})
	if a.err != nil {
		return nil, a.err
	}
	login, ok := a.login[r.URL.Hostname()]
	if !ok {
		login, ok = a.login[""]
	}
	if ok {
		r = r.Clone(r.Context())
		r.SetBasicAuth(login[0], login[1])
	}
	return a.RoundTripper.RoundTrip(r)
}

// parseNetrc reads the words machine NAME, default, login NAME and password WORD
// (netrc of ftp(1)). Of several entries for a host the first counts; macros end
// it.
func parseNetrc(text string) map[string][2]string {
	logins := make(map[string][2]string)
	var host string
	var login [2]string
	open := false
	end := func() {
		if _, there := logins[host]; open && !there && login[0] != "" {
			logins[host] = login
		}
		login = [2]string{}
	}
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "default":
			end()
			host, open = "", true
			continue
		case "macdef":
			end()
			return logins
		case "machine", "login", "password", "account":
			if i+1 == len(words) {
				break
			}
			i++
			switch words[i-1] {
			case "machine":
				end()
				host, open = words[i], true
			case "login":
				login[0] = words[i]
			case "password":
				login[1] = words[i]
			}
		}
	}
	end()
	return logins
}
