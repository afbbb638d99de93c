package cli

import (
	"net"
	"net/http"
	"path/filepath"
	"time"

	"gonix/derivation/build"
	"gonix/derivation/fetch"
	"gonix/derivation/sandbox"
	"gonix/derivation/store"
)

// builders says who carries out which derivations.
func builders(w *world, set *settings, st *store.Local) map[string]build.Builder {
	var programs build.Builder = &sandbox.Builder{}
	if !set.Sandbox {
		programs = &sandbox.Direct{}
	}
	return map[string]build.Builder{
		"": programs,
		"builtin:fetchurl": &fetch.URL{
			Client:  httpClient(set),
			Mirrors: &fetch.Mirrors{Override: w.mirrorOverride, First: aptMirrors()},
			Hashed:  set.HashedMirrors,
			Partial: filepath.Join(st.StateDir(), "gonix", "partial"),
		},
		"builtin:unpack": fetch.Unpack{},
	}
}

// httpClient honours the usual proxy variables.
func httpClient(set *settings) *fetch.Client {
	return &fetch.Client{
		HTTP: &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: set.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout: set.ConnectTimeout,
			MaxIdleConnsPerHost: 8,
			ForceAttemptHTTP2:   true,
		}},
		Attempts: max(1, set.DownloadAttempts),
		Stall:    set.StalledTimeout,
		Backoff:  250 * time.Millisecond,
	}
}
