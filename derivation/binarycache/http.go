package binarycache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

// HTTP is the Storage behind a web server. Files are written with PUT.
type HTTP struct {
	Base   *url.URL // of the cache, without its parameters
	Client *http.Client
	Agent  string // User-Agent

	// fault words an answer other than success; nil for the status alone.
	fault func(*http.Response) error
}

var _ Storage = HTTP{}

// url names a file; whole URLs, which a cache may name archives by, stay.
func (s HTTP) url(name string) (string, error) {
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return name, nil
	}
	ref, err := url.Parse("./" + name)
	if err != nil {
		return "", err
	}
	base := *s.Base
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
		base.RawPath = ""
	}
	return base.ResolveReference(ref).String(), nil
}

func (s HTTP) do(ctx context.Context, method, name string, body io.Reader, prepare func(*http.Request)) (*http.Response, error) {
	addr, err := s.url(name)
	if err != nil {
		return nil, &permanentError{err}
	}
	req, err := http.NewRequestWithContext(ctx, method, addr, body)
	if err != nil {
		return nil, &permanentError{err}
	}
	if s.Agent != "" {
		req.Header.Set("User-Agent", s.Agent)
	}
	// The transport would decompress by itself, and then ranges mean nothing.
	req.Header.Set("Accept-Encoding", "identity")
	if prepare != nil {
		prepare(req)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		if s.fault != nil {
			return nil, s.fault(resp)
		}
		return nil, &statusError{addr, resp.StatusCode, resp.Status}
	}
	return resp, nil
}

// Open implements Storage.
func (s HTTP) Open(ctx context.Context, name string, offset int64) (*Object, error) {
	resp, err := s.do(ctx, http.MethodGet, name, nil, func(r *http.Request) {
		if offset > 0 {
			r.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		}
	})
	if err != nil {
		return nil, err
	}
	o := &Object{Body: resp.Body, Size: resp.ContentLength, Version: resp.Header.Get("ETag"), Encoding: resp.Header.Get("Content-Encoding")}
	if resp.StatusCode == http.StatusPartialContent {
		var last int64
		_, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &o.Offset, &last, &o.Size)
		if err != nil || o.Offset != offset {
			resp.Body.Close()
			return nil, &permanentError{fmt.Errorf("%s: the server sent another range than asked for", name)}
		}
	}
	return o, nil
}

// Has implements Storage.
func (s HTTP) Has(ctx context.Context, name string) (bool, error) {
	resp, err := s.do(ctx, http.MethodHead, name, nil, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return true, nil
}

// Put implements Storage.
func (s HTTP) Put(ctx context.Context, name string, content io.ReadSeeker, size int64, mediaType string) error {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return &permanentError{err}
	}
	// The transport closes what it sends; the content is the caller's.
	resp, err := s.do(ctx, http.MethodPut, name, io.NopCloser(content), func(r *http.Request) {
		r.ContentLength = size
		if size == 0 {
			r.Body = http.NoBody
		}
		r.Header.Set("Content-Type", mediaType)
	})
	if err != nil {
		return fmt.Errorf("upload '%s': %w", name, err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return err
}
