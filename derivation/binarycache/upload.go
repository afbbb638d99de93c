package binarycache

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"gonix/derivation/nar"
	"gonix/derivation/narinfo"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Source has objects that can be copied: a [Cache], or a store as [Objects].
type Source interface {
	String() string
	// Info returns what is known about the object at p; the error wraps
	// store.ErrNotFound if it is not there.
	Info(ctx context.Context, p storepath.Path) (*narinfo.Info, error)
	// Open returns the object's archive; see [Cache.Open].
	Open(ctx context.Context, info *narinfo.Info, progress func(done, total int64)) (io.ReadCloser, error)
}

var (
	_ Source = (*Cache)(nil)
	_ Source = Objects{}
)

// Objects is a store of this machine as a Source.
type Objects struct{ *store.Local }

// String is the folder of the store.
func (o Objects) String() string { return o.Root() }

// Info implements Source. References that are not valid cannot be.
func (o Objects) Info(ctx context.Context, p storepath.Path) (*narinfo.Info, error) {
	info, err := o.Local.Info(ctx, p)
	if err != nil {
		return nil, err
	}
	return &narinfo.Info{Info: *info, Compression: "none"}, nil
}

// Open implements Source.
func (o Objects) Open(_ context.Context, info *narinfo.Info, progress func(done, total int64)) (io.ReadCloser, error) {
	r, w := io.Pipe()
	out := io.Writer(w)
	if progress != nil {
		out = &reporter{w: w, total: info.NarSize, progress: progress}
	}
	go func() { w.CloseWithError(nar.Dump(out, o.RealPath(info.Path))) }()
	return r, nil
}

// reporter tells how much has been written.
type reporter struct {
	w           io.Writer
	done, total int64
	progress    func(done, total int64)
}

// Write implements io.Writer.
func (r *reporter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	r.done += int64(n)
	r.progress(r.done, r.total)
	return n, err
}

// Closure returns the paths and all that they refer to in the source, sorted,
// asking for up to jobs at once.
func Closure(ctx context.Context, from Source, paths []storepath.Path, jobs int) (map[storepath.Path]*narinfo.Info, error) {
	infos := make(map[storepath.Path]*narinfo.Info)
	wave := paths
	for len(wave) > 0 {
		var mu sync.Mutex
		var todo []storepath.Path
		for _, p := range wave {
			if _, seen := infos[p]; !seen {
				infos[p] = nil
				todo = append(todo, p)
			}
		}
		wave = nil
		err := each(ctx, todo, jobs, func(ctx context.Context, p storepath.Path) error {
			info, err := from.Info(ctx, p)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			infos[p] = info
			wave = append(wave, info.References...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return infos, nil
}

// each calls fn for all items, up to jobs at once; the first error ends all.
func each[T any](ctx context.Context, items []T, jobs int, fn func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(jobs, 1))
	for _, item := range items {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fn(ctx, item)
		})
	}
	return group.Wait()
}

// UploadEvents are told how an upload goes on; any of them may be nil. Calls
// overlap.
type UploadEvents struct {
	Started  func(info *narinfo.Info)
	Progress func(p storepath.Path, done, total int64) // of the uncompressed archive
	Finished func(p storepath.Path)
}

// Upload copies objects into the cache; all that they refer to is among them or
// there already. Up to jobs archives are compressed at once, the largest first.
// An object is published when all that it refers to is.
func (c *Cache) Upload(ctx context.Context, from Source, infos []*narinfo.Info, jobs int, events UploadEvents) error {
	if err := c.Begin(ctx); err != nil {
		return err
	}
	if c.codec.name == "xz" && c.config.Parallel {
		jobs = 1 // each uses all processors, and much memory
	}
	missing, err := c.missing(ctx, infos)
	if err != nil {
		return err
	}
	published := make(map[storepath.Path]chan struct{}, len(missing))
	for _, info := range missing {
		published[info.Path] = make(chan struct{})
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var publishers sync.WaitGroup
	err = each(ctx, missing, jobs, func(_ context.Context, info *narinfo.Info) error {
		if events.Started != nil {
			events.Started(info)
		}
		n, err := c.Archive(ctx, &info.Info, func(w io.Writer) error { return transfer(ctx, from, info, w, events.Progress) })
		if events.Finished != nil {
			events.Finished(info.Path)
		}
		if err != nil {
			cancel(err)
			return err
		}
		publishers.Go(func() {
			if err := c.publishAfter(ctx, n, published); err != nil {
				cancel(err)
				return
			}
			close(published[n.Path])
		})
		return nil
	})
	publishers.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	return err
}

// publishAfter waits for the objects that n refers to.
func (c *Cache) publishAfter(ctx context.Context, n *narinfo.Info, published map[storepath.Path]chan struct{}) error {
	for _, ref := range n.References {
		done, ok := published[ref]
		if !ok || ref == n.Path {
			continue
		}
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return c.Publish(ctx, n)
}

// missing returns what the cache does not have yet, the largest first.
func (c *Cache) missing(ctx context.Context, infos []*narinfo.Info) ([]*narinfo.Info, error) {
	var mu sync.Mutex
	var list []*narinfo.Info
	err := each(ctx, infos, max(cap(c.slots), 8), func(ctx context.Context, info *narinfo.Info) error {
		has, err := c.Has(ctx, info.Path)
		if err != nil || has {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		list = append(list, info)
		return nil
	})
	slices.SortFunc(list, func(a, b *narinfo.Info) int {
		return cmp.Or(cmp.Compare(b.NarSize, a.NarSize), storepath.Compare(a.Path, b.Path))
	})
	return list, err
}

// transfer writes the archive of an object to w.
func transfer(ctx context.Context, from Source, info *narinfo.Info, w io.Writer, progress func(storepath.Path, int64, int64)) error {
	if progress != nil {
		w = &reporter{w: w, total: info.NarSize, progress: func(done, total int64) { progress(info.Path, done, total) }}
	}
	if local, ok := from.(Objects); ok {
		return nar.Dump(w, local.RealPath(info.Path))
	}
	r, err := from.Open(ctx, info, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, &limited{r, info.NarSize, errTooLong})
	if err == nil && n < info.NarSize {
		err = errors.New("the archive is too short")
	}
	return err
}
