// Package binarycache reads and writes binary caches: folders, on this machine
// or behind a server, that hold store objects as compressed archives, each with
// a small file about it (package narinfo).
//
// A [Cache] knows what such a folder means; where it lies is the business of a
// [Storage]: [File] for file://, [HTTP] for http:// and https://, [S3] for
// s3://. The layout, the parameters of URLs and their defaults are those of C++
// Nix (libstore/binary-cache-store.cc and its descendants).
//
// What a cache says is checked by whoever takes it (package substitute). What is
// looked after here is that it cannot hurt: everything is streamed, sizes are
// bounded, transfers that break off go on where they stopped, and servers that
// fall silent are given up.
package binarycache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Storage keeps files under names such as "nar/x.nar.xz".
type Storage interface {
	// Open returns the content of a file from the byte at offset on. The error
	// wraps fs.ErrNotExist if there is no such file.
	Open(ctx context.Context, name string, offset int64) (*Object, error)

	// Has reports whether there is a file.
	Has(ctx context.Context, name string) (bool, error)

	// Put makes a file of the size bytes of content, or replaces it; readers
	// see either all of it or nothing.
	Put(ctx context.Context, name string, content io.ReadSeeker, size int64, mediaType string) error
}

// Object is a file that is being read.
type Object struct {
	Body     io.ReadCloser
	Offset   int64  // where Body starts: what was asked for, or 0 if the server cannot
	Size     int64  // of the whole file, -1 if unknown
	Version  string // differs if the file has changed; "" if unknown
	Encoding string // Content-Encoding: a further compression around the file
}

// statusError is an answer of a server other than success.
type statusError struct {
	url    string
	code   int
	status string
}

func (e *statusError) Error() string { return fmt.Sprintf("%s: HTTP error %s", e.url, e.status) }

// Unwrap makes what is hidden look like what is not there, as Nix does: S3
// answers 403 for files that do not exist unless listing is allowed.
func (e *statusError) Unwrap() error {
	switch e.code {
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return fs.ErrNotExist
	}
	return nil
}

// permanentError is one that will be the same the next time.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// passing reports whether trying again may help.
func passing(err error) bool {
	var permanent *permanentError
	var dns *net.DNSError
	var status *statusError
	switch {
	case errors.As(err, &permanent), errors.Is(err, fs.ErrNotExist), errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &dns):
		return dns.IsTemporary && !dns.IsNotFound
	case errors.As(err, &status):
		return status.code >= 500 && status.code != http.StatusNotImplemented && status.code != http.StatusHTTPVersionNotSupported ||
			status.code == http.StatusRequestTimeout || status.code == http.StatusTooManyRequests
	}
	var asked *url.Error
	if errors.As(err, &asked) {
		text := err.Error()
		for _, lasting := range []string{"connection refused", "unsupported protocol", "stopped after", "certificate", "no route to host", "network is unreachable"} {
			if strings.Contains(text, lasting) {
				return false
			}
		}
	}
	return true
}
