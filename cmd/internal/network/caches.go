package network

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/cmd/internal/terminal"
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

// Caches are the binary caches that a command uses: it asks each of them once,
// however often it builds.
type Caches struct {
	World    *process.World
	Settings *config.Settings
	Progress *terminal.Progress

	memory *memory.Disk
	store  *store.Local // that the substituter is for
	sub    *substitute.Substituter
}

// Close ends the use of the caches.
func (c *Caches) Close() {
	if c.memory != nil {
		c.memory.Close()
		c.memory = nil
	}
}

func (c *Caches) warn(text string) { c.Progress.Printf("warning: %s", text) }

// Substitution adds to opts what the settings say about binary caches and
// signatures.
func (c *Caches) Substitution(st *store.Local, opts *build.Options) error {
	opts.AlwaysSubstitute = c.Settings.AlwaysSubstitute
	opts.Fallback = c.Settings.Fallback
	sign, err := signer(c.World, c.Settings)
	if err != nil {
		return err
	}
	opts.Sign = sign
	if !c.Settings.Substitute || len(c.Settings.Substituters) == 0 {
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
func signer(w *process.World, set *config.Settings) (func(*store.Info) error, error) {
	keys, err := SecretKeys(w, set.SecretKeyFiles)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return func(info *store.Info) error { return binarycache.Sign(info, keys) }, nil
}

// SecretKeys reads the keys in files.
func SecretKeys(w *process.World, files []string) ([]signature.SecretKey, error) {
	var keys []signature.SecretKey
	for _, file := range files {
		text, err := os.ReadFile(w.Abs(file))
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
func (c *Caches) substituter(st *store.Local) (*substitute.Substituter, error) {
	set := c.Settings
	keys, err := signature.ParseKeys(set.TrustedKeys)
	if err != nil {
		return nil, fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	mem := c.remembered()
	var sources []binarycache.Source
	for _, text := range set.Substituters {
		source, err := c.source(text, set.Connect())
		if err != nil {
			c.warn(fmt.Sprintf("the substituter '%s' is left out: %v", text, err))
			continue
		}
		if !set.SubstitutersGiven && mem != nil && mem.Unreachable(source.String()) {
			continue
		}
		sources = append(sources, source)
	}
	opts := c.Options()
	opts.Sources, opts.Keys, opts.NoSignatures = sources, keys, !set.RequireSigs
	opts.Unreachable = func(source string, _ error) {
		if !set.SubstitutersGiven && mem != nil {
			mem.SetUnreachable(source)
		}
	}
	if !set.SubstitutersGiven {
		opts.Answer = set.Connect()
	}
	return substitute.New(st, opts), nil
}

// Options are those that do not depend on where objects come from.
func (c *Caches) Options() substitute.Options {
	p := c.Progress
	return substitute.Options{
		Queries: max(c.Settings.Connections, 1),
		Jobs:    max(c.Settings.SubstitutionJobs, 1),
		Events: substitute.Events{
			Started: func(path storepath.Path, from string, size int64) {
				id := path.String()
				p.Copying(id, path.Name(), from, "")
				p.Received(id, 0, size)
			},
			Progress: func(path storepath.Path, done, total int64) { p.Received(path.String(), done, max(total, 0)) },
			Finished: func(path storepath.Path, err error) { p.Ended(path.String(), err == nil) },
			Warn:     c.warn,
		},
	}
}

// source opens a substituter: a binary cache, or a store in a folder.
func (c *Caches) source(text string, connect time.Duration) (binarycache.Source, error) {
	if binarycache.IsURL(text) {
		return c.Open(text, connect)
	}
	st, err := stores.OpenAt(c.World, text, store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return binarycache.Objects{Local: st}, nil
}

// Store opens a binary cache as the store of a command: it decides what paths
// begin with.
func (c *Caches) Store(text string) (*binarycache.Adder, error) {
	if err := storepath.UseDir(cmp.Or(c.World.Getenv("NIX_STORE_DIR"), storepath.DefaultDir)); err != nil {
		return nil, err
	}
	config, err := binarycache.ParseURL(text)
	if err != nil {
		return nil, err
	}
	if err := storepath.UseDir(config.StoreDir); err != nil {
		return nil, err
	}
	cache, err := c.Open(text, c.Settings.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	return &binarycache.Adder{Cache: cache}, nil
}

// Open opens the binary cache that a URL names.
func (c *Caches) Open(text string, connect time.Duration) (*binarycache.Cache, error) {
	config, err := binarycache.ParseURL(text)
	if err != nil {
		return nil, err
	}
	for _, name := range config.Unknown {
		c.warn(fmt.Sprintf("the parameter '%s' of '%s' means nothing here", name, config))
	}
	keys, err := SecretKeys(c.World, config.SecretKeys)
	if err != nil {
		return nil, err
	}
	opts := binarycache.Options{
		Client:      &http.Client{Transport: transport(c.World, c.Settings, connect)},
		Agent:       "gonix/" + process.Version,
		Connections: c.Settings.Connections,
		Keys:        keys,
		Patience: binarycache.Patience{
			Attempts: max(1, c.Settings.DownloadAttempts),
			Stall:    c.Settings.StalledTimeout,
			Backoff:  250 * time.Millisecond,
		},
		Secrets: binarycache.S3Secrets{
			AccessKey:       c.World.Getenv("AWS_ACCESS_KEY_ID"),
			SecretKey:       c.World.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    c.World.Getenv("AWS_SESSION_TOKEN"),
			CredentialsFile: c.World.Getenv("AWS_SHARED_CREDENTIALS_FILE"),
			Getenv:          c.World.Getenv,
		},
	}
	if profile := c.World.Getenv("AWS_PROFILE"); profile != "" && config.URL.Scheme == "s3" && !config.Params.Has("profile") {
		config.Params.Set("profile", profile)
	}
	if mem := c.remembered(); mem != nil {
		opts.Memory = mem
	}
	return binarycache.Open(config, opts)
}

// remembered is where answers of caches are remembered; nil if the user has no
// folder for such things.
func (c *Caches) remembered() *memory.Disk {
	if c.memory == nil {
		dir := c.World.CacheDir()
		if dir == "" {
			return nil
		}
		c.memory = memory.New(filepath.Join(dir, memory.FileName), memory.Options{
			Positive: c.Settings.PositiveTTL, Negative: c.Settings.NegativeTTL, Unreachable: unreachableFor, Now: time.Now,
		})
	}
	return c.memory
}
