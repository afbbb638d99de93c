package nix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/nixstore"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/binarycache"
	"gonix/derivation/narinfo"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/store/profile"
	"gonix/derivation/storepath"
	"gonix/derivation/substitute"
)

// copying is one run of gonix copy.
type copying struct {
	*run
	f           *flags
	to, from    string
	noCheckSigs bool
	recursive   bool
	noRecursive bool
	all         bool
	outLink     string
	profile     string

	source binarycache.Source
	here   *store.Local       // the source, if it is a store of this machine
	cache  *binarycache.Cache // where to, if that is a cache
	into   *store.Local       // where to, if not
	opened []*store.Local
}

// copyCommand copies objects between stores and binary caches.
func copyCommand(ctx context.Context, w *process.World, name string, args []string) error {
	c := &copying{}
	f, fs := newFlags(name, true, nil)
	f.usage = config.Usage{
		Forms: []string{"--to STORE [FLAG]... INSTALLABLE...", "--from STORE [FLAG]... INSTALLABLE..."},
		About: "Copy store paths, and all that they refer to, between stores and binary caches.\nAn INSTALLABLE is a store path or a link to one, DERIVATION^OUTPUT, or with --file\nor --expr an attribute, which is built first unless it is copied from elsewhere.",
	}
	fs.StringVar(&c.to, "to", "", "copy to this binary cache (file://, http://, https://, s3://) or store (a `folder`)")
	fs.StringVar(&c.from, "from", "", "copy from this binary `cache` or store")
	fs.BoolVar(&c.noCheckSigs, "no-check-sigs", false, "take what nobody has signed, too")
	fs.BoolVarP(&c.recursive, "recursive", "r", true, "copy what the paths refer to, too")
	fs.BoolVar(&c.noRecursive, "no-recursive", false, "copy the paths alone")
	fs.BoolVar(&c.all, "all", false, "copy everything")
	fs.StringVarP(&c.outLink, "out-link", "o", "", "`name` of links to what was copied")
	fs.StringVar(&c.profile, "profile", "", "make what was copied the next generation of this `profile`")
	fs.BoolP("substitute-on-destination", "s", false, "of no effect, as no other machine is asked to build")
	fs.Lookup("substitute-on-destination").Hidden = true
	set, stop, err := f.begin(w, fs, args)
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case c.to == "" && c.from == "":
		return config.SeeHelp(errors.New("say where to with '--to' or where from with '--from'"), name)
	case !c.all && len(f.Args) == 0 && !f.Stdin && f.file == "" && f.expr == "":
		return errors.New("name at least one store path")
	}
	f.foreign = true
	x, shut, err := c.start(ctx, w, f, set)
	if err != nil {
		return err
	}
	defer shut()
	c.f, c.run = f, x
	defer c.close()
	if err := c.open(); err != nil {
		return err
	}
	if c.into == nil && (c.outLink != "" || c.profile != "") {
		return errors.New("'--out-link' and '--profile' need a store of this machine to copy to")
	}
	list, paths, err := c.paths()
	if err != nil {
		return err
	}
	if c.cache != nil {
		return c.upload(ctx, paths)
	}
	if err := c.take(ctx, paths); err != nil {
		return err
	}
	return c.keep(list, paths)
}

// start opens the store of --store. Copying from one that is someone else's only
// reads it.
func (c *copying) start(ctx context.Context, w *process.World, f *flags, set *config.Settings) (*run, func(), error) {
	x, shut, err := f.open(ctx, w, set, false)
	if c.to == "" || !errors.Is(err, store.ErrReadOnly) {
		return x, shut, err
	}
	inner, shut, err := nixstore.OpenToRead(ctx, w, &f.Flags, set)
	return &run{Run: inner}, shut, err
}

func (c *copying) close() {
	for _, st := range c.opened {
		st.Close()
	}
}

// local opens a store of this machine.
func (c *copying) local(word string, readOnly bool) (*store.Local, error) {
	if word == "" {
		return c.Store, nil
	}
	st, err := stores.OpenAt(c.World, word, store.Options{ReadOnly: readOnly, Waiting: func(what string) { c.Progress.Printf("waiting for %s...", what) }})
	if err == nil {
		c.opened = append(c.opened, st)
	}
	return st, err
}

// open opens both ends; the store of --store is the one that is not named.
func (c *copying) open() (err error) {
	if binarycache.IsURL(c.from) {
		cache, err := c.Caches.Open(c.from, c.Settings.ConnectTimeout)
		if err != nil {
			return err
		}
		c.source = cache
	} else {
		if c.here, err = c.local(c.from, true); err != nil {
			return err
		}
		c.source = binarycache.Objects{Local: c.here}
	}
	if binarycache.IsURL(c.to) {
		c.cache, err = c.Caches.Open(c.to, c.Settings.ConnectTimeout)
		return err
	}
	c.into, err = c.local(c.to, false)
	return err
}

// paths are what the command line names: installables, which are built where they
// are in the store of --store, and their store paths.
func (c *copying) paths() ([]installable, []storepath.Path, error) {
	if c.all {
		if c.here == nil {
			return nil, nil, errors.New("'--all' is for copying from a store of this machine; name paths")
		}
		paths, err := c.here.All(c.Context)
		return nil, paths, err
	}
	list, err := c.installables(c.f)
	if err != nil {
		return nil, nil, err
	}
	if c.here == c.Store && !c.f.derivation {
		if err := c.buildAll(list); err != nil {
			return nil, nil, err
		}
	}
	paths, err := c.pathsOf(c.f, list)
	return list, paths, err
}

// keep makes links and the generation of a profile that keep what has come.
func (c *copying) keep(list []installable, paths []storepath.Path) error {
	if c.profile != "" {
		if len(paths) != 1 {
			return fmt.Errorf("'--profile' requires that the arguments produce a single store path, but there are %d", len(paths))
		}
		if err := profile.Advance(c.Context, c.into, c.World.Abs(c.profile), paths[0]); err != nil {
			return err
		}
	}
	if c.outLink == "" {
		return nil
	}
	return c.linkAll(c.into, list, c.World.Abs(c.outLink))
}

// infos is what the source knows of the paths and, unless they are copied alone,
// of all that they refer to.
func (c *copying) infos(ctx context.Context, paths []storepath.Path) ([]*narinfo.Info, error) {
	var infos []*narinfo.Info
	if !c.recursive || c.noRecursive {
		for _, p := range paths {
			info, err := c.source.Info(ctx, p)
			if err != nil {
				return nil, err
			}
			infos = append(infos, info)
		}
		return infos, nil
	}
	closure, err := binarycache.Closure(ctx, c.source, paths, max(c.Settings.Connections, 1))
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
	return c.cache.Upload(ctx, c.source, infos, runtime.NumCPU(), binarycache.UploadEvents{
		Started: func(i *narinfo.Info) {
			id := i.Path.String()
			c.Progress.Copying(id, i.Path.Name(), "", fmt.Sprint(c.cache))
		},
		Progress: func(p storepath.Path, done, total int64) { c.Progress.Received(p.String(), done, total) },
		Finished: func(p storepath.Path) { c.Progress.Ended(p.String(), true) },
	})
}

// take copies to a store of this machine.
func (c *copying) take(ctx context.Context, paths []storepath.Path) error {
	keys, err := signature.ParseKeys(c.Settings.TrustedKeys)
	if err != nil {
		return fmt.Errorf("setting 'trusted-public-keys': %w", err)
	}
	if !c.recursive || c.noRecursive {
		if err := c.referencesValid(ctx, paths); err != nil {
			return err
		}
	}
	opts := c.Caches.Options()
	opts.Sources, opts.Keys = []binarycache.Source{c.source}, keys
	if c.here != nil || strings.HasPrefix(c.source.String(), "file://") {
		// Nothing is waited for but this machine.
		opts.Jobs = min(opts.Jobs, runtime.NumCPU()+1)
	}
	_, query, _ := strings.Cut(c.to, "?")
	params, _ := url.ParseQuery(query)
	opts.NoSignatures = params.Get("require-sigs") == "false" || !c.Settings.RequireSigs || c.noCheckSigs
	failed := substitute.New(c.into, opts).Fetch(ctx, paths)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(failed) == 0 {
		return nil
	}
	c.Progress.Close()
	for _, p := range slices.SortedFunc(maps.Keys(failed), storepath.Compare) {
		// What only follows from another error says nothing new.
		if follows := (*substitute.ReferenceError)(nil); !errors.As(failed[p], &follows) {
			fmt.Fprintf(c.World.Stderr, "error: %v\n", failed[p])
		}
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
