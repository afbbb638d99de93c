// Package substitute makes objects valid in a local store that others have
// already: it asks binary caches (or other stores), believes those that a trusted
// key vouches for, and takes over the archives.
//
// What must hold: nothing is registered that is not what it claims to be. An
// object comes in only if it is signed by a trusted key or content-addressed, if
// its archive is well-formed and has the announced size and hash, and if all that
// it refers to is valid. Archives are streamed, and reading ends as soon as they
// are longer than announced.
//
// Sources are asked in the order of their priority. What one of them cannot
// deliver is taken from the next; one that cannot be reached is left alone for the
// rest of the run. (Nix: libstore/build/substitution-goal.cc and
// Store::queryMissing)
package substitute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gonix/derivation/binarycache"
	"gonix/derivation/build"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Events are told what goes on; each may be nil. Calls overlap.
type Events struct {
	Started  func(p storepath.Path, source string, downloadSize int64)
	Progress func(p storepath.Path, done, total int64) // downloaded bytes
	Finished func(p storepath.Path, err error)
	Warn     func(text string)
}

// Options say how objects are found and fetched.
type Options struct {
	Sources []binarycache.Source // asked in this order where priorities are equal
	Keys    signature.Keys
	// NoSignatures takes objects that nobody vouches for (Nix: require-sigs =
	// false).
	NoSignatures bool
	// Answer is how long a source may take to say what it is; 0 for no limit but
	// its own.
	Answer  time.Duration
	Queries int // questions at once; 0 means 25
	Jobs    int // archives at once; 0 means 16 (Nix: max-substitution-jobs)
	Events  Events
	// Unreachable is told of a source that could not be reached.
	Unreachable func(source string, err error)
}

// Substituter fetches objects into a store. Its methods may be called
// concurrently.
type Substituter struct {
	store *store.Local
	opts  Options
	slots gate

	start   sync.Once
	sources []*source // in the order in which they are asked

	mu     sync.Mutex
	offers map[storepath.Path][]offer
	failed map[storepath.Path]bool // Fetch could not get them
	// addresses are the content addresses that are known of paths.
	addresses map[storepath.Path]string
}

var _ build.Substituter = (*Substituter)(nil)

// source is one place with its state in this run.
type source struct {
	binarycache.Source
	priority int

	mu   sync.Mutex
	down bool
}

// offer is an object that a source has and that may be taken.
type offer struct {
	from *source
	info *narinfo.Info
}

// New returns a Substituter for a store.
func New(s *store.Local, opts Options) *Substituter {
	if opts.Queries <= 0 {
		opts.Queries = 25
	}
	if opts.Jobs <= 0 {
		opts.Jobs = 16
	}
	return &Substituter{
		store: s, opts: opts, slots: gate{free: opts.Jobs},
		offers: make(map[storepath.Path][]offer), failed: make(map[storepath.Path]bool),
		addresses: make(map[storepath.Path]string),
	}
}

func (s *Substituter) warn(format string, args ...any) {
	if s.opts.Events.Warn != nil {
		s.opts.Events.Warn(fmt.Sprintf(format, args...))
	}
}

// describer is a Source that says itself how early it wants to be asked.
type describer interface {
	Describe(ctx context.Context) (binarycache.Description, error)
}

// open asks all sources at once what they are.
func (s *Substituter) open(ctx context.Context) {
	s.start.Do(func() {
		var all sync.WaitGroup
		for _, from := range s.opts.Sources {
			src := &source{Source: from}
			s.sources = append(s.sources, src)
			d, ok := from.(describer)
			if !ok {
				continue
			}
			all.Go(func() {
				soon, cancel := ctx, context.CancelFunc(func() {})
				if s.opts.Answer > 0 {
					soon, cancel = context.WithTimeout(ctx, s.opts.Answer)
				}
				defer cancel()
				about, err := d.Describe(soon)
				if err != nil {
					s.drop(ctx, src, err)
				}
				src.priority = about.Priority
			})
		}
		all.Wait()
		slices.SortStableFunc(s.sources, func(a, b *source) int { return cmp.Compare(a.priority, b.priority) })
	})
}

// drop leaves a source alone from now on.
func (s *Substituter) drop(ctx context.Context, src *source, err error) {
	if ctx.Err() != nil {
		return
	}
	src.mu.Lock()
	first := !src.down
	src.down = true
	src.mu.Unlock()
	if first {
		s.warn("%v; going on without it", err)
		if s.opts.Unreachable != nil {
			s.opts.Unreachable(src.String(), err)
		}
	}
}

func (src *source) isDown() bool {
	src.mu.Lock()
	defer src.mu.Unlock()
	return src.down
}

// Find implements [build.Substituter].
func (s *Substituter) Find(ctx context.Context, paths []storepath.Path) (map[storepath.Path]build.Substitute, error) {
	s.open(ctx)
	found := make(map[storepath.Path]build.Substitute)
	missing := make(map[storepath.Path]bool)
	for wave := paths; len(wave) > 0; {
		valid, err := s.store.Valid(ctx, wave)
		if err != nil {
			return nil, err
		}
		var ask []storepath.Path
		for _, p := range wave {
			if _, ok := found[p]; ok || missing[p] {
				continue
			}
			if valid[p] {
				continue
			}
			found[p] = build.Substitute{}
			ask = append(ask, p)
		}
		wave = nil
		var mu sync.Mutex
		s.each(ctx, ask, func(p storepath.Path) {
			offers := s.offersOf(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			if len(offers) == 0 {
				missing[p] = true
				delete(found, p)
				return
			}
			info := offers[0].info
			found[p] = build.Substitute{Path: p, References: info.References, DownloadSize: info.FileSize, NarSize: info.NarSize}
			wave = append(wave, info.References...)
		})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	dropIncomplete(found, missing)
	return found, nil
}

// dropIncomplete removes what refers to something that is missing.
func dropIncomplete(found map[storepath.Path]build.Substitute, missing map[storepath.Path]bool) {
	referrers := make(map[storepath.Path][]storepath.Path)
	for p, sub := range found {
		for _, r := range sub.References {
			referrers[r] = append(referrers[r], p)
		}
	}
	var todo []storepath.Path
	for p := range missing {
		todo = append(todo, p)
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, r := range referrers[p] {
			if _, ok := found[r]; ok {
				delete(found, r)
				todo = append(todo, r)
			}
		}
	}
}

// each calls fn for the paths, several at once.
func (s *Substituter) each(ctx context.Context, paths []storepath.Path, fn func(storepath.Path)) {
	var group errgroup.Group
	group.SetLimit(s.opts.Queries)
	for _, p := range paths {
		group.Go(func() error {
			if ctx.Err() == nil {
				fn(p)
			}
			return nil
		})
	}
	group.Wait() // nothing fails
}

// offersOf asks the sources one after another until one has the object and may
// be believed.
func (s *Substituter) offersOf(ctx context.Context, p storepath.Path) []offer {
	s.mu.Lock()
	offers, known := s.offers[p]
	failed := s.failed[p]
	s.mu.Unlock()
	if failed {
		return nil
	}
	if known {
		return offers
	}
	for _, src := range s.sources {
		if info := s.query(ctx, src, p); info != nil {
			offers = append(offers, offer{src, info})
			break
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offers[p] = offers
	return offers
}

// query asks one source; nil says that it has nothing to be taken.
func (s *Substituter) query(ctx context.Context, src *source, p storepath.Path) *narinfo.Info {
	if src.isDown() {
		return nil
	}
	info, err := s.info(ctx, src, p)
	var unreadable *narinfo.FormatError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case errors.As(err, &unreadable):
		s.warn("ignoring the substitute for '%s' from '%s': %v", p, src, err)
		return nil
	case err != nil:
		s.drop(ctx, src, err)
		return nil
	}
	if err := s.check(src, info); err != nil {
		s.warn("ignoring the substitute for '%s' from '%s': %v", p, src, err)
		return nil
	}
	return info
}

// foreign is a Source that may be for stores with another directory than ours.
type foreign interface {
	Foreign() bool
	InfoOf(ctx context.Context, p storepath.Path, ca string) (*narinfo.Info, error)
}

// info asks a source about p, or about the object of that content.
func (s *Substituter) info(ctx context.Context, src *source, p storepath.Path) (*narinfo.Info, error) {
	f, ok := src.Source.(foreign)
	if !ok || !f.Foreign() {
		return src.Info(ctx, p)
	}
	s.mu.Lock()
	ca := s.addresses[p]
	s.mu.Unlock()
	return f.InfoOf(ctx, p, ca)
}

// Address implements [build.Substituter].
func (s *Substituter) Address(p storepath.Path, ca string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses[p] = ca
}
