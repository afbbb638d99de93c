// Package network is how commands reach other machines: transports with their
// proxies and passwords, mirrors, fetchers, registries and binary caches.
package network

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/derivation/fetch"
	"gonix/derivation/fetch/tree"
	"gonix/derivation/store"
	"gonix/dockertools/registry"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Downloader fetches what derivations and expressions name by URL.
func Downloader(w *process.World, set *config.Settings, st *store.Local) *fetch.URL {
	return &fetch.URL{
		Client:  httpClient(w, set),
		Mirrors: &fetch.Mirrors{Override: mirrorOverride(w), First: aptMirrors()},
		Hashed:  set.HashedMirrors,
		Partial: filepath.Join(st.StateDir(), "gonix", "partial"),
	}
}

// Trees fetches what expressions name while they are evaluated.
func Trees(w *process.World, set *config.Settings, st *store.Local) *tree.Fetcher {
	f := &tree.Fetcher{
		Store:       st,
		URL:         Downloader(w, set, st),
		Cache:       CacheDir(w, st),
		Cwd:         w.Cwd,
		TTL:         set.TarballTTL,
		Now:         time.Now,
		Warn:        func(msg string) { fmt.Fprintf(w.Stderr, "warning: %s\n", msg) },
		Tokens:      set.AccessTokens,
		RefuseDirty: !set.AllowDirty,
		QuietDirty:  !set.WarnDirty,
	}
	if file := certFile(w, set); file != "" {
		f.Authorities = func() ([]byte, error) { return readCertificates(file) }
	}
	return f
}

// CacheDir is the folder for what can be had again, beside the store if the user
// has none.
func CacheDir(w *process.World, st *store.Local) string {
	if dir := w.CacheDir(); dir != "" {
		return dir
	}
	return filepath.Join(st.StateDir(), "gonix", "cache")
}

// httpClient honours the usual proxy variables.
func httpClient(w *process.World, set *config.Settings) *fetch.Client {
	return &fetch.Client{
		HTTP:     &http.Client{Transport: transport(w, set, set.ConnectTimeout)},
		Attempts: max(1, set.DownloadAttempts),
		Stall:    set.StalledTimeout,
		Backoff:  250 * time.Millisecond,
	}
}

// Registry has the credentials that docker and podman have noted, and the
// certificates that they have for a registry.
func Registry(w *process.World, set *config.Settings, insecure bool) *registry.Client {
	c := &registry.Client{Keychain: authn.DefaultKeychain, Insecure: insecure, UserAgent: "gonix/" + process.Version, Stall: set.StalledTimeout}
	if file := certFile(w, set); file != "" {
		c.Trust.Roots = func() (*x509.CertPool, error) { return certificates(file) }
	}
	for _, program := range []string{"containers", "docker"} {
		if home := w.Home(); home != "" {
			c.Trust.Folders = append(c.Trust.Folders, filepath.Join(home, ".config", program, "certs.d"))
		}
		c.Trust.Folders = append(c.Trust.Folders, filepath.Join("/etc", program, "certs.d"))
	}
	return c
}
