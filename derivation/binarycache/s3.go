package binarycache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/httpbinding"
)

// S3 is the Storage in a bucket of a server that speaks S3: [HTTP] whose
// requests are signed, with large files sent in parts.
type S3 struct {
	http   HTTP
	bucket string
	prefix string // "" or ending with a slash
	part   int64  // size of the parts of large files
}

var _ Storage = (*S3)(nil)

const (
	partSize   = 16 << 20 // as small as lets ten thousand of them be 160 GB
	partsFrom  = 4        // files of more parts than this are sent in parts
	maxParts   = 10000    // S3 takes no more
	sentAtOnce = 4        // parts of one file
)

// NewS3 returns the storage that a URL s3://BUCKET[/PREFIX] with Nix's
// parameters names: endpoint, region, scheme, profile and addressing-style.
func NewS3(u *url.URL, params url.Values, secrets S3Secrets, transport http.RoundTripper) (*S3, error) {
	if u.Host == "" {
		return nil, fmt.Errorf("the URL '%s' names no bucket", u)
	}
	region := params.Get("region")
	if region == "" {
		region = "us-east-1"
	}
	base, err := s3Endpoint(params, region)
	if err != nil {
		return nil, fmt.Errorf("'%s': %w", u, err)
	}
	virtual := false
	switch style := params.Get("addressing-style"); style {
	case "", "auto":
		// Certificates are for one label in front of Amazon's names.
		virtual = params.Get("endpoint") == "" && !(base.Scheme == "https" && strings.Contains(u.Host, "."))
	case "path":
	case "virtual":
		virtual = true
	default:
		return nil, fmt.Errorf("unknown S3 addressing style '%s', expected 'auto', 'path', or 'virtual'", style)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	if virtual {
		base.Host = u.Host + "." + base.Host
		base.Path += "/" + prefix
	} else {
		base.Path += "/" + u.Host + "/" + prefix
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	signed := &signer{
		next:        transport,
		region:      region,
		credentials: s3Credentials(params, secrets, region, &http.Client{Transport: transport, Timeout: time.Minute}),
	}
	client := &http.Client{Transport: signed}
	return &S3{HTTP{Base: base, Client: client, fault: s3Fault}, u.Host, prefix, partSize}, nil
}

// s3Endpoint is the URL of the server. Its path has no slash at the end.
func s3Endpoint(params url.Values, region string) (*url.URL, error) {
	scheme, endpoint := params.Get("scheme"), params.Get("endpoint")
	if before, after, ok := strings.Cut(endpoint, "://"); ok {
		scheme, endpoint = before, after
	}
	if endpoint == "" {
		endpoint = "s3." + region + "." + amazon(region)
	}
	switch scheme {
	case "":
		scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("unknown scheme '%s' of an S3 endpoint, expected 'http' or 'https'", scheme)
	}
	u, err := url.Parse(scheme + "://" + strings.TrimRight(endpoint, "/"))
	if err != nil {
		return nil, err
	}
	if u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("'%s' is not the endpoint of an S3 server", endpoint)
	}
	return u, nil
}

// amazon is the domain of Amazon's services in a region.
func amazon(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu"
	}
	return "amazonaws.com"
}

// s3Fault is what a server says that did not do what was asked for. The name of
// the file is added by [S3.fault].
func s3Fault(resp *http.Response) error {
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	text := resp.Status
	if code := element(string(answer), "Code"); code != "" {
		text = strconv.Itoa(resp.StatusCode) + " (" + code + ")"
	}
	return &statusError{"", resp.StatusCode, text}
}

// element is the text of the first element with a name in the XML that S3
// answers with: such elements have no attributes and nothing in them but text.
// It is "" if there is none.
func element(answer, name string) string {
	_, rest, _ := strings.Cut(answer, "<"+name+">")
	text, _, ok := strings.Cut(rest, "</"+name+">")
	if !ok {
		return ""
	}
	return html.UnescapeString(strings.TrimSpace(text))
}

// fault says which file an error is about.
func (s *S3) fault(name string, err error) error {
	if err == nil {
		return nil
	}
	file := "s3://" + s.bucket + "/" + s.prefix + name
	if status := (*statusError)(nil); errors.As(err, &status) {
		return &statusError{file, status.code, status.status}
	}
	return fmt.Errorf("%s: %w", file, err)
}

// ref names a file as [HTTP] takes it: relative to the base, with all that is
// special in URLs escaped, as Amazon counts it.
func ref(name string) string { return httpbinding.EscapePath(name, false) }

// Open implements Storage.
func (s *S3) Open(ctx context.Context, name string, offset int64) (*Object, error) {
	o, err := s.http.Open(ctx, ref(name), offset)
	return o, s.fault(name, err)
}

// Has implements Storage.
func (s *S3) Has(ctx context.Context, name string) (bool, error) {
	has, err := s.http.Has(ctx, ref(name))
	return has, s.fault(name, err)
}

// Put implements Storage.
func (s *S3) Put(ctx context.Context, name string, content io.ReadSeeker, size int64, mediaType string) error {
	var err error
	if file, ok := content.(io.ReaderAt); ok && size > partsFrom*s.part {
		err = s.putParts(ctx, name, file, size, mediaType)
	} else {
		var resp *http.Response
		if resp, err = s.send(ctx, http.MethodPut, ref(name), content, size, mediaType); err == nil {
			_, err = read(resp)
		}
	}
	if err = s.fault(name, err); errors.Is(err, fs.ErrNotExist) {
		// A bucket that is not there or closed to us.
		return &permanentError{fmt.Errorf("upload: %w", &uploadError{err})}
	}
	return err
}

// send sends the size bytes of content with their hash, by which the server
// finds out what was damaged on the way.
func (s *S3) send(ctx context.Context, method, ref string, content io.ReadSeeker, size int64, mediaType string) (*http.Response, error) {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, &permanentError{err}
	}
	h := sha256.New()
	if n, err := io.Copy(h, content); err != nil || n != size {
		if err == nil {
			err = fmt.Errorf("there are %d bytes instead of %d", n, size)
		}
		return nil, &permanentError{err}
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, &permanentError{err}
	}
	// The transport closes what it sends; the content is the caller's.
	return s.http.do(ctx, method, ref, io.NopCloser(content), func(r *http.Request) {
		r.ContentLength = size
		if size == 0 {
			r.Body = http.NoBody
		}
		if mediaType != "" {
			r.Header.Set("Content-Type", mediaType)
		}
		r.Header.Set(contentHash, hex.EncodeToString(h.Sum(nil)))
	})
}

// read returns the small answer that a server gives.
func read(resp *http.Response) (string, error) {
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return string(answer), err
}

// putParts sends a large file in parts, several at once. What was sent of one
// that fails is taken back, since the server would keep, and charge for, it.
func (s *S3) putParts(ctx context.Context, name string, content io.ReaderAt, size int64, mediaType string) (err error) {
	answer, err := s.post(ctx, ref(name)+"?uploads", "", mediaType)
	if err != nil {
		return err
	}
	id := element(answer, "UploadId")
	if id == "" {
		return &permanentError{errors.New("the server gives the upload of parts no name")}
	}
	query := "uploadId=" + url.QueryEscape(id)
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			if resp, err := s.http.do(ctx, http.MethodDelete, ref(name)+"?"+query, nil, nil); err == nil {
				resp.Body.Close()
			}
		}
	}()
	part := max(s.part, (size+maxParts-1)/maxParts)
	tags := make([]string, (size+part-1)/part)
	numbers := make([]int, len(tags))
	for i := range numbers {
		numbers[i] = i
	}
	err = each(ctx, numbers, sentAtOnce, func(ctx context.Context, i int) error {
		from := int64(i) * part
		n := min(part, size-from)
		where := fmt.Sprintf("%s?partNumber=%d&%s", ref(name), i+1, query)
		resp, err := s.send(ctx, http.MethodPut, where, io.NewSectionReader(content, from, n), n, "")
		if err != nil {
			return err
		}
		tags[i] = resp.Header.Get("ETag")
		_, err = read(resp)
		return err
	})
	if err != nil {
		return err
	}
	var list strings.Builder
	list.WriteString(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for i, tag := range tags {
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, html.EscapeString(tag))
	}
	list.WriteString("</CompleteMultipartUpload>")
	answer, err = s.post(ctx, ref(name)+"?"+query, list.String(), "application/xml")
	// The server may have said yes before it knew.
	if code := element(answer, "Code"); err == nil && code != "" {
		return &statusError{"", http.StatusInternalServerError, "500 (" + code + ")"}
	}
	return err
}

func (s *S3) post(ctx context.Context, ref, text, mediaType string) (string, error) {
	resp, err := s.send(ctx, http.MethodPost, ref, strings.NewReader(text), int64(len(text)), mediaType)
	if err != nil {
		return "", err
	}
	return read(resp)
}

// uploadError hides that an error looks like that of a missing file.
type uploadError struct{ err error }

func (e *uploadError) Error() string { return e.err.Error() }
