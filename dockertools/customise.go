package dockertools

import (
	"context"
	"fmt"
	"strings"

	"gonix/dockertools/rootfs"
	"gonix/dockertools/tarball"
)

// Time that programs in scripts take for now, if they ask for it. A day after
// the epoch, so that what shadow writes as days is not zero, which would mean
// that a password must be changed at once.
const scriptTime = "86400"

// leftovers are backups and locks that account tools leave behind.
var leftovers = [...]string{
	"etc/.pwd.lock", "etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/subuid-", "etc/subgid-",
	"etc/passwd.lock", "etc/shadow.lock", "etc/group.lock", "etc/gshadow.lock",
}

// runtimeDirs are covered by mounts while a script runs, and in containers.
var runtimeDirs = []string{"dev", "proc", "sys", "nix/store"}

// customise returns the files of the layer that lie outside of the store.
func (a *assembly) customise(ctx context.Context) ([]tarball.Entry, error) {
	if a.spec.Layered {
		return a.customiseLayered(ctx)
	}
	copied := rootfs.NewTree()
	for _, item := range a.spec.Contents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fmt.Fprintf(a.job.Log, "copying %s to /\n", item)
		if err := a.contents().Copy(copied, item); err != nil {
			return nil, err
		}
	}
	switch {
	case a.spec.RunAsRoot != "":
		return a.runAsRoot(ctx, copied)
	case a.spec.ExtraCommands != "":
		var err error
		if copied, err = a.extraCommands(ctx, copied); err != nil {
			return nil, err
		}
	}
	copied.ChownRoot(a.spec.UID, a.spec.GID)
	if err := a.tree.Merge(copied); err != nil {
		return nil, err
	}
	return a.tree.Added(), nil
}

// runAsRoot runs the script with the image as its root directory, and
// extraCommands in it afterwards.
func (a *assembly) runAsRoot(ctx context.Context, copied *rootfs.Tree) ([]tarball.Entry, error) {
	if err := a.tree.Merge(copied); err != nil {
		return nil, err
	}
	for _, name := range append([]string{"nix"}, runtimeDirs...) {
		if e, ok := a.tree.Has(name); ok && e.Kind != tarball.Directory {
			return nil, fmt.Errorf("run runAsRoot: /%s of the image is a %s, not a directory", name, e.Kind)
		}
	}
	if err := a.tree.MakeDirectory("tmp", 0o1777); err != nil {
		return nil, err
	}
	owners, err := a.tree.Place(a.disk)
	if err != nil {
		return nil, err
	}
	root := a.disk.Path()
	env := []string{
		"PATH=" + strings.TrimPrefix(a.spec.Path+":/bin", ":"),
		"HOME=/root", "TMPDIR=/tmp", "SOURCE_DATE_EPOCH=" + scriptTime, "TZ=UTC", "LC_ALL=C",
	}
	owners, err = a.builder.run(ctx, a.job, a.spec, script{what: "runAsRoot", text: a.spec.RunAsRoot, root: root, dir: "/", env: env}, owners)
	if err == nil && a.spec.ExtraCommands != "" {
		owners, err = a.builder.run(ctx, a.job, a.spec, script{what: "extraCommands", text: a.spec.ExtraCommands, root: root, dir: "/", env: env}, owners)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range leftovers {
		if _, was := a.tree.Has(name); !was {
			if err := a.disk.Remove(name); err != nil {
				return nil, err
			}
		}
	}
	return a.tree.Changes(a.disk, owners, runtimeDirs)
}

// extraCommands runs the script in a directory that holds the contents alone,
// and returns what it made of them.
func (a *assembly) extraCommands(ctx context.Context, copied *rootfs.Tree) (*rootfs.Tree, error) {
	room, err := a.newRoom(copied)
	if err != nil {
		return nil, err
	}
	if err := room.run(ctx, script{what: "extraCommands", text: a.spec.ExtraCommands}); err != nil {
		return nil, err
	}
	entries, err := copied.Changes(room.disk, room.owners, nil)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		// What the commands made belongs to the user that the image is to have;
		// the contents do already.
		if e := &entries[i]; e.UID == 0 && e.GID == 0 {
			e.UID, e.GID = a.spec.UID, a.spec.GID
		}
	}
	return rootfs.FromEntries(entries)
}
