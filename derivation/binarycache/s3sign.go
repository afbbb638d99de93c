package binarycache

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/encoding/httpbinding"
)

const (
	contentHash = "X-Amz-Content-Sha256"
	hashOfEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// signer is the transport of requests to S3: it signs them, those after
// redirections too, or leaves them as they are if there are no credentials.
type signer struct {
	next        http.RoundTripper
	region      string
	credentials aws.CredentialsProvider
}

// RoundTrip implements http.RoundTripper. Requests with a body have the header
// X-Amz-Content-Sha256.
func (s *signer) RoundTrip(r *http.Request) (*http.Response, error) {
	signed, err := s.sign(r)
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		if r.Context().Err() == nil {
			// A profile's file that is missing is no missing file of the cache.
			err = &permanentError{fmt.Errorf("no credentials: %v", err)}
		}
		return nil, err
	}
	return s.next.RoundTrip(signed)
}

func (s *signer) sign(r *http.Request) (*http.Request, error) {
	credentials, err := s.credentials.Retrieve(r.Context())
	if err != nil || !credentials.HasKeys() {
		return r, err
	}
	signed := r.Clone(r.Context())
	// What goes over the wire is what is signed.
	signed.URL.RawPath = httpbinding.EscapePath(signed.URL.Path, false)
	hash := r.Header.Get(contentHash)
	if hash == "" {
		hash = hashOfEmpty
		signed.Header.Set(contentHash, hash)
	}
	// Some servers, and proxies before them, change this one.
	encoding := signed.Header.Values("Accept-Encoding")
	signed.Header.Del("Accept-Encoding")
	err = v4.NewSigner().SignHTTP(r.Context(), credentials, signed, hash, "s3", s.region, time.Now(), func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // S3 escapes paths once, other services twice
	})
	for _, value := range encoding {
		signed.Header.Add("Accept-Encoding", value)
	}
	return signed, err
}

// chain asks several sources of credentials and stays with the first that has
// some. If none has any, credentials are empty from then on.
type chain struct {
	mu      sync.Mutex
	sources []aws.CredentialsProvider
	settled bool // sources has the one that is left, or none
}

// Retrieve implements aws.CredentialsProvider. The error is the context's, or
// that of a source that had credentials before.
func (c *chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.settled {
		for _, source := range c.sources {
			return source.Retrieve(ctx)
		}
		return aws.Credentials{}, nil
	}
	for _, source := range c.sources {
		credentials, err := source.Retrieve(ctx)
		if ctx.Err() != nil {
			return aws.Credentials{}, context.Cause(ctx)
		}
		if err == nil && credentials.HasKeys() {
			c.sources, c.settled = []aws.CredentialsProvider{source}, true
			return credentials, nil
		}
	}
	c.sources, c.settled = nil, true
	return aws.Credentials{}, nil
}
