package realise

import (
	"context"
	"path/filepath"
	"time"

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/network"
	"gonix/cmd/internal/process"
	"gonix/derivation/build"
	"gonix/derivation/fetch"
	"gonix/derivation/sandbox"
	"gonix/derivation/store"
	"gonix/dockertools"
	"gonix/dockertools/image"
	"gonix/dockertools/layercache"
	"gonix/dockertools/rootfs"
)

// builders says who carries out which derivations; shell is for those of them
// that need /bin/sh and do not say which.
func builders(w *process.World, set *config.Settings, st *store.Local, shell string) map[string]build.Builder {
	var programs build.Builder = &sandbox.Builder{Shell: shell}
	images := imageBuilder{
		Builder: &dockertools.Builder{Run: runner(sandbox.RunInRoot), Now: time.Now},
		check:   sandbox.Check,
	}
	if set.ImageLayerCacheSize > 0 {
		images.Layers = layercache.New(filepath.Join(network.CacheDir(w, st), "layers"), set.ImageLayerCacheSize, time.Now)
	}
	if !set.Sandbox {
		programs = sandbox.Direct{}
		images.Run, images.check = runner(sandbox.DirectInRoot), sandbox.CheckDirectInRoot
	}
	download := network.Downloader(w, set, st)
	return map[string]build.Builder{
		"":                     programs,
		"builtin:fetchurl":     download,
		"builtin:unpack":       &fetch.Unpack{URL: download},
		"builtin:docker-image": images,
		"builtin:docker-merge": dockertools.Merger{},
		"builtin:docker-pull": &dockertools.Puller{Pull: func(ctx context.Context, r dockertools.PullRequest) (*image.Image, error) {
			return network.Registry(w, set, r.Insecure).Pull(ctx, r.Reference, r.Platform)
		}},
		"builtin:docker-export": dockertools.Exporter{},
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
	if err != nil || spec.RunAsRoot == "" && spec.ExtraCommands == "" && spec.FakeRootCommands == "" {
		return nil // an error comes when it is the image's turn
	}
	return b.check(ctx)
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
