package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
	"gonix/eval/instantiate"
	"gonix/eval/value"
)

// allowedFetcher is the evaluator's fetcher within what the settings allow.
func (e *evaluator) allowedFetcher() instantiate.Fetcher {
	if e.fetcher == nil || !e.set.Restrict {
		return e.fetcher
	}
	return restrictedFetcher{e.fetcher, e.set.AllowedURIs}
}

// restrictedFetcher fetches what allowed-uris allow (Nix: checkURI).
type restrictedFetcher struct {
	instantiate.Fetcher
	allowed []string
}

// Fetch implements [instantiate.Fetcher].
func (f restrictedFetcher) Fetch(ctx context.Context, r instantiate.Request) (storepath.Path, nixhash.Hash, error) {
	if !slices.ContainsFunc(f.allowed, func(prefix string) bool { return allowsURI(prefix, r.URL) }) {
		return storepath.Path{}, nixhash.Hash{}, &value.Error{Kind: value.Restricted,
			Msg: fmt.Sprintf("access to URI '%s' is forbidden in restricted mode", r.URL)}
	}
	return f.Fetcher.Fetch(ctx, r)
}

// allowsURI reports whether uri is prefix or lies below it. One that ends with
// a colon stands for a whole scheme; otherwise whole components are compared.
func allowsURI(prefix, uri string) bool {
	rest, ok := strings.CutPrefix(uri, prefix)
	if !ok || prefix == "" {
		return false
	}
	last := prefix[len(prefix)-1]
	return rest == "" || rest[0] == '/' || last == '/' || last == ':'
}
