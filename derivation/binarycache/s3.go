package binarycache

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is the Storage in a bucket of a server that speaks S3.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string // "" or ending with a slash
}

var _ Storage = (*S3)(nil)

// S3Secrets is what the environment says about access to S3.
type S3Secrets struct {
	AccessKey, SecretKey, SessionToken string
	// CredentialsFile is where profiles are defined ("" for the usual place).
	CredentialsFile string
}

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
	endpoint, secure, err := s3Endpoint(params, region)
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupAuto
	switch style := params.Get("addressing-style"); style {
	case "", "auto":
		if params.Get("endpoint") != "" {
			lookup = minio.BucketLookupPath
		}
	case "path":
		lookup = minio.BucketLookupPath
	case "virtual":
		lookup = minio.BucketLookupDNS
	default:
		return nil, fmt.Errorf("unknown S3 addressing style '%s', expected 'auto', 'path', or 'virtual'", style)
	}
	client, err := minio.New(endpoint, &minio.Options{
		Creds:        s3Credentials(params, secrets),
		Secure:       secure,
		Region:       region,
		BucketLookup: lookup,
		Transport:    transport,
		MaxRetries:   1, // Patience does it
	})
	if err != nil {
		return nil, fmt.Errorf("'%s': %w", u, err)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &S3{client, u.Host, prefix}, nil
}

// s3Endpoint is the host, and whether it is spoken to with TLS.
func s3Endpoint(params url.Values, region string) (string, bool, error) {
	scheme, endpoint := params.Get("scheme"), params.Get("endpoint")
	if before, after, ok := strings.Cut(endpoint, "://"); ok {
		scheme, endpoint = before, strings.TrimSuffix(after, "/")
	}
	if endpoint == "" {
		endpoint = "s3." + region + ".amazonaws.com"
	}
	switch scheme {
	case "", "https":
		return endpoint, true, nil
	case "http":
		return endpoint, false, nil
	}
	return "", false, fmt.Errorf("unknown scheme '%s' of an S3 endpoint, expected 'http' or 'https'", scheme)
}

// s3Credentials asks where the tools of AWS ask: a profile if one is named, else
// the environment, the default profile, and on Amazon's machines their role;
// without any of them requests are not signed.
func s3Credentials(params url.Values, secrets S3Secrets) *credentials.Credentials {
	file := &credentials.FileAWSCredentials{Filename: secrets.CredentialsFile, Profile: params.Get("profile")}
	if file.Profile != "" {
		return credentials.New(file)
	}
	if secrets.AccessKey != "" {
		return credentials.NewStaticV4(secrets.AccessKey, secrets.SecretKey, secrets.SessionToken)
	}
	chain := []credentials.Provider{file}
	if params.Get("endpoint") == "" {
		chain = append(chain, &credentials.IAM{Client: &http.Client{Timeout: 2 * time.Second}})
	}
	return credentials.NewChainCredentials(chain)
}

// fault words an error of the server.
func (s *S3) fault(name string, err error) error {
	r := minio.ToErrorResponse(err)
	if r.StatusCode == 0 {
		return fmt.Errorf("s3://%s/%s%s: %w", s.bucket, s.prefix, name, err)
	}
	text := strconv.Itoa(r.StatusCode)
	if r.Code != "" {
		text += " (" + r.Code + ")"
	}
	return &statusError{"s3://" + s.bucket + "/" + s.prefix + name, r.StatusCode, text}
}

// Open implements Storage.
func (s *S3) Open(ctx context.Context, name string, offset int64) (*Object, error) {
	var opts minio.GetObjectOptions
	if offset > 0 {
		if err := opts.SetRange(offset, 0); err != nil {
			return nil, &permanentError{err}
		}
	}
	core := minio.Core{Client: s.client}
	body, info, header, err := core.GetObject(ctx, s.bucket, s.prefix+name, opts)
	if err != nil {
		return nil, s.fault(name, err)
	}
	o := &Object{Body: body, Size: info.Size, Version: info.ETag, Encoding: header.Get("Content-Encoding")}
	if offset > 0 {
		var last int64
		if _, err := fmt.Sscanf(header.Get("Content-Range"), "bytes %d-%d/%d", &o.Offset, &last, &o.Size); err != nil {
			o.Offset = 0 // the whole file came
		}
	}
	return o, nil
}

// Has implements Storage.
func (s *S3) Has(ctx context.Context, name string) (bool, error) {
	_, err := s.client.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
	if err == nil {
		return true, nil
	}
	if err = s.fault(name, err); isNotExist(err) {
		return false, nil
	}
	return false, err
}

// Put implements Storage.
func (s *S3) Put(ctx context.Context, name string, content io.ReadSeeker, size int64, mediaType string) error {
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return &permanentError{err}
	}
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+name, content, size, minio.PutObjectOptions{ContentType: mediaType})
	if err == nil {
		return nil
	}
	if err = s.fault(name, err); isNotExist(err) {
		// A bucket that is not there or closed to us.
		return &permanentError{fmt.Errorf("upload: %w", &uploadError{err})}
	}
	return err
}

// uploadError hides that an error looks like that of a missing file.
type uploadError struct{ err error }

func (e *uploadError) Error() string { return e.err.Error() }

func isNotExist(err error) bool {
	s, ok := err.(*statusError)
	return ok && s.Unwrap() == fs.ErrNotExist
}
