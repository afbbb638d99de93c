package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gonix/derivation/binarycache"
	"gonix/derivation/build"
	"gonix/derivation/narinfo/memory"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

// unreachableFor is how long a cache of our own choice is left alone that could
// not be reached.
const unreachableFor = 5 * time.Minute

// caches are the binary caches that a command uses: it asks each of them once,
// however often it builds.
type caches struct {
	w   *world
	set *settings
	p   *progress

	memory *memory.Disk
	store  *store.Local // that the substituter is for
	sub    *substitute.Substituter
}

// close ends the use of the caches.
func (c *caches) close() {
	if c.memory != nil {
		c.memory.Close()
		c.memory = nil
	}
}

func (c *caches) warn(text string) { c.p.printf("warning: %s", text) }

// substitution adds to opts what the settings say about binary caches and
// signatures.
func (c *caches) substitution(st *store.Local, opts *build.Options) error {
	opts.AlwaysSubstitute = c.set.AlwaysSubstitute
	opts.Fallback = c.set.Fallback
	sign, err := signer(c.w, c.set)
	if err != nil {
		return err
	}
	opts.Sign = sign
	if !c.set.Substitute || len(c.set.Substituters) == 0 {
		return nil
	}
	if c.sub == nil || c.store != st {
		sub, err := c.substituter(st)
		if err != nil {
			return err
		}
		c.sub, c.store = sub, st
	}
	opts.Substituter = c.sub
	return nil
}

// signer signs what is built with the secret keys of the settings; nil if there
// are none.
func signer(w *world, set *settings) (func(*store.Info) error, error) {
	keys, err := secretKeys(w, set.SecretKeyFiles)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return func(info *store.Info) error { return binarycache.Sign(info, keys) }, nil
}

// secretKeys reads the keys in files.
func secretKeys(w *world, files []string) ([]signature.SecretKey, error) {
	var keys []signature.SecretKey
	for _, file := range files {
		text, err := os.ReadFile(w.abs(file))
		if err != nil {
			return nil, fmt.Errorf("read a secret key: %w", err)
		}
		k, err := signature.ParseSecretKey(string(text))
		if err != nil {
			return nil, fmt.Errorf("'%s': %w", file, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// substituter opens the substituters of the settings. One that cannot be used
// is left out with a warning.
func (c *caches) substituter(st *store.Local) (*substitute.Substituter, error) {
	set := c.set
	keys, err := signature.ParseKeys(set.TrustedKeys)
	if err != nil {
		return nil, fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	mem := c.remembered()
	var sources []binarycache.Source
	for _, text := range set.Substituters {
		source, err := c.source(text, set.connect())
		if err != nil {
			c.warn(fmt.Sprintf("the substituter '%s' is left out: %v", text, err))
			continue
		}
		if !set.SubstitutersGiven && mem != nil && mem.Unreachable(source.String()) {
			continue
		}
		sources = append(sources, source)
	}
	opts := c.options()
	opts.Sources, opts.Keys, opts.NoSignatures = sources, keys, !set.RequireSigs
	opts.Unreachable = func(source string, _ error) {
		if !set.SubstitutersGiven && mem != nil {
			mem.SetUnreachable(source)
		}
	}
	if !set.SubstitutersGiven {
		opts.Answer = set.connect()
	}
	return substitute.New(st, opts), nil
}

// options are those that do not depend on where objects come from.
func (c *caches) options() substitute.Options {
	p := c.p
	return substitute.Options{
		Queries: max(c.set.Connections, 1),
		Jobs:    max(c.set.SubstitutionJobs, 1),
		Events: substitute.Events{
			Started: func(path storepath.Path, from string, size int64) {
				id := path.String()
				p.copying(id, path.Name(), fmt.Sprintf("copying path '%s' from '%s'...", id, from))
				p.received(id, 0, size)
			},
			Progress: func(path storepath.Path, done, total int64) { p.received(path.String(), done, max(total, 0)) },
			Finished: func(path storepath.Path, _ error) { p.finished(path.String()) },
			Warn:     c.warn,
		},
	}
}

// source opens a substituter: a binary cache, or a store in a folder.
func (c *caches) source(text string, connect time.Duration) (binarycache.Source, error) {
	if binarycache.IsURL(text) {
		return c.open(text, connect)
	}
	st, err := openStoreAt(c.w, text, store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return binarycache.Objects{Local: st}, nil
}

// open opens the binary cache that a URL names.
func (c *caches) open(text string, connect time.Duration) (*binarycache.Cache, error) {
	config, err := binarycache.ParseURL(text)
	if err != nil {
		return nil, err
	}
	for _, name := range config.Unknown {
		c.warn(fmt.Sprintf("the parameter '%s' of '%s' means nothing here", name, config))
	}
	keys, err := secretKeys(c.w, config.SecretKeys)
	if err != nil {
		return nil, err
	}
	opts := binarycache.Options{
		Client:      &http.Client{Transport: transport(c.w, c.set, connect)},
		Agent:       "gonix/" + version,
		Connections: c.set.Connections,
		Keys:        keys,
		Patience: binarycache.Patience{
			Attempts: max(1, c.set.DownloadAttempts),
			Stall:    c.set.StalledTimeout,
			Backoff:  250 * time.Millisecond,
		},
		Secrets: binarycache.S3Secrets{
			AccessKey:       c.w.getenv("AWS_ACCESS_KEY_ID"),
			SecretKey:       c.w.getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    c.w.getenv("AWS_SESSION_TOKEN"),
			CredentialsFile: c.w.getenv("AWS_SHARED_CREDENTIALS_FILE"),
		},
	}
	if profile := c.w.getenv("AWS_PROFILE"); profile != "" && config.URL.Scheme == "s3" && !config.Params.Has("profile") {
		config.Params.Set("profile", profile)
	}
	if mem := c.remembered(); mem != nil {
		opts.Memory = mem
	}
	return binarycache.Open(config, opts)
}

// remembered is where answers of caches are remembered; nil if the user has no
// folder for such things.
func (c *caches) remembered() *memory.Disk {
	if c.memory == nil {
		dir := c.w.cacheDir()
		if dir == "" {
			return nil
		}
		c.memory = memory.New(filepath.Join(dir, memory.FileName), memory.Options{
			Positive: c.set.PositiveTTL, Negative: c.set.NegativeTTL, Unreachable: unreachableFor, Now: time.Now,
		})
	}
	return c.memory
}
