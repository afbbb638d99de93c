// Package cache has the commands about binary caches: copy, sign, key and serve.
package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/expression"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/cmd/internal/terminal"
	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

// copyFlags is the command line of gonix copy.
type copyFlags struct {
	expression.Flags
	to, from    string
	noCheckSigs bool
	recursive   bool
	noRecursive bool
	all         bool
}

// Copy copies objects between stores and binary caches.
func Copy(ctx context.Context, w *process.World, name string, args []string) error {
	f := &copyFlags{}
	fs := config.NewFlagSet(name)
	fs.StringVar(&f.to, "to", "", "copy to this binary cache (file://, http://, https://, s3://) or store (a `folder`)")
	fs.StringVar(&f.from, "from", "", "copy from this binary `cache` or store")
	fs.BoolVar(&f.noCheckSigs, "no-check-sigs", false, "take what nobody has signed, too")
	fs.BoolVarP(&f.recursive, "recursive", "r", true, "copy what the paths refer to, too")
	fs.BoolVar(&f.noRecursive, "no-recursive", false, "copy the paths alone")
	fs.BoolVar(&f.all, "all", false, "copy everything")
	fs.BoolVar(&f.Quiet, "quiet", false, "show errors only")
	f.DeclareSettings(fs)
	f.DeclareLast(fs)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{
		Forms: []string{"--to STORE [FLAG]... PATH...", "--from STORE [FLAG]... PATH..."},
		About: "Copy store paths, and all that they refer to, between stores and binary caches.\nA path may be a link to one, such as ./result.",
	})
	if set == nil {
		return err
	}
	defer stop()
	if f.to == "" && f.from == "" {
		return config.SeeHelp(errors.New("say where to with '--to' or where from with '--from'"), name)
	}
	p := f.Progress(w)
	p.Run()
	defer p.Close()
	c := &copying{w: w, f: f, set: set, p: p, caches: &network.Caches{World: w, Settings: set, Progress: p}}
	defer c.close()
	if err := c.open(); err != nil {
		return err
	}
	paths, err := c.paths(ctx)
	if err != nil {
		return err
	}
	if c.cache != nil {
		return c.upload(ctx, paths)
	}
	return c.take(ctx, paths)
}

// copying is one run of gonix copy.
type copying struct {
	w      *process.World
	f      *copyFlags
	set    *config.Settings
	p      *terminal.Progress
	caches *network.Caches

	from   binarycache.Source
	here   *store.Local       // the source, if it is a store of this machine
	cache  *binarycache.Cache // where to, if that is a cache
	into   *store.Local       // where to, if not
	opened []*store.Local
}

func (c *copying) close() {
	c.caches.Close()
	for _, st := range c.opened {
		st.Close()
	}
}

// local opens a store of this machine.
func (c *copying) local(word string, readOnly bool) (*store.Local, error) {
	st, err := stores.OpenAt(c.w, word, store.Options{ReadOnly: readOnly, Waiting: func(what string) { c.p.Printf("waiting for %s...", what) }})
	if err == nil {
		c.opened = append(c.opened, st)
	}
	return st, err
}

// open opens both ends; the store of --store is the one that is not named.
func (c *copying) open() (err error) {
	from, to := c.f.from, c.f.to
	if from == "" {
		from = c.f.Store
	}
	if to == "" {
		to = c.f.Store
	}
	if binarycache.IsURL(from) {
		cache, err := c.caches.Open(from, c.set.ConnectTimeout)
		if err != nil {
			return err
		}
		c.from = cache
	} else {
		if c.here, err = c.local(from, true); err != nil {
			return err
		}
		c.from = binarycache.Objects{Local: c.here}
	}
	if binarycache.IsURL(to) {
		c.cache, err = c.caches.Open(to, c.set.ConnectTimeout)
		return err
	}
	c.into, err = c.local(to, false)
	return err
}

// paths are the store paths that the command line names.
func (c *copying) paths(ctx context.Context) ([]storepath.Path, error) {
	if c.f.all {
		if c.here == nil {
			return nil, errors.New("'--all' is for copying from a store of this machine; name paths")
		}
		return c.here.All(ctx)
	}
	if len(c.f.Args) == 0 {
		return nil, errors.New("name at least one store path")
	}
	local := c.here
	if local == nil {
		local = c.into
	}
	var paths []storepath.Path
	for _, arg := range c.f.Args {
		p, err := stores.PathOf(c.w, local, arg)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// infos is what the source knows of the paths and, unless they are copied alone,
// of all that they refer to.
func (c *copying) infos(ctx context.Context, paths []storepath.Path) ([]*narinfo.Info, error) {
	var infos []*narinfo.Info
	if !c.f.recursive || c.f.noRecursive {
		for _, p := range paths {
			info, err := c.from.Info(ctx, p)
			if err != nil {
				return nil, err
			}
			infos = append(infos, info)
		}
		return infos, nil
	}
	closure, err := binarycache.Closure(ctx, c.from, paths, max(c.set.Connections, 1))
	if err != nil {
		return nil, err
	}
	for _, p := range slices.SortedFunc(maps.Keys(closure), storepath.Compare) {
		infos = append(infos, closure[p])
	}
	return infos, nil
}

// upload copies to a binary cache.
func (c *copying) upload(ctx context.Context, paths []storepath.Path) error {
	infos, err := c.infos(ctx, paths)
	if err != nil {
		return err
	}
	known := make(map[storepath.Path]bool, len(infos))
	for _, i := range infos {
		known[i.Path] = true
	}
	for _, i := range infos {
		for _, ref := range i.References {
			if known[ref] {
				continue
			}
			has, err := c.cache.Has(ctx, ref)
			if err != nil {
				return err
			}
			if !has {
				return fmt.Errorf("cannot add '%s' to the binary cache because the reference '%s' is not valid", i.Path, ref)
			}
			known[ref] = true
		}
	}
	return c.cache.Upload(ctx, c.from, infos, runtime.NumCPU(), binarycache.UploadEvents{
		Started: func(i *narinfo.Info) {
			id := i.Path.String()
			c.p.Copying(id, i.Path.Name(), fmt.Sprintf("copying path '%s' to '%s'...", id, c.cache))
		},
		Progress: func(p storepath.Path, done, total int64) { c.p.Received(p.String(), done, total) },
		Finished: func(p storepath.Path) { c.p.Finished(p.String()) },
	})
}

// take copies to a store of this machine.
func (c *copying) take(ctx context.Context, paths []storepath.Path) error {
	keys, err := signature.ParseKeys(c.set.TrustedKeys)
	if err != nil {
		return fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	if !c.f.recursive || c.f.noRecursive {
		if err := c.referencesValid(ctx, paths); err != nil {
			return err
		}
	}
	opts := c.caches.Options()
	opts.Sources, opts.Keys = []binarycache.Source{c.from}, keys
	if c.here != nil || strings.HasPrefix(c.from.String(), "file://") {
		// Nothing is waited for but this machine.
		opts.Jobs = min(opts.Jobs, runtime.NumCPU()+1)
	}
	opts.NoSignatures = !c.set.RequireSigs || c.f.noCheckSigs
	failed := substitute.New(c.into, opts).Fetch(ctx, paths)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(failed) == 0 {
		return nil
	}
	c.p.Close()
	for _, p := range slices.SortedFunc(maps.Keys(failed), storepath.Compare) {
		fmt.Fprintf(c.w.Stderr, "error: %v\n", failed[p])
	}
	return process.ErrReported
}

// referencesValid checks that paths can be copied alone.
func (c *copying) referencesValid(ctx context.Context, paths []storepath.Path) error {
	infos, err := c.infos(ctx, paths)
	if err != nil {
		return err
	}
	for _, i := range infos {
		for _, ref := range i.References {
			ok, err := c.into.IsValid(ctx, ref)
			if err != nil {
				return err
			}
			if !ok && !slices.Contains(paths, ref) {
				return fmt.Errorf("cannot copy '%s' alone because the reference '%s' is not valid in '%s'", i.Path, ref, c.into.Root())
			}
		}
	}
	return nil
}
