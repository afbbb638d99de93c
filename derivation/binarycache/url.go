package binarycache

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"gonix/derivation/storepath"
)

// Config is what the URL of a cache says: where it is and, in the parameters
// that Nix knows, how it is used.
type Config struct {
	URL    *url.URL   // without parameters
	Params url.Values // of the place itself (S3)

	StoreDir    string // of the stores that the cache is for
	Compression string // of new archives
	Level       int    // of the compression; -1 for the usual one
	Parallel    bool   // compress one archive on several processors
	SecretKeys  []string
	Trusted     bool // needs no signatures
	Priority    *int // nil: what the cache says
	MassQuery   *bool
	Unknown     []string // parameters that mean nothing here, sorted
}

// String is the URL without its parameters, by which a cache is called in
// messages.
func (c *Config) String() string { return c.URL.String() }

// IsURL reports whether text names a binary cache.
func IsURL(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && slices.Contains([]string{"file", "http", "https", "s3"}, scheme)
}

// parameters says how each parameter takes its text.
var parameters = map[string]func(c *Config, v string) error{
	"compression":       func(c *Config, v string) error { c.Compression = v; return nil },
	"compression-level": func(c *Config, v string) (err error) { c.Level, err = strconv.Atoi(v); return err },
	"secret-key":        func(c *Config, v string) error { c.SecretKeys = append(c.SecretKeys, v); return nil },
	"secret-keys": func(c *Config, v string) error {
		for _, file := range strings.Split(v, ",") {
			if file != "" {
				c.SecretKeys = append(c.SecretKeys, file)
			}
		}
		return nil
	},
	"trusted": func(c *Config, v string) error { return parseBool(&c.Trusted, v) },
	"priority": func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		c.Priority = &n
		return err
	},
	"want-mass-query": func(c *Config, v string) error {
		c.MassQuery = new(bool)
		return parseBool(c.MassQuery, v)
	},
	"store": func(c *Config, v string) error {
		c.StoreDir = v
		if !path.IsAbs(v) || path.Clean(v) != v {
			return fmt.Errorf("'%s' is not an absolute path without '.' and '..'", v)
		}
		return nil
	},
	// How much is remembered in memory; it is all.
	"path-info-cache-size": func(*Config, string) error { return nil },
}

// places are the parameters of S3.
var places = []string{"endpoint", "region", "scheme", "profile", "addressing-style"}

// ParseURL takes the URL of a cache apart.
func ParseURL(text string) (*Config, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the URL '%s' of a binary cache: %w", text, err)
	}
	if !IsURL(text) {
		return nil, fmt.Errorf("'%s' is not the URL of a binary cache: it does not start with file://, http://, https:// or s3://", text)
	}
	if u.Scheme == "file" && (u.Host != "" || u.Path == "") {
		return nil, fmt.Errorf("the URL '%s' needs an absolute path: file:///PATH", text)
	}
	c := &Config{Params: url.Values{}, StoreDir: storepath.Dir, Compression: "xz", Level: -1}
	query, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return nil, fmt.Errorf("the URL '%s' of a binary cache: %w", text, err)
	}
	parallel := ""
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := query.Get(name)
		take, known := parameters[name]
		switch {
		case known:
			if err := take(c, value); err != nil {
				return nil, fmt.Errorf("parameter '%s' of '%s': %w", name, text, err)
			}
		case name == "parallel-compression":
			parallel = value
		case u.Scheme == "s3" && slices.Contains(places, name):
			c.Params.Set(name, value)
		default:
			c.Unknown = append(c.Unknown, name)
		}
	}
	// As Nix has it since 2.35: several processors are the rule for zstd.
	c.Parallel = c.Compression == "zstd"
	if parallel != "" {
		if err := parseBool(&c.Parallel, parallel); err != nil {
			return nil, fmt.Errorf("parameter 'parallel-compression' of '%s': %w", text, err)
		}
	}
	codec, err := findCodec(c.Compression)
	if err == nil {
		err = codec.checkLevel(c.Level)
	}
	if err != nil {
		return nil, fmt.Errorf("'%s': %w", text, err)
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	c.URL = u
	return c, nil
}

func parseBool(dst *bool, v string) error {
	switch v {
	case "true", "yes", "1":
		*dst = true
	case "false", "no", "0":
		*dst = false
	default:
		return fmt.Errorf("'%s' is not a Boolean", v)
	}
	return nil
}
