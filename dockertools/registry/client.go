package registry

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Client talks to registries. The zero value does so without credentials.
type Client struct {
	// Keychain has the credentials; nil for none.
	Keychain authn.Keychain
	// Insecure allows plain HTTP, and HTTPS without a certificate that can be
	// checked. Plain HTTP to this machine is always allowed.
	Insecure bool
	// Trust is about certificates.
	Trust Trust
	// Jobs is how many blobs travel at a time; 0 for 4.
	Jobs int
	// Pause is how long to wait before the first retry, and three times as long
	// before the second, the last; 0 for a second.
	Pause time.Duration
	// Stall is how long nothing may move before a request is given up; 0 for five
	// minutes.
	Stall time.Duration
	// Progress is told how far a push is; nil for nobody. Calls do not overlap.
	Progress func(Progress)
	// UserAgent names the program to the registry.
	UserAgent string
	// Transport is for tests; nil for the usual one.
	Transport http.RoundTripper
}

// Progress says how far a push is, in bytes of all blobs. What the registry has
// already counts as done.
type Progress struct{ Done, Total int64 }

// ParseReference reads a name such as localhost:5000/app/redis:7 or
// quay.io/app/redis@sha256:…; without a registry it is Docker Hub, without a
// tag it is latest.
func (c *Client) ParseReference(s string) (name.Reference, error) {
	var opts []name.Option
	if c.Insecure {
		opts = append(opts, name.Insecure)
	}
	ref, err := name.ParseReference(s, opts...)
	if err != nil {
		return nil, fmt.Errorf("'%s' is not the name of an image in a registry, such as localhost:5000/app/redis:7: %w", s, err)
	}
	return ref, nil
}

// ParseRepository is [Client.ParseReference] for names whose tag does not matter.
func (c *Client) ParseRepository(s string) (name.Repository, error) {
	ref, err := c.ParseReference(s)
	if err != nil {
		return name.Repository{}, err
	}
	return ref.Context(), nil
}

// options are those of every request, with t below the retries.
func (c *Client) options(ctx context.Context, t http.RoundTripper) []remote.Option {
	backoff := remote.Backoff{Duration: c.pause(), Factor: 3, Jitter: 0.1, Steps: 3}
	opts := []remote.Option{
		remote.WithContext(ctx), remote.WithTransport(t), remote.WithRetryBackoff(backoff), remote.WithUserAgent(c.UserAgent),
	}
	if c.Keychain != nil {
		opts = append(opts, remote.WithAuthFromKeychain(c.Keychain))
	}
	if c.Jobs > 0 {
		opts = append(opts, remote.WithJobs(c.Jobs))
	}
	return opts
}

func (c *Client) pause() time.Duration { return cmp.Or(c.Pause, time.Second) }

func (c *Client) transport() http.RoundTripper {
	p := &patient{base: c.Transport, stall: cmp.Or(c.Stall, defaultStall), pause: c.pause()}
	if p.base == nil {
		p.base = &transports{client: c}
	}
	return p
}
