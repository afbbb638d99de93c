package cli

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"gonix/derivation/build"
	"gonix/derivation/fetch"
	"gonix/derivation/nixhash"
	"gonix/derivation/sandbox"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools"
	"gonix/dockertools/rootfs"
	"gonix/eval/instantiate"
)

// builders says who carries out which derivations; shell is for those of them
// that need /bin/sh and do not say which.
func builders(w *world, set *settings, st *store.Local, shell string) map[string]build.Builder {
	var programs build.Builder = &sandbox.Builder{Shell: shell}
	images := imageBuilder{
		Builder: &dockertools.Builder{Run: runner(sandbox.RunInRoot), Now: time.Now},
		check:   sandbox.Check,
	}
	if !set.Sandbox {
		programs = sandbox.Direct{}
		images.Run, images.check = runner(sandbox.DirectInRoot), sandbox.CheckDirectInRoot
	}
	download := downloader(w, set, st)
	return map[string]build.Builder{
		"":                     programs,
		"builtin:fetchurl":     download,
		"builtin:unpack":       &fetch.Unpack{URL: download},
		"builtin:docker-image": images,
	}
}

// imageBuilder builds images. It knows before the first download whether the
// scripts of an image can run.
type imageBuilder struct {
	*dockertools.Builder
	check func(context.Context) error
}

// CheckJob finds out whether the scripts of the image can run on this machine.
func (b imageBuilder) CheckJob(ctx context.Context, job *build.Job) error {
	data, _ := job.Drv.Structured()
	spec, err := dockertools.ParseSpec(data)
	if err != nil || spec.RunAsRoot == "" && spec.ExtraCommands == "" {
		return nil // an error comes when it is the image's turn
	}
	return b.check(ctx)
}

// downloader fetches what derivations and expressions name by URL.
func downloader(w *world, set *settings, st *store.Local) *fetch.URL {
	return &fetch.URL{
		Client:  httpClient(set),
		Mirrors: &fetch.Mirrors{Override: w.mirrorOverride, First: aptMirrors()},
		Hashed:  set.HashedMirrors,
		Partial: filepath.Join(st.StateDir(), "gonix", "partial"),
	}
}

// fetcher is the instantiate.Fetcher of builtins.fetchurl and fetchTarball.
type fetcher struct {
	url *fetch.URL
	st  *store.Local
}

// Fetch implements instantiate.Fetcher.
func (f fetcher) Fetch(ctx context.Context, r instantiate.Request) (storepath.Path, nixhash.Hash, error) {
	return f.url.Add(ctx, f.st, fetch.Source{URL: r.URL, Name: r.Name, Unpack: r.Unpack, Want: r.Expected})
}

// httpClient honours the usual proxy variables.
func httpClient(set *settings) *fetch.Client {
	return &fetch.Client{
		HTTP: &http.Client{Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: set.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout: set.ConnectTimeout,
			MaxIdleConnsPerHost: 8,
			ForceAttemptHTTP2:   true,
		}},
		Attempts: max(1, set.DownloadAttempts),
		Stall:    set.StalledTimeout,
		Backoff:  250 * time.Millisecond,
	}
}

// runner makes a dockertools.Runner of what package sandbox has.
func runner(run func(context.Context, sandbox.RootCommand) (sandbox.OwnerTable, error)) dockertools.Runner {
	return func(ctx context.Context, c dockertools.RootCommand) (rootfs.Owners, error) {
		in := sandbox.RootCommand{Root: c.Root, Args: c.Args, Env: c.Env, Dir: c.Dir, Log: c.Log, Owners: sandbox.OwnerTable{}}
		for _, b := range c.Binds {
			in.Binds = append(in.Binds, sandbox.Bind(b))
		}
		for inode, o := range c.Owners {
			in.Owners[sandbox.Ino(inode)] = sandbox.Owner(o)
		}
		after, err := run(ctx, in)
		if err != nil {
			return nil, err
		}
		out := rootfs.Owners{}
		for inode, o := range after {
			out[rootfs.Inode(inode)] = rootfs.Owner(o)
		}
		return out, nil
	}
}
