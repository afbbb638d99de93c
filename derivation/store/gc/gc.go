package gc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Action says what is to be done about garbage.
type Action uint8

// What a collection can do.
const (
	DeleteDead     Action = iota // delete all garbage
	DeleteSpecific               // delete Options.Paths
	ReturnLive                   // only find out what is alive
	ReturnDead                   // only find out what is not
)

// Unlimited as MaxFreed means everything.
const Unlimited = math.MaxInt64

// Options say what to collect.
type Options struct {
	Action Action
	// Paths are what DeleteSpecific deletes: they must be dead, and what refers
	// to them must be among them.
	Paths []storepath.Path
	// IgnoreLiveness lets DeleteSpecific delete what permanent roots keep.
	IgnoreLiveness bool
	// MaxFreed is the number of bytes after which DeleteDead stops.
	MaxFreed int64
	Bonds    store.Bonds // keep-outputs, keep-derivations

	// Info is told what happens, a line a call; nil tells nobody.
	Info func(string)
}

// Result is what a collection has done or found.
type Result struct {
	Paths []string // deleted, live or dead paths and leftovers, sorted
	Freed int64    // bytes of disk
}

// Alive is the error about a path that cannot be deleted.
type Alive struct{ Path storepath.Path }

// Error says how to find out why.
func (e *Alive) Error() string {
	return fmt.Sprintf("Cannot delete path '%s' since it is still alive. To find out why, use: nix-store --query --roots and nix-store --query --referrers", e.Path)
}

// errEnough ends a collection that has freed as much as was asked for.
var errEnough = errors.New("enough is freed")

// collection is one run of Collect.
type collection struct {
	ctx  context.Context
	st   *store.Local
	opts Options

	snap   *store.Snapshot
	live   []bool // by object, as of the roots at the start
	guard  *guard
	result Result
}

// Collect runs the garbage collector. After an error, the result says what was
// done until then.
func Collect(ctx context.Context, st *store.Local, opts Options) (*Result, error) {
	c := &collection{ctx: ctx, st: st, opts: opts}
	if c.opts.Info == nil {
		c.opts.Info = func(string) {}
	}
	if opts.Action == DeleteSpecific && len(opts.Paths) == 0 {
		return &c.result, nil
	}
	deletes := opts.Action == DeleteDead || opts.Action == DeleteSpecific
	if deletes {
		if err := os.Remove(st.Reserved()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("collect garbage: %w", err)
		}
	}
	lock, err := st.LockCollector(ctx, true)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	listener, err := st.ListenCollector()
	if err != nil {
		return nil, err
	}
	c.guard = newGuard()
	stop := c.guard.serve(listener)
	defer stop()
	if err := c.findLive(); err != nil {
		return nil, err
	}
	if err := c.act(); err != nil && !errors.Is(err, errEnough) {
		c.finish()
		return &c.result, err
	}
	c.finish()
	if deletes {
		return &c.result, c.unusedLinks()
	}
	return &c.result, nil
}

// findLive finds the roots and marks what they reach.
func (c *collection) findLive() error {
	c.opts.Info("finding garbage collector roots...")
	var permanent []Root
	var err error
	if !c.opts.IgnoreLiveness {
		if err := c.dropStaleLinks(); err != nil {
			return err
		}
		if permanent, err = permanentRoots(c.st); err != nil {
			return err
		}
	}
	temporary, err := temporaryRoots(c.st, true)
	if err != nil {
		return err
	}
	for _, r := range temporary {
		c.guard.protect(r.Path.HashPart())
	}
	if c.snap, err = c.st.Snapshot(c.ctx); err != nil {
		return err
	}
	c.live = make([]bool, len(c.snap.Objects))
	var roots []int32
	for _, r := range slices.Concat(permanent, temporary) {
		if i, ok := c.snap.Index(r.Path); ok {
			roots = append(roots, i)
		}
	}
	c.snap.Live(c.bonds(), roots, c.live)
	return nil
}

// bonds are what counts besides references: specific paths are deleted whatever
// the settings say.
func (c *collection) bonds() store.Bonds {
	if c.opts.Action == DeleteSpecific {
		return store.Bonds{}
	}
	return c.opts.Bonds
}

func (c *collection) act() error {
	switch c.opts.Action {
	case ReturnLive, ReturnDead:
		c.opts.Info("determining live/dead paths...")
		for i := range c.snap.Objects {
			if c.live[i] == (c.opts.Action == ReturnLive) {
				c.result.Paths = append(c.result.Paths, c.snap.Objects[i].Path.String())
			}
		}
		if c.opts.Action == ReturnDead {
			return c.leftovers(func(name string) error {
				if _, err := storepath.FromBase(name); err == nil {
					c.result.Paths = append(c.result.Paths, storepath.Dir+"/"+name)
				}
				return nil
			})
		}
		return nil
	case DeleteSpecific:
		return c.deleteSpecific()
	}
	if c.opts.MaxFreed == 0 {
		return nil
	}
	c.opts.Info("deleting garbage...")
	return c.deleteDead()
}

// finish brings the result into its order.
func (c *collection) finish() {
	slices.Sort(c.result.Paths)
}

// leftovers calls each for what lies in the store directory without being valid
// or protected.
func (c *collection) leftovers(each func(name string) error) error {
	dir, err := os.Open(c.st.Dir())
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		if name == linksName {
			continue
		}
		if p, err := storepath.FromBase(name); err == nil {
			if _, known := c.snap.Index(p); known || c.guard.protects(p.HashPart()) {
				continue
			}
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := each(name); err != nil {
			return err
		}
	}
	return nil
}

// inUse reports whether a temporary directory of another process is locked.
func (c *collection) inUse(name string) bool {
	return strings.HasPrefix(name, "tmp-") && isLocked(c.st.Dir()+"/"+name)
}
