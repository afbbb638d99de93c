package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gonix/dockertools/image"
)

const (
	// defaultStall is what Nix waits for a transfer that brings nothing
	// (stalled-download-timeout).
	defaultStall = 5 * time.Minute
	// maxRedirects is what browsers and net/http follow.
	maxRedirects = 10
	// maxTries is how often a blob is asked for without a further byte of it.
	maxTries = 3
	// maxRetryAfter is how long a registry may ask to wait.
	maxRetryAfter = time.Minute
)

// patient carries requests through bad networks: it gives up where nothing moves
// for a while, asks for the rest of a blob that broke off, and waits as long as a
// registry asks before the answer, after which the request is tried again, is
// handed on. Answers that are no blobs are small and end soon.
type patient struct {
	base         http.RoundTripper
	stall, pause time.Duration
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	first := req
	for n := 0; first.Response != nil && first.Response.Request != nil; n++ {
		if n == maxRedirects {
			return nil, fmt.Errorf("%s redirects again after %d times", first.URL.Host, maxRedirects)
		}
		first = first.Response.Request
	}
	a := &answer{patient: p, req: req, small: small(first)}
	resp, err := a.ask()
	if err != nil {
		return nil, err
	}
	if wait := retryAfter(resp); wait > 0 && wait <= maxRetryAfter {
		a.watch.Stop()
		if err := sleep(req.Context(), wait); err != nil {
			a.Close()
			return nil, err
		}
	}
	resp.Request, resp.Body = req, a
	a.whole = req.Method == http.MethodGet && resp.StatusCode == http.StatusOK && !a.small
	return resp, nil
}

// small tells requests of the distribution specification, and of tokens, whose
// answers are no blobs.
func small(req *http.Request) bool {
	path := req.URL.Path
	return req.Method != http.MethodGet || strings.HasSuffix(path, "/v2/") || strings.Contains(path, "/manifests/") ||
		strings.Contains(path, "/referrers/") || req.URL.Query().Has("service")
}

// retryAfter is how long the registry asks to wait, 0 if it does not.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// answer is the body of an answer.
type answer struct {
	*patient
	req   *http.Request
	small bool // and so no blob
	whole bool // a blob from its beginning

	ctx    context.Context // of the request under way
	cancel context.CancelCauseFunc
	watch  *time.Timer
	body   io.ReadCloser
	done   int64
	tries  int // since the last byte
}

// ask sends the request, for what is missing of its answer.
func (a *answer) ask() (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(a.req.Context())
	a.ctx, a.cancel = ctx, cancel
	a.watch = time.AfterFunc(a.stall, func() { cancel(fmt.Errorf("nothing came from %s for %v", a.req.URL.Host, a.stall)) })
	req := a.req.WithContext(a.ctx)
	if a.done > 0 {
		req = a.req.Clone(a.ctx)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", a.done))
	}
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &sending{req.Body, a}
		if again := a.req.GetBody; again != nil {
			req.GetBody = func() (io.ReadCloser, error) {
				body, err := again()
				return &sending{body, a}, err
			}
		}
	}
	resp, err := a.base.RoundTrip(req)
	if err != nil {
		err = a.cause(err)
		a.end()
		return nil, err
	}
	a.body = resp.Body
	return resp, nil
}

// sending is a request's body on its way.
type sending struct {
	io.ReadCloser
	a *answer
}

func (s *sending) Read(p []byte) (int, error) {
	s.a.watch.Reset(s.a.stall)
	return s.ReadCloser.Read(p)
}

// end gives up the request under way.
func (a *answer) end() {
	a.watch.Stop()
	a.cancel(nil)
}

// cause prefers our own reason for giving up to "context canceled".
func (a *answer) cause(err error) error {
	if a.req.Context().Err() == nil && a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	return err
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	for {
		n, err := a.body.Read(p)
		a.done += int64(n)
		if n > 0 && !a.small {
			a.tries = 0
			a.watch.Reset(a.stall)
		}
		switch {
		case a.small && a.done > image.MaxMetadata:
			return 0, fmt.Errorf("%s answers with more than %d MiB", a.req.URL.Host, image.MaxMetadata>>20)
		case err == io.EOF:
			a.watch.Stop()
			return n, err
		case err == nil:
			return n, nil
		}
		err = a.cause(err)
		if !a.whole || a.req.Context().Err() != nil || !a.resume() {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// resume goes on where a blob broke off, if it can.
func (a *answer) resume() bool {
	for ; a.tries < maxTries; a.tries++ {
		a.Close()
		if sleep(a.req.Context(), a.pause<<a.tries) != nil {
			return false
		}
		resp, err := a.ask()
		if err != nil {
			continue
		}
		var from int64
		switch resp.StatusCode {
		case http.StatusPartialContent:
			_, err = fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &from)
			if err == nil && from == a.done {
				a.tries++
				return true
			}
		case http.StatusOK: // the server cannot begin in the middle
			if _, err = io.CopyN(io.Discard, &skipping{a}, a.done); err == nil {
				a.tries++
				return true
			}
		}
	}
	return false
}

// skipping reads what is there already.
type skipping struct{ a *answer }

func (s *skipping) Read(p []byte) (int, error) {
	s.a.watch.Reset(s.a.stall)
	return s.a.body.Read(p)
}

// Close implements io.Closer.
func (a *answer) Close() error {
	a.end()
	return a.body.Close()
}
