package binarycache

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// S3Secrets is what the environment says about access to S3.
type S3Secrets struct {
	AccessKey, SecretKey, SessionToken string
	// CredentialsFile is where profiles are defined ("" for the usual place).
	CredentialsFile string
	// Getenv is asked for everything else, by the names that Amazon's tools
	// know; nil if there is nothing.
	Getenv func(name string) string
}

func (s S3Secrets) env(name string) string {
	if s.Getenv == nil {
		return ""
	}
	return s.Getenv(name)
}

// source is a function that is a source of credentials.
type source func(ctx context.Context) (aws.Credentials, error)

// Retrieve implements aws.CredentialsProvider.
func (f source) Retrieve(ctx context.Context) (aws.Credentials, error) { return f(ctx) }

// s3Credentials asks where the tools of AWS ask: a profile if one is named, else
// the environment, the default profile, and on Amazon's machines their role;
// without any of them requests are not signed.
func s3Credentials(params url.Values, secrets S3Secrets, region string, client *http.Client) aws.CredentialsProvider {
	name := params.Get("profile")
	profiles := source(func(ctx context.Context) (aws.Credentials, error) {
		credentials, err := secrets.profile(ctx, name, client)
		if err != nil && name != "" {
			err = fmt.Errorf("the profile '%s': %w", name, err)
		}
		return credentials, err
	})
	switch {
	case name != "":
		return aws.NewCredentialsCache(profiles)
	case secrets.AccessKey != "":
		return source(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: secrets.AccessKey, SecretAccessKey: secrets.SecretKey, SessionToken: secrets.SessionToken}, nil
		})
	}
	sources := []aws.CredentialsProvider{profiles}
	if params.Get("endpoint") == "" {
		sources = append(sources, secrets.role(region, client))
	}
	return aws.NewCredentialsCache(&chain{sources: sources})
}

// profile returns the credentials of a profile: keys, those of a person who has
// signed in with "aws sso login", or what a program says. They are empty if the
// profile has none of this.
func (s S3Secrets) profile(ctx context.Context, name string, client *http.Client) (aws.Credentials, error) {
	if name == "" {
		name = "default"
	}
	sections, err := s.profiles()
	if err != nil {
		return aws.Credentials{}, err
	}
	p, ok := sections[name]
	if !ok {
		return aws.Credentials{}, errors.New("it is not defined")
	}
	credentials := aws.Credentials{AccessKeyID: p["aws_access_key_id"], SecretAccessKey: p["aws_secret_access_key"], SessionToken: p["aws_session_token"]}
	switch {
	case credentials.HasKeys():
		return credentials, nil
	case credentials.AccessKeyID != "" || credentials.SecretAccessKey != "":
		return aws.Credentials{}, errors.New("it has one of aws_access_key_id and aws_secret_access_key without the other")
	case p["sso_role_name"] != "":
		return s.signedIn(ctx, p, sections["sso-session "+p["sso_session"]], client)
	case p["credential_process"] != "":
		return processcreds.NewProvider(p["credential_process"]).Retrieve(ctx)
	}
	return aws.Credentials{}, nil
}

// profiles reads the files that define profiles. What the file of credentials
// says comes before what the other one does.
func (s S3Secrets) profiles() (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	var missing error
	found := false
	for _, file := range []struct{ path, usual string }{
		{s.env("AWS_CONFIG_FILE"), "config"},
		{s.CredentialsFile, "credentials"},
	} {
		if file.path == "" {
			file.path = filepath.Join(s.env("HOME"), ".aws", file.usual)
		}
		text, err := os.ReadFile(file.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = err
		case err != nil:
			return nil, err
		default:
			found = true
			parseProfiles(sections, string(text))
		}
	}
	if !found {
		return nil, missing
	}
	return sections, nil
}

// parseProfiles adds the sections of a file to those that there are. A section
// [profile NAME] is called NAME, as it is in the file of credentials.
func parseProfiles(sections map[string]map[string]string, text string) {
	var section map[string]string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "["); ok {
			name, _, _ := strings.Cut(rest, "]")
			name = strings.TrimPrefix(strings.Join(strings.Fields(name), " "), "profile ")
			if sections[name] == nil {
				sections[name] = map[string]string{}
			}
			section = sections[name]
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == nil {
			continue
		}
		for _, comment := range []string{" #", "\t#", " ;", "\t;"} {
			value, _, _ = strings.Cut(value, comment)
		}
		section[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
}

// signedIn returns the credentials of a role that a person may take who has
// signed in: "aws sso login" leaves a token, for which the portal gives them.
// The session is that of the profile; nil if it has none.
func (s S3Secrets) signedIn(ctx context.Context, profile, session map[string]string, client *http.Client) (aws.Credentials, error) {
	key := profile["sso_session"]
	if key == "" {
		key = profile["sso_start_url"]
	}
	hash := sha1.Sum([]byte(key))
	text, err := os.ReadFile(filepath.Join(s.env("HOME"), ".aws", "sso", "cache", hex.EncodeToString(hash[:])+".json"))
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("'aws sso login' has left no token: %w", err)
	}
	var token struct {
		AccessToken, Region string
		ExpiresAt           time.Time
	}
	if err := json.Unmarshal(text, &token); err != nil {
		return aws.Credentials{}, fmt.Errorf("the token of 'aws sso login': %w", err)
	}
	if token.ExpiresAt.Before(time.Now()) {
		return aws.Credentials{}, errors.New("the token of 'aws sso login' has expired")
	}
	region := token.Region
	for _, from := range []map[string]string{session, profile} {
		if from["sso_region"] != "" {
			region = from["sso_region"]
			break
		}
	}
	if region == "" {
		return aws.Credentials{}, errors.New("it has no sso_region")
	}
	query := url.Values{"account_id": {profile["sso_account_id"]}, "role_name": {profile["sso_role_name"]}}
	portal := "https://portal.sso." + region + "." + amazon(region) + "/federation/credentials?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, portal, nil)
	if err != nil {
		return aws.Credentials{}, err
	}
	req.Header.Set("X-Amz-Sso_bearer_token", token.AccessToken)
	answer, err := ask(client, req)
	if err != nil {
		return aws.Credentials{}, err
	}
	var given struct {
		RoleCredentials struct {
			AccessKeyID, SecretAccessKey, SessionToken string
			Expiration                                 int64 // in milliseconds
		}
	}
	if err := json.Unmarshal([]byte(answer), &given); err != nil {
		return aws.Credentials{}, fmt.Errorf("the answer of '%s': %w", req.URL.Host, err)
	}
	c := given.RoleCredentials
	return aws.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		CanExpire: true, Expires: time.UnixMilli(c.Expiration),
	}, nil
}

// ask sends a small request to one of Amazon's services.
func ask(client *http.Client, req *http.Request) (string, error) {
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	answer, err := read(resp)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		text := resp.Status
		if code := element(answer, "Code"); code != "" {
			text += " (" + code + ")"
		}
		return "", fmt.Errorf("%s: HTTP error %s", req.URL.Host, text)
	}
	return answer, nil
}

// role is the source of the credentials of what this process runs on: a pod of
// Kubernetes, a container, or a machine of EC2.
func (s S3Secrets) role(region string, client *http.Client) aws.CredentialsProvider {
	if file := s.env("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" {
		return source(func(ctx context.Context) (aws.Credentials, error) { return s.identified(ctx, file, region, client) })
	}
	// These are asked on this machine or beside it, not through a proxy.
	near := &http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Second}
	endpoint := s.env("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if path := s.env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); path != "" {
		endpoint = "http://169.254.170.2" + path
	}
	if endpoint != "" {
		if err := checkContainer(endpoint); err != nil {
			return source(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, err })
		}
		return endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
			o.HTTPClient = near
			o.AuthorizationToken = s.env("AWS_CONTAINER_AUTHORIZATION_TOKEN")
			if file := s.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
				o.AuthorizationTokenProvider = endpointcreds.TokenProviderFunc(func() (string, error) {
					token, err := os.ReadFile(file)
					return strings.TrimSpace(string(token)), err
				})
			}
		})
	}
	options := imds.Options{HTTPClient: near, Retryer: aws.NopRetryer{}, Endpoint: s.env("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	if strings.EqualFold(s.env("AWS_EC2_METADATA_DISABLED"), "true") {
		options.ClientEnableState = imds.ClientDisabled
	}
	return ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = imds.New(options) })
}

// checkContainer refuses to send the token of a container, unencrypted, to other
// places than where Amazon's agents are: this machine, and the addresses that
// ECS and EKS use.
func checkContainer(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	if u.Scheme == "https" || u.Hostname() == "localhost" {
		return nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err == nil && ip.IsLoopback() {
		return nil
	}
	switch ip.String() {
	case "169.254.170.2", "169.254.170.23", "fd00:ec2::23":
		return nil
	}
	return fmt.Errorf("'%s' is no place to ask for credentials", endpoint)
}

// identified returns the credentials of the role that a token stands for, as
// pods of EKS have one.
func (s S3Secrets) identified(ctx context.Context, file, region string, client *http.Client) (aws.Credentials, error) {
	token, err := os.ReadFile(file)
	if err != nil {
		return aws.Credentials{}, err
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if v := s.env(name); v != "" {
			region = v
			break
		}
	}
	session := s.env("AWS_ROLE_SESSION_NAME")
	if session == "" {
		session = fmt.Sprintf("gonix-%d", time.Now().UnixNano())
	}
	form := url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"},
		"RoleArn": {s.env("AWS_ROLE_ARN")}, "RoleSessionName": {session},
		"WebIdentityToken": {strings.TrimSpace(string(token))},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://sts."+region+"."+amazon(region)+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return aws.Credentials{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := ask(client, req)
	if err != nil {
		return aws.Credentials{}, err
	}
	expires, err := time.Parse(time.RFC3339, element(answer, "Expiration"))
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("the answer of '%s': %w", req.URL.Host, err)
	}
	return aws.Credentials{
		AccessKeyID: element(answer, "AccessKeyId"), SecretAccessKey: element(answer, "SecretAccessKey"), SessionToken: element(answer, "SessionToken"),
		CanExpire: true, Expires: expires,
	}, nil
}
