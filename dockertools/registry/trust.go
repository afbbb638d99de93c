package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Trust says by which authorities registries are believed, and which certificates
// they are shown. The zero value is the machine's authorities and none.
type Trust struct {
	// Roots are trusted in place of the machine's; nil for those.
	Roots func() (*x509.CertPool, error)
	// Folders may each have one that is named as a registry, HOST or HOST:PORT: its
	// *.crt are more authorities, its *.cert with *.key of the same name are shown.
	// The first that there is counts (containers-certs.d(5), Docker's certs.d).
	Folders []string
}

// transports has a transport for each registry, made when it is asked first.
type transports struct {
	client *Client
	mu     sync.Mutex
	hosts  map[string]http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transports) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return remote.DefaultTransport.RoundTrip(r)
	}
	to, err := t.of(r.URL.Host)
	if err != nil {
		return nil, err
	}
	return to.RoundTrip(r)
}

func (t *transports) of(host string) (http.RoundTripper, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if to := t.hosts[host]; to != nil {
		return to, nil
	}
	conf, err := t.client.Trust.settings(host)
	if err != nil {
		return nil, err
	}
	to := remote.DefaultTransport
	if usual, ok := to.(*http.Transport); ok && (conf != nil || t.client.Insecure) {
		if conf == nil {
			conf = new(tls.Config)
		}
		conf.InsecureSkipVerify = t.client.Insecure
		own := usual.Clone()
		own.TLSClientConfig = conf
		to = own
	}
	if t.hosts == nil {
		t.hosts = make(map[string]http.RoundTripper)
	}
	t.hosts[host] = to
	return to, nil
}

// settings are those for a registry, nil for the usual ones.
func (t *Trust) settings(host string) (*tls.Config, error) {
	var conf *tls.Config
	if t.Roots != nil {
		roots, err := t.Roots()
		if err != nil {
			return nil, err
		}
		conf = &tls.Config{RootCAs: roots}
	}
	for _, folder := range t.Folders {
		dir := filepath.Join(folder, host)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the certificates for %s: %w", host, err)
		}
		if conf == nil {
			conf = new(tls.Config)
		}
		for _, e := range entries {
			if err := addCertificate(conf, filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("read the certificates for %s: %w", host, err)
			}
		}
		break
	}
	return conf, nil
}

// addCertificate takes over a file if its name says that it is a certificate.
func addCertificate(conf *tls.Config, file string) error {
	switch filepath.Ext(file) {
	case ".crt":
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if conf.RootCAs == nil {
			if conf.RootCAs, err = x509.SystemCertPool(); err != nil {
				return err
			}
		}
		if !conf.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s has no certificate", file)
		}
	case ".cert":
		shown, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".cert")+".key")
		if err != nil {
			return err
		}
		conf.Certificates = append(conf.Certificates, shown)
	}
	return nil
}
