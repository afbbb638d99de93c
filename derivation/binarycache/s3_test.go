package binarycache

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// guard stands before a server of S3. It lets through what is signed with its
// secret as Amazon describes it (Signature Version 4, header form).
type guard struct {
	http.Handler
	t      *testing.T
	secret string

	mu   sync.Mutex
	seen []string // METHOD /path?query
	fail func(w http.ResponseWriter, r *http.Request) bool
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen = append(g.seen, r.Method+" "+r.URL.RequestURI())
	g.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return // a part that is given up since another one failed
	}
	if err != nil {
		g.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := g.check(r, body); err != nil {
		g.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if g.fail == nil || !g.fail(w, r) {
		g.Handler.ServeHTTP(w, r)
	}
}

// amazonEscape is the UriEncode of Amazon's description.
func amazonEscape(text, keep string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (g *guard) check(r *http.Request, body []byte) error {
	sum := sha256.Sum256(body)
	if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		return errors.New("the hash of the content is wrong")
	}
	var id, date, region, signed, signature string
	auth := strings.NewReplacer("/", " ", ",", " ").Replace(r.Header.Get("Authorization"))
	if _, err := fmt.Sscanf(auth, "AWS4-HMAC-SHA256 Credential=%s %s %s s3 aws4_request SignedHeaders=%s Signature=%s", &id, &date, &region, &signed, &signature); err != nil {
		return fmt.Errorf("the header %q: %w", r.Header.Get("Authorization"), err)
	}
	var query []string
	for key, values := range r.URL.Query() {
		for _, v := range values {
			query = append(query, amazonEscape(key, "")+"="+amazonEscape(v, ""))
		}
	}
	slices.Sort(query)
	request := r.Method + "\n" + amazonEscape(r.URL.Path, "/") + "\n" + strings.Join(query, "&") + "\n"
	for _, name := range strings.Split(signed, ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		request += name + ":" + value + "\n"
	}
	request += "\n" + signed + "\n" + hex.EncodeToString(sum[:])
	sum = sha256.Sum256([]byte(request))
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + date + "/" + region + "/s3/aws4_request\n" + hex.EncodeToString(sum[:])
	key := mac(mac(mac(mac([]byte("AWS4"+g.secret), date), region), "s3"), "aws4_request")
	if want := hex.EncodeToString(mac(key, text)); signature != want {
		return fmt.Errorf("the signature does not fit\n%s", request)
	}
	for _, name := range []string{"host", "x-amz-date", "x-amz-content-sha256"} {
		if !slices.Contains(strings.Split(signed, ";"), name) {
			return fmt.Errorf("%s is not signed", name)
		}
	}
	return nil
}

// newGuarded starts a server of S3 and returns a storage in its bucket.
func newGuarded(t *testing.T, prefix string) (*guard, *S3) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	g := &guard{Handler: gofakes3.New(backend, gofakes3.WithIntegrityCheck(true)).Server(), t: t, secret: "se/cret+"}
	h := httptest.NewServer(g)
	t.Cleanup(h.Close)
	s, err := NewS3(&url.URL{Scheme: "s3", Host: "bucket", Path: "/" + prefix}, url.Values{"endpoint": {h.URL}, "region": {"eu-west-1"}},
		S3Secrets{AccessKey: "key", SecretKey: g.secret, SessionToken: "to/ken=="}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g, s
}

func content(t *testing.T, s *S3, name string, offset int64) string {
	t.Helper()
	o, err := s.Open(t.Context(), name, offset)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	data, err := io.ReadAll(o.Body)
	if err != nil || o.Offset != offset || o.Size != offset+int64(len(data)) {
		t.Errorf("%s from %d on: offset %d, size %d, %d bytes, %v", name, offset, o.Offset, o.Size, len(data), err)
	}
	return string(data)
}

// TestS3Names: whatever a file is called, all requests about it are signed as
// the server reads them, and name the file itself.
func TestS3Names(t *testing.T) {
	_, s := newGuarded(t, "a b+c/%41")
	names := []string{"nix-cache-info", "nar/1.nar.xz", "log/a+b=c.drv", "realisations/sha256:0a!out.doi", "100%25 ü?x&y#z'(*)~@$,;", "https://host/path"}
	for i, name := range names {
		if has, err := s.Has(t.Context(), name); has || err != nil {
			t.Errorf("%s is there before: %v, %v", name, has, err)
		}
		text := fmt.Sprintf("content %d", i)
		if i == 0 {
			text = ""
		}
		if err := s.Put(t.Context(), name, strings.NewReader(text), int64(len(text)), "text/plain"); err != nil {
			t.Fatal(err)
		}
		if has, err := s.Has(t.Context(), name); !has || err != nil {
			t.Errorf("%s is not there: %v, %v", name, has, err)
		}
		if got := content(t, s, name, 0); got != text {
			t.Errorf("%s: %q, want %q", name, got, text)
		}
		if i > 0 && content(t, s, name, 3) != text[3:] {
			t.Errorf("%s from the third byte on differs", name)
		}
	}
}

// TestS3Parts: large files are sent in parts; nothing of them stays if one fails.
func TestS3Parts(t *testing.T) {
	g, s := newGuarded(t, "x")
	s.part = 5 << 20 // S3 takes no smaller ones
	data := make([]byte, 5*s.part+12345)
	rand.NewChaCha8([32]byte{2}).Read(data)
	put := func() error {
		return s.Put(t.Context(), "nar/large", bytes.NewReader(data), int64(len(data)), "application/x-nix-nar")
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, s, "nar/large", 7); got != string(data[7:]) {
		t.Error("the parts come back as something else")
	}
	o, err := s.http.do(t.Context(), http.MethodHead, "nar/large", nil, nil)
	if err != nil || o.Header.Get("Content-Type") != "application/x-nix-nar" {
		t.Errorf("media type %v, %v", o, err)
	}

	for name, test := range map[string]struct {
		fail func(r *http.Request) (int, string)
		want string
	}{
		"part": {func(r *http.Request) (int, string) {
			if r.URL.Query().Get("partNumber") == "3" {
				return http.StatusServiceUnavailable, "<Error><Code>SlowDown</Code></Error>"
			}
			return 0, ""
		}, "s3://bucket/x/nar/large: HTTP error 503 (SlowDown)"},
		"begin": {func(r *http.Request) (int, string) {
			if r.URL.Query().Has("uploads") {
				return http.StatusForbidden, "<Error><Code>AccessDenied</Code></Error>"
			}
			return 0, ""
		}, "upload: s3://bucket/x/nar/large: HTTP error 403 (AccessDenied)"},
		"end": {func(r *http.Request) (int, string) {
			if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
				return http.StatusOK, "<?xml version=\"1.0\"?>\n\n<Error>\n<Code>InternalError</Code><Message>a&amp;b</Message></Error>"
			}
			return 0, ""
		}, "s3://bucket/x/nar/large: HTTP error 500 (InternalError)"},
	} {
		t.Run(name, func(t *testing.T) {
			g.fail = func(w http.ResponseWriter, r *http.Request) bool {
				status, answer := test.fail(r)
				if status == 0 {
					return false
				}
				w.WriteHeader(status)
				io.WriteString(w, answer)
				return true
			}
			g.seen = nil
			err := put()
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			if passing(err) == (name == "begin") {
				t.Errorf("trying again helps: %v", passing(err))
			}
			aborted := slices.ContainsFunc(g.seen, func(r string) bool {
				return strings.HasPrefix(r, "DELETE /bucket/x/nar/large?uploadId=")
			})
			if aborted == (name == "begin") {
				t.Errorf("taken back: %v; requests %q", aborted, g.seen)
			}
		})
	}
}

// TestS3Faults: errors have the server's code and the name of the file.
func TestS3Faults(t *testing.T) {
	g, s := newGuarded(t, "")
	if _, err := s.Open(t.Context(), "a b", 0); err == nil || err.Error() != "s3://bucket/a b: HTTP error 404 (NoSuchKey)" {
		t.Errorf("no file: %v", err)
	}
	s.bucket = "other"
	s.http.Base.Path = "/other/"
	err := s.Put(t.Context(), "x", strings.NewReader("x"), 1, "text/plain")
	if err == nil || err.Error() != "upload: s3://other/x: HTTP error 404 (NoSuchBucket)" || passing(err) {
		t.Errorf("no bucket: %v", err)
	}
	g.fail = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	if _, err := s.Has(t.Context(), "x"); err == nil || err.Error() != "s3://other/x: HTTP error 502 Bad Gateway" || !passing(err) {
		t.Errorf("no server: %v", err)
	}
	if err := s.Put(t.Context(), "x", strings.NewReader("xy"), 3, "text/plain"); err == nil || passing(err) {
		t.Errorf("another size than announced: %v", err)
	}
}

// transport is a function that answers requests.
type transport func(r *http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(r *http.Request, status int, text string) *http.Response {
	return &http.Response{
		Request: r, StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Header: http.Header{},
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
	}
}

// TestS3Places: where a URL's files are.
func TestS3Places(t *testing.T) {
	for text, want := range map[string]string{
		"s3://b":                                       "https://b.s3.us-east-1.amazonaws.com/x",
		"s3://b/p/q/?region=cn-north-1":                "https://b.s3.cn-north-1.amazonaws.com.cn/p/q/x",
		"s3://b.c/p?region=eu-west-1":                  "https://s3.eu-west-1.amazonaws.com/b.c/p/x",
		"s3://b?scheme=http":                           "http://b.s3.us-east-1.amazonaws.com/x",
		"s3://b?addressing-style=path":                 "https://s3.us-east-1.amazonaws.com/b/x",
		"s3://b?endpoint=h:9000":                       "https://h:9000/b/x",
		"s3://b?endpoint=h&scheme=http":                "http://h/b/x",
		"s3://b/p?endpoint=http://h:9/":                "http://h:9/b/p/x",
		"s3://b?endpoint=http://h/s3/":                 "http://h/s3/b/x",
		"s3://b?endpoint=h&addressing-style=auto":      "https://h/b/x",
		"s3://b?endpoint=h:1&addressing-style=virtual": "https://b.h:1/x",
		"s3://b?scheme=ftp":                            "unknown scheme 'ftp'",
		"s3://b?endpoint=ftp://h":                      "unknown scheme 'ftp'",
		"s3://b?endpoint=h/?x":                         "is not the endpoint",
		"s3://b?addressing-style=x":                    "unknown S3 addressing style 'x'",
	} {
		config, err := ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		s, err := NewS3(config.URL, config.Params, S3Secrets{AccessKey: "k", SecretKey: "s"}, transport(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return answer(r, 200, ""), nil
		}))
		if err != nil {
			got = err.Error()
		} else if _, err := s.Has(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestS3Redirected: what a server sends elsewhere is signed for there.
func TestS3Redirected(t *testing.T) {
	var signed []string
	s, err := NewS3(&url.URL{Host: "b"}, url.Values{}, S3Secrets{AccessKey: "k", SecretKey: "s"}, transport(func(r *http.Request) (*http.Response, error) {
		signed = append(signed, r.Header.Get("Authorization"))
		if r.URL.Host == "elsewhere" {
			return answer(r, 200, "text"), nil
		}
		moved := answer(r, http.StatusTemporaryRedirect, "")
		moved.Header.Set("Location", "https://elsewhere/b/x")
		return moved, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, s, "x", 0); got != "text" || len(signed) != 2 || signed[0] == signed[1] || signed[1] == "" {
		t.Errorf("%q; signed %q", got, signed)
	}
}

// TestS3Credentials: where they come from.
func TestS3Credentials(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	start := sha1.Sum([]byte("https://start"))
	session := sha1.Sum([]byte("s1"))
	old := sha1.Sum([]byte("old"))
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	write(".aws/sso/cache/"+hex.EncodeToString(start[:])+".json", `{"accessToken": "t1", "expiresAt": "`+later+`", "region": "eu-north-1"}`)
	write(".aws/sso/cache/"+hex.EncodeToString(session[:])+".json", `{"accessToken": "t2", "expiresAt": "`+later+`"}`)
	write(".aws/sso/cache/"+hex.EncodeToString(old[:])+".json", `{"accessToken": "t2", "expiresAt": "2020-01-01T00:00:00Z"}`)
	write(".aws/config", "[default]\nregion = x\n[profile two]\naws_access_key_id=nobody\n"+
		"[profile program]\ncredential_process = printf '{\"Version\": 1, \"AccessKeyId\": \"pk\", \"SecretAccessKey\": \"ps\"}'\n"+
		"[profile sso]\nsso_start_url = https://start\nsso_account_id = 1\nsso_role_name = r\n"+
		"[profile sso2]\nsso_session = s1\nsso_account_id = 2\nsso_role_name = r\n[sso-session s1]\nsso_region = us-west-2\n"+
		"[profile sso3]\nsso_session = old\nsso_account_id = 2\nsso_role_name = r\n"+
		"[profile half]\naws_access_key_id = k\n[profile none]\nregion = x\n")
	write(".aws/credentials", "# keys\n\n[two]\n  aws_access_key_id = k2 # the second\r\nAWS_SECRET_ACCESS_KEY=s2=\r\naws_session_token = t2\n[three]\naws_access_key_id = k3\naws_secret_access_key = s3\n")
	defaults := write("defaults", "[default]\naws_access_key_id = k4\naws_secret_access_key = s4\n")
	token := write("token", "to-ken\n")

	mux := http.NewServeMux() // Amazon's machines
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "100")
		io.WriteString(w, "imds")
	})
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/role"):
			io.WriteString(w, `{"Code": "Success", "AccessKeyId": "k5", "SecretAccessKey": "s5", "Token": "t5", "Expiration": "`+later+`"}`)
		default:
			io.WriteString(w, "role")
		}
	})
	mux.HandleFunc("GET /container", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "to-ken" {
			io.WriteString(w, `{"AccessKeyId": "k6", "SecretAccessKey": "s6", "Token": "t6", "Expiration": "`+later+`"}`)
		}
	})
	machine := httptest.NewServer(mux)
	defer machine.Close()

	for name, test := range map[string]struct {
		params  url.Values
		secrets S3Secrets
		env     map[string]string
		want    string // key and session token of requests, or an error
	}{
		"environment":   {nil, S3Secrets{AccessKey: "k1", SecretKey: "s1", SessionToken: "t1"}, nil, "k1 t1"},
		"profile first": {url.Values{"profile": {"three"}}, S3Secrets{AccessKey: "k1", SecretKey: "s1"}, nil, "k3 "},
		"profile":       {url.Values{"profile": {"two"}}, S3Secrets{}, nil, "k2 t2"},
		"no profile":    {url.Values{"profile": {"four"}}, S3Secrets{}, nil, "the profile 'four': it is not defined"},
		"half":          {url.Values{"profile": {"half"}}, S3Secrets{}, nil, "the profile 'half': it has one of"},
		"no keys":       {url.Values{"profile": {"none"}}, S3Secrets{}, nil, " "},
		"no files":      {url.Values{"profile": {"two"}}, S3Secrets{}, map[string]string{"HOME": "/nowhere"}, "no such file"},
		"default":       {nil, S3Secrets{CredentialsFile: defaults}, nil, "k4 "},
		"no default":    {url.Values{"endpoint": {"h"}}, S3Secrets{}, nil, " "},
		"program":       {url.Values{"profile": {"program"}}, S3Secrets{}, nil, "pk "},
		"signed in":     {url.Values{"profile": {"sso"}}, S3Secrets{}, nil, "t1@portal.sso.eu-north-1.amazonaws.com1 ts"},
		"session":       {url.Values{"profile": {"sso2"}}, S3Secrets{}, nil, "t2@portal.sso.us-west-2.amazonaws.com2 ts"},
		"signed out":    {url.Values{"profile": {"sso3"}}, S3Secrets{}, nil, "the token of 'aws sso login' has expired"},
		"machine":       {nil, S3Secrets{}, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.URL}, "k5 t5"},
		"no machine":    {nil, S3Secrets{}, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.URL, "AWS_EC2_METADATA_DISABLED": "true"}, " "},
		"not Amazon":    {url.Values{"endpoint": {"h"}}, S3Secrets{}, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.URL}, " "},
		"container": {nil, S3Secrets{}, map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.URL + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
		}, "k6 t6"},
		"container, token": {nil, S3Secrets{}, map[string]string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.URL + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "to-ken",
		}, "k6 t6"},
		"container elsewhere": {nil, S3Secrets{}, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/container"}, " "},
		"identity": {nil, S3Secrets{}, map[string]string{
			"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:r", "AWS_ROLE_SESSION_NAME": "me",
		}, "to-ken@sts.us-east-1.amazonaws.com,arn:r,me t&8"},
	} {
		t.Run(name, func(t *testing.T) {
			test.secrets.Getenv = func(name string) string {
				if v, ok := test.env[name]; ok || name != "HOME" {
					return v
				}
				return home
			}
			var got string
			asked := 0
			s, err := NewS3(&url.URL{Scheme: "s3", Host: "b"}, test.params, test.secrets, transport(func(r *http.Request) (*http.Response, error) {
				switch {
				case strings.HasPrefix(r.URL.Host, "portal."):
					asked++
					return answer(r, 200, fmt.Sprintf(`{"roleCredentials": {"accessKeyId": "%s@%s%s", "secretAccessKey": "ss", "sessionToken": "ts", "expiration": %d}}`,
						r.Header.Get("X-Amz-Sso_bearer_token"), r.URL.Host, r.URL.Query().Get("account_id"), time.Now().Add(time.Hour).UnixMilli())), nil
				case strings.HasPrefix(r.URL.Host, "sts."):
					asked++
					if err := r.ParseForm(); err != nil {
						t.Error(err)
					}
					return answer(r, 200, fmt.Sprintf("<R><Credentials>\n<AccessKeyId>%s@%s,%s,%s</AccessKeyId><SecretAccessKey>s8</SecretAccessKey><SessionToken>t&amp;8</SessionToken><Expiration>%s</Expiration></Credentials></R>",
						r.PostForm.Get("WebIdentityToken"), r.URL.Host, r.PostForm.Get("RoleArn"), r.PostForm.Get("RoleSessionName"), later)), nil
				}
				_, id, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
				id, _, _ = strings.Cut(id, "/")
				got = id + " " + r.Header.Get("X-Amz-Security-Token")
				return answer(r, 200, ""), nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := s.Has(t.Context(), "x"); err != nil {
					got = err.Error()
					if passing(err) {
						t.Errorf("trying again helps after %v", err)
					}
				}
			}
			if got != test.want && (test.want == " " || !strings.Contains(got, test.want)) {
				t.Errorf("%q, want %q", got, test.want)
			}
			if asked > 1 {
				t.Errorf("asked for credentials %d times", asked)
			}
		})
	}
}

// TestS3Chain: a source that once had credentials is the only one from then on.
func TestS3Chain(t *testing.T) {
	calls := 0
	none := source(func(context.Context) (aws.Credentials, error) {
		calls++
		return aws.Credentials{}, errors.New("none")
	})
	var fail error
	some := source(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "k", SecretAccessKey: "s"}, fail
	})
	c := &chain{sources: []aws.CredentialsProvider{none, some, none}}
	for range 2 {
		if got, err := c.Retrieve(t.Context()); err != nil || got.AccessKeyID != "k" {
			t.Errorf("%v, %v", got, err)
		}
	}
	fail = errors.New("gone")
	if _, err := c.Retrieve(t.Context()); err != fail || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	c = &chain{sources: []aws.CredentialsProvider{none, none}}
	calls = 0
	for range 2 {
		if got, err := c.Retrieve(t.Context()); err != nil || got.HasKeys() || calls != 2 {
			t.Errorf("%v, %v after %d calls", got, err, calls)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c = &chain{sources: []aws.CredentialsProvider{none}}
	if _, err := c.Retrieve(ended); err == nil || c.settled {
		t.Errorf("%v after the end", err)
	}
}
