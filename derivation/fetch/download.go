package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Client downloads one address into a file.
type Client struct {
	// HTTP does the requests; its transport knows proxies and certificates.
	HTTP *http.Client
	// Attempts is how often a download that broke off or met a passing fault
	// of the server is tried in all (Nix: download-attempts).
	Attempts int
	// Stall ends a transfer that has brought no byte for so long (Nix:
	// stalled-download-timeout).
	Stall time.Duration
	// Backoff is the pause before the second attempt; it doubles from there.
	Backoff time.Duration
}

// statusError is an answer other than success.
type statusError struct {
	code   int
	status string
}

func (e *statusError) Error() string { return "HTTP error " + e.status }

// passing reports whether trying again may help.
func passing(err error) bool {
	var st *statusError
	if errors.As(err, &st) {
		return st.code >= 500 && st.code != http.StatusNotImplemented && st.code != http.StatusHTTPVersionNotSupported ||
			st.code == http.StatusRequestTimeout || st.code == http.StatusTooManyRequests
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		// A name that does not resolve or a port that refuses will do so again.
		return !strings.Contains(err.Error(), "no such host") && !strings.Contains(err.Error(), "connection refused") &&
			!strings.Contains(err.Error(), "unsupported protocol") && !strings.Contains(err.Error(), "stopped after")
	}
	return true
}

// Request asks for one file.
type Request struct {
	URL    string
	ETag   string      // of the version that is there already; "" for none
	Header http.Header // besides the usual
}

// Response is what is known of a file besides its content.
type Response struct {
	URL         string // where it was in the end
	ETag        string
	Immutable   string // where this very version stays (Link: <…>; rel="immutable")
	NotModified bool   // the version that is there already is the current one
}

// Download is [Client.Get] for what needs no more than an address.
func (c *Client) Download(ctx context.Context, addr string, f *os.File, progress func(done, total int64)) error {
	_, err := c.Get(ctx, Request{URL: addr}, f, progress)
	return err
}

// Get appends what the URL delivers to f, which holds the first bytes
// already if an earlier attempt broke off. progress is called with the bytes
// that f holds and the total, 0 if unknown.
func (c *Client) Get(ctx context.Context, r Request, f *os.File, progress func(done, total int64)) (Response, error) {
	if path, ok := strings.CutPrefix(r.URL, "file://"); ok {
		return Response{URL: r.URL}, copyFile(path, f, progress)
	}
	pause := c.Backoff
	for attempt := 1; ; attempt++ {
		got, err := c.once(ctx, r, f, progress)
		if err == nil || ctx.Err() != nil || attempt >= c.Attempts || !passing(err) {
			return got, err
		}
		select {
		case <-ctx.Done():
			return got, ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

func copyFile(escaped string, f *os.File, progress func(done, total int64)) error {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := restart(f); err != nil {
		return err
	}
	n, err := io.Copy(f, in)
	progress(n, n)
	return err
}

func restart(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// once makes one request, for the rest of the file where f has a beginning.
func (c *Client) once(ctx context.Context, r Request, f *os.File, progress func(done, total int64)) (got Response, err error) {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return got, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return got, err
	}
	maps.Copy(req.Header, r.Header)
	if r.ETag != "" && have == 0 {
		req.Header.Set("If-None-Match", r.ETag)
	}
	req.Header.Set("User-Agent", "gonix-build")
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	stalled := fmt.Errorf("no data for %v", c.Stall)
	watch := time.AfterFunc(c.Stall, func() { cancel(stalled) })
	defer watch.Stop()

	resp, err := c.HTTP.Do(req)
	if err != nil {
		return got, causeOf(ctx, err)
	}
	defer resp.Body.Close()
	got = Response{URL: resp.Request.URL.String(), ETag: resp.Header.Get("ETag"), Immutable: immutableLink(resp)}
	switch {
	case resp.StatusCode == http.StatusNotModified && r.ETag != "":
		got.NotModified = true
		return got, nil
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		var from int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &from); err != nil || from != have {
			if err := restart(f); err != nil {
				return got, err
			}
			return got, &statusError{http.StatusInternalServerError, "416 (the server sent another range than asked)"}
		}
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		// Nothing is missing, or the beginning belongs to another file: the
		// hash will tell; if there is none to tell, start anew.
		if err := restart(f); err != nil {
			return got, err
		}
		return got, &statusError{http.StatusInternalServerError, resp.Status}
	case resp.StatusCode == http.StatusOK:
		if err := restart(f); err != nil {
			return got, err
		}
		have = 0
	default:
		return got, &statusError{resp.StatusCode, resp.Status}
	}
	var total int64
	if resp.ContentLength >= 0 {
		total = have + resp.ContentLength
	}
	buf := make([]byte, 128<<10)
	for {
		n, rerr := resp.Body.Read(buf)
		if n > 0 {
			watch.Reset(c.Stall)
			if _, err := f.Write(buf[:n]); err != nil {
				return got, &localError{err}
			}
			have += int64(n)
			progress(have, total)
		}
		switch {
		case rerr == io.EOF && total > 0 && have != total:
			return got, fmt.Errorf("the transfer ended after %d of %d bytes", have, total)
		case rerr == io.EOF:
			return got, nil
		case rerr != nil:
			return got, causeOf(ctx, rerr)
		}
	}
}

// immutableLink finds the address at which the same content stays.
func immutableLink(resp *http.Response) string {
	for _, link := range resp.Header.Values("Link") {
		addr, params, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
		if !ok || !strings.Contains(params, `rel="immutable"`) {
			continue
		}
		if u, err := resp.Request.URL.Parse(addr); err == nil {
			return u.String()
		}
	}
	return ""
}

// causeOf prefers our own reason for giving up to "context canceled".
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// localError is trouble on this side (a full disk): no other mirror helps.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }
