package dockertools

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// layerDir is where the scripts of a layer find it, and their home.
const (
	layerDir = "/build/layer"
	noHome   = "/homeless-shelter"
)

// room is a root directory for scripts that work on the files of a layer, which
// lies in it, and not on an image.
type room struct {
	a      *assembly
	root   string // physical
	disk   *rootfs.Disk
	owners rootfs.Owners
}

// newRoom places the files of tree where scripts can work on them.
func (a *assembly) newRoom(tree *rootfs.Tree) (*room, error) {
	r := &room{a: a, root: filepath.Join(workDir(a.job), "commands")}
	var err error
	if r.disk, err = a.newDisk("commands" + layerDir); err != nil {
		return nil, err
	}
	a.disk = r.disk
	if err := os.MkdirAll(filepath.Join(r.root, "tmp"), 0o700); err != nil {
		return nil, err
	}
	r.owners, err = tree.Place(r.disk)
	return r, err
}

// run runs s in the directory of the layer, as its owner.
func (r *room) run(ctx context.Context, s script) error {
	s.root, s.dir = r.root, layerDir
	s.env = []string{
		"PATH=" + r.a.spec.Path, "HOME=" + noHome, "TMPDIR=/tmp", "NIX_BUILD_TOP=/build", "NIX_STORE=/nix/store",
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", tarball.LayerTime), "TZ=UTC", "LC_ALL=C", "name=" + r.a.spec.Name,
	}
	var err error
	r.owners, err = r.a.builder.run(ctx, r.a.job, r.a.spec, s, r.owners)
	return err
}

// runInside runs s with the layer as its root directory.
func (r *room) runInside(ctx context.Context, s script) error {
	s.root, s.dir = r.disk.Path(), "/"
	s.env = []string{
		"PATH=" + r.a.spec.Path + ":/bin", "HOME=/root", "TMPDIR=/tmp", "NIX_STORE=/nix/store",
		"SOURCE_DATE_EPOCH=" + scriptTime, "TZ=UTC", "LC_ALL=C", "name=" + r.a.spec.Name,
	}
	var err error
	r.owners, err = r.a.builder.run(ctx, r.a.job, r.a.spec, s, r.owners)
	return err
}

// customiseLayered returns the files of the topmost layer of a layered image:
// links to the contents, and what the scripts make of them. Scripts see neither
// the base image nor, unless they ask for it, another root directory than that of
// a build.
func (a *assembly) customiseLayered(ctx context.Context) ([]tarball.Entry, error) {
	linked := rootfs.NewTree()
	for _, item := range a.spec.Contents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fmt.Fprintf(a.job.Log, "linking %s in /\n", item)
		if err := a.contents().Link(linked, item); err != nil {
			return nil, err
		}
	}
	if a.spec.ExtraCommands == "" && a.spec.FakeRootCommands == "" {
		if err := a.tree.Merge(linked); err != nil {
			return nil, err
		}
		return a.tree.Added(), nil
	}
	r, err := a.newRoom(linked)
	if err != nil {
		return nil, err
	}
	if a.spec.ExtraCommands != "" {
		if err := r.run(ctx, script{what: "extraCommands", text: a.spec.ExtraCommands}); err != nil {
			return nil, err
		}
	}
	var covered []string
	if a.spec.FakeRootCommands != "" {
		s := script{what: "fakeRootCommands", text: a.spec.FakeRootCommands}
		if a.spec.EnableFakechroot {
			covered = runtimeDirs
			err = r.runInside(ctx, s)
		} else {
			err = r.run(ctx, s)
		}
		if err != nil {
			return nil, err
		}
	}
	entries, err := linked.Changes(r.disk, r.owners, covered)
	if err != nil {
		return nil, err
	}
	changed, err := rootfs.FromEntries(entries)
	if err != nil {
		return nil, err
	}
	if err := a.tree.Merge(changed); err != nil {
		return nil, err
	}
	a.tree.Adopt(entries)
	return a.tree.Added(), nil
}
