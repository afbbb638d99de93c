//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// RunInRoot runs a program as user 0 of a directory tree, without a network,
// and returns to whom the files in the tree belong afterwards. Programs may
// chown, make devices and set permissions; see [Owner] and [OwnerTable] for
// what comes of it. Becoming another user is refused with EPERM and a line in
// the log.
//
// The error is an [build.ExitError] if the program failed.
func RunInRoot(ctx context.Context, c RootCommand) (OwnerTable, error) {
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, p, c.Log)
	if err != nil {
		return nil, explain(err)
	}
	return c.finish(out)
}

// plan says what init has to do.
func (c *RootCommand) plan() (*plan, error) {
	if len(c.Args) == 0 || !filepath.IsAbs(c.Args[0]) {
		return nil, errors.New("run in a root directory: the program must be an absolute path")
	}
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return nil, err
	}
	p := &plan{
		Root: root, InPlace: true, Record: true,
		Args: c.Args, Path: c.Args[0], Env: c.Env, Dir: c.Dir,
	}
	if p.Dir == "" {
		p.Dir = "/"
	}
	for _, b := range c.Binds {
		p.Binds = append(p.Binds, mount{Source: b.Source, Target: b.Target})
	}
	for ino, o := range c.Owners {
		p.Owners = append(p.Owners, ownerEntry{ino.Dev, ino.Ino, o})
	}
	slices.SortFunc(p.Binds, func(a, b mount) int { return strings.Compare(a.Target, b.Target) })
	return p, nil
}

// finish tells what the program did.
func (c *RootCommand) finish(out outcome) (OwnerTable, error) {
	for _, n := range out.Notes {
		fmt.Fprintf(c.Log, "warning: %s\n", n)
	}
	if err := out.failure(); err != nil {
		return nil, err
	}
	owners := make(OwnerTable, len(out.Owners))
	for _, e := range out.Owners {
		owners[Ino{e.Dev, e.Ino}] = e.Owner
	}
	return owners, nil
}
