package cli

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// caches is what a command has opened of binary caches: it asks each of them once,
// however often it builds.
type caches struct {
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

// substitution adds to opts what the settings say about binary caches and
// signatures.
func (w *world) substitution(set *settings, st *store.Local, p *progress, opts *build.Options) error {
	opts.AlwaysSubstitute = set.AlwaysSubstitute
	opts.Fallback = set.Fallback
	sign, err := w.signer(set)
	if err != nil {
		return err
	}
	opts.Sign = sign
	if !set.Substitute || len(set.Substituters) == 0 {
		return nil
	}
	if w.caches.sub == nil || w.caches.store != st {
		sub, err := w.newSubstituter(set, st, p)
		if err != nil {
			return err
		}
		w.caches.sub, w.caches.store = sub, st
	}
	opts.Substituter = w.caches.sub
	return nil
}

// signer signs what is built with the secret keys of the settings; nil if there
// are none.
func (w *world) signer(set *settings) (func(*store.Info) error, error) {
	keys, err := w.secretKeys(set.SecretKeyFiles)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return func(info *store.Info) error { return binarycache.Sign(info, keys) }, nil
}

// secretKeys reads the keys in files.
func (w *world) secretKeys(files []string) ([]signature.SecretKey, error) {
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

// newSubstituter opens the substituters of the settings. One that cannot be used
// is left out with a warning.
func (w *world) newSubstituter(set *settings, st *store.Local, p *progress) (*substitute.Substituter, error) {
	keys, err := signature.ParseKeys(set.TrustedKeys)
	if err != nil {
		return nil, fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	mem := w.cacheMemory(set)
	warn := func(text string) { p.printf("warning: %s", text) }
	var sources []binarycache.Source
	for _, text := range set.Substituters {
		source, err := w.source(set, text, warn, set.connect())
		if err != nil {
			warn(fmt.Sprintf("the substituter '%s' is left out: %v", text, err))
			continue
		}
		if !set.SubstitutersGiven && mem != nil && mem.Unreachable(source.String()) {
			continue
		}
		sources = append(sources, source)
	}
	opts := w.substituteOptions(set, p)
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

// substituteOptions are those that do not depend on where objects come from.
func (w *world) substituteOptions(set *settings, p *progress) substitute.Options {
	return substitute.Options{
		Queries: max(set.Connections, 1),
		Jobs:    max(set.SubstitutionJobs, 1),
		Events: substitute.Events{
			Started: func(path storepath.Path, from string, size int64) {
				id := path.String()
				p.copying(id, path.Name(), fmt.Sprintf("copying path '%s' from '%s'...", id, from))
				p.received(id, 0, size)
			},
			Progress: func(path storepath.Path, done, total int64) { p.received(path.String(), done, max(total, 0)) },
			Finished: func(path storepath.Path, _ error) { p.finished(path.String()) },
			Warn:     func(text string) { p.printf("warning: %s", text) },
		},
	}
}

// source opens a substituter: a binary cache, or a store in a folder.
func (w *world) source(set *settings, text string, warn func(string), connect time.Duration) (binarycache.Source, error) {
	if binarycache.IsURL(text) {
		return w.openCache(set, text, warn, connect)
	}
	st, err := w.openStoreAt(text, store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	return binarycache.Objects{Local: st}, nil
}

// openCache opens the binary cache that a URL names.
func (w *world) openCache(set *settings, text string, warn func(string), connect time.Duration) (*binarycache.Cache, error) {
	config, err := binarycache.ParseURL(text)
	if err != nil {
		return nil, err
	}
	for _, name := range config.Unknown {
		warn(fmt.Sprintf("the parameter '%s' of '%s' means nothing here", name, config))
	}
	keys, err := w.secretKeys(config.SecretKeys)
	if err != nil {
		return nil, err
	}
	opts := binarycache.Options{
		Client:      &http.Client{Transport: w.transport(set, connect)},
		Agent:       "gonix/" + version,
		Connections: set.Connections,
		Keys:        keys,
		Patience: binarycache.Patience{
			Attempts: max(1, set.DownloadAttempts),
			Stall:    set.StalledTimeout,
			Backoff:  250 * time.Millisecond,
		},
		Secrets: binarycache.S3Secrets{
			AccessKey:       w.getenv("AWS_ACCESS_KEY_ID"),
			SecretKey:       w.getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    w.getenv("AWS_SESSION_TOKEN"),
			CredentialsFile: w.getenv("AWS_SHARED_CREDENTIALS_FILE"),
		},
	}
	if profile := w.getenv("AWS_PROFILE"); profile != "" && config.URL.Scheme == "s3" && !config.Params.Has("profile") {
		config.Params.Set("profile", profile)
	}
	if mem := w.cacheMemory(set); mem != nil {
		opts.Memory = mem
	}
	return binarycache.Open(config, opts)
}

// cacheMemory is where answers of caches are remembered; nil if the user has no
// folder for such things.
func (w *world) cacheMemory(set *settings) *memory.Disk {
	if w.caches.memory == nil {
		dir := w.getenv("XDG_CACHE_HOME")
		if !filepath.IsAbs(dir) {
			if w.getenv("HOME") == "" {
				return nil
			}
			dir = filepath.Join(w.getenv("HOME"), ".cache")
		}
		w.caches.memory = memory.New(filepath.Join(dir, "gonix", memory.FileName), memory.Options{
			Positive: set.PositiveTTL, Negative: set.NegativeTTL, Unreachable: unreachableFor, Now: time.Now,
		})
	}
	return w.caches.memory
}

// printFetches says what a plan fetches, as nix-build --dry-run does.
func printFetches(w *world, plan *build.Plan) {
	if len(plan.Fetches) == 0 {
		return
	}
	var download, unpacked int64
	for _, f := range plan.Fetches {
		download += f.DownloadSize
		unpacked += f.NarSize
	}
	sizes := fmt.Sprintf("(%s download, %s unpacked)", binarySize(download), binarySize(unpacked))
	if len(plan.Fetches) == 1 {
		fmt.Fprintf(w.stderr, "this path will be fetched %s:\n", sizes)
	} else {
		fmt.Fprintf(w.stderr, "these %d paths will be fetched %s:\n", len(plan.Fetches), sizes)
	}
	sorted := slices.Clone(plan.Fetches)
	slices.SortFunc(sorted, func(a, b build.Substitute) int {
		return cmp.Or(cmp.Compare(a.Path.Name(), b.Path.Name()), storepath.Compare(a.Path, b.Path))
	})
	for _, f := range sorted {
		fmt.Fprintf(w.stderr, "  %s\n", f.Path)
	}
}

// binarySize is a size as Nix shows it, in powers of 1024 from KiB up.
func binarySize(n int64) string {
	f, unit := float64(n)/1024, 0
	for f >= 1024 && unit < 5 {
		f, unit = f/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTPE"[unit])
}
