package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

// copyFlags is the command line of gonix copy.
type copyFlags struct {
	evalFlags
	to, from    string
	noCheckSigs bool
	recursive   bool
	noRecursive bool
	all         bool
	quiet       bool
}

// copyCommand copies objects between stores and binary caches.
func copyCommand(ctx context.Context, w *world, name string, args []string) error {
	f := &copyFlags{}
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringVar(&f.to, "to", "", "copy to this binary cache (file://, http://, https://, s3://) or store (a `folder`)")
	fs.StringVar(&f.from, "from", "", "copy from this binary `cache` or store")
	fs.BoolVar(&f.noCheckSigs, "no-check-sigs", false, "take what nobody has signed, too")
	fs.BoolVarP(&f.recursive, "recursive", "r", true, "copy what the paths refer to, too")
	fs.BoolVar(&f.noRecursive, "no-recursive", false, "copy the paths alone")
	fs.BoolVar(&f.all, "all", false, "copy everything")
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	f.declareSettings(fs)
	f.declareLast(fs)
	if err := f.parse(fs, args); err != nil {
		return fmt.Errorf("%w\nTry '%s --help' for more information.", err, name)
	}
	if f.help {
		fmt.Fprintf(w.stdout, "Usage: %s --to STORE | --from STORE [FLAG]... PATH...\n\nCopy store paths, and all that they refer to, between stores and binary caches.\nA path may be a link to one, such as ./result.\n\n%s", name, fs.FlagUsages())
		return nil
	}
	if f.to == "" && f.from == "" {
		return fmt.Errorf("say where to with '--to' or where from with '--from'\nTry '%s --help' for more information.", name)
	}
	set, err := w.loadSettings(name)
	if err != nil {
		return err
	}
	if err := f.apply(&set, w.warn); err != nil {
		return err
	}
	stop, err := f.profile()
	if err != nil {
		return err
	}
	defer stop()
	p := newProgress(w.stderr, w.terminal && !f.quiet, w.width)
	p.quiet = f.quiet
	p.run()
	defer p.close()
	c := &copying{w: w, f: f, set: &set, p: p}
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
	w   *world
	f   *copyFlags
	set *settings
	p   *progress

	from   binarycache.Source
	here   *store.Local       // the source, if it is a store of this machine
	cache  *binarycache.Cache // where to, if that is a cache
	into   *store.Local       // where to, if not
	opened []*store.Local
}

func (c *copying) close() {
	for _, st := range c.opened {
		st.Close()
	}
}

func (c *copying) warn(text string) { c.p.printf("warning: %s", text) }

// local opens a store of this machine.
func (c *copying) local(word string, readOnly bool) (*store.Local, error) {
	st, err := c.w.openStoreAt(word, store.Options{ReadOnly: readOnly, Waiting: func(what string) { c.p.printf("waiting for %s...", what) }})
	if err == nil {
		c.opened = append(c.opened, st)
	}
	return st, err
}

// open opens both ends; the store of --store is the one that is not named.
func (c *copying) open() (err error) {
	from, to := c.f.from, c.f.to
	if from == "" {
		from = c.f.store
	}
	if to == "" {
		to = c.f.store
	}
	if binarycache.IsURL(from) {
		cache, err := c.w.openCache(c.set, from, c.warn, c.set.ConnectTimeout)
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
		c.cache, err = c.w.openCache(c.set, to, c.warn, c.set.ConnectTimeout)
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
	if len(c.f.files) == 0 {
		return nil, errors.New("name at least one store path")
	}
	local := c.here
	if local == nil {
		local = c.into
	}
	var paths []storepath.Path
	for _, arg := range c.f.files {
		p, err := c.w.storePathOf(local, arg)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// storePathOf is the store path that an argument names, directly, by a file below
// it, or by a link that leads to it.
func (w *world) storePathOf(st *store.Local, arg string) (storepath.Path, error) {
	name := w.abs(arg)
	logical := func(file string) string {
		if st == nil {
			return file
		}
		return st.LogicalFile(file)
	}
	if p, _, err := storepath.Split(logical(name)); err == nil {
		return p, nil
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return storepath.Path{}, err
	}
	if p, _, err := storepath.Split(logical(real)); err == nil {
		return p, nil
	}
	// A link into another store than the one at hand.
	if at := strings.LastIndex(real, storepath.Dir+"/"); at >= 0 {
		if p, _, err := storepath.Split(real[at:]); err == nil {
			return p, nil
		}
	}
	return storepath.Path{}, fmt.Errorf("'%s' is not in the store", arg)
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
			c.p.copying(id, i.Path.Name(), fmt.Sprintf("copying path '%s' to '%s'...", id, c.cache))
		},
		Progress: func(p storepath.Path, done, total int64) { c.p.received(p.String(), done, total) },
		Finished: func(p storepath.Path) { c.p.finished(p.String()) },
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
	opts := c.w.substituteOptions(c.set, c.p)
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
	c.p.close()
	for _, p := range slices.SortedFunc(maps.Keys(failed), storepath.Compare) {
		fmt.Fprintf(c.w.stderr, "error: %v\n", failed[p])
	}
	return errReported
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
