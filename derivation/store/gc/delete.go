package gc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// batchSize is how many objects leave the database in one transaction. A process
// that needs one of them waits for the whole batch.
const batchSize = 256

// deleteDead deletes all garbage, referrers first.
func (c *collection) deleteDead() error {
	var batch []int32
	var size int64
	flush := func() error {
		err := c.deleteBatch(batch)
		batch, size = batch[:0], 0
		return err
	}
	for _, i := range c.snap.ReferrersFirst() {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if c.live[i] {
			continue
		}
		if !c.guard.claim(c.snap.Objects[i].Path.HashPart()) {
			// It has become needed, with all that it needs; nothing of that is
			// deleted yet, as referrers go first.
			c.snap.Live(c.bonds(), []int32{i}, c.live)
			continue
		}
		batch = append(batch, i)
		size += c.snap.Objects[i].NarSize
		// Not more at once than may be freed.
		if len(batch) == batchSize || c.result.Freed+size > c.opts.MaxFreed {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return c.leftovers(c.deleteLeftover)
}

// deleteBatch deletes claimed objects, which follow each other with referrers
// first, from the database, then from the disk.
func (c *collection) deleteBatch(batch []int32) error {
	defer c.guard.release()
	if len(batch) == 0 {
		return nil
	}
	paths := make([]storepath.Path, len(batch))
	for n, i := range batch {
		paths[n] = c.snap.Objects[i].Path
	}
	err := c.st.Invalidate(c.ctx, paths...)
	if errors.Is(err, store.ErrInUse) {
		// Something registered meanwhile uses one of them: find out which.
		paths = c.invalidateEach(paths)
	} else if err != nil {
		return err
	}
	for _, p := range paths {
		c.opts.Info(fmt.Sprintf("deleting '%s'", p))
		c.result.Paths = append(c.result.Paths, p.String())
	}
	if err := c.removeAll(paths); err != nil {
		return err
	}
	return c.checkLimit()
}

func (c *collection) invalidateEach(paths []storepath.Path) []storepath.Path {
	var gone []storepath.Path
	for _, p := range paths {
		if c.st.Invalidate(c.ctx, p) == nil {
			gone = append(gone, p)
		}
	}
	return gone
}

// removeAll deletes the files of objects, several at once.
func (c *collection) removeAll(paths []storepath.Path) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for _, p := range paths {
		group.Go(func() error {
			freed, err := store.RemoveTree(c.st.RealPath(p))
			mu.Lock()
			defer mu.Unlock()
			c.result.Freed += freed
			return err
		})
	}
	return group.Wait()
}

func (c *collection) checkLimit() error {
	if c.result.Freed > c.opts.MaxFreed {
		c.opts.Info(fmt.Sprintf("deleted more than %d bytes; stopping", c.opts.MaxFreed))
		return errEnough
	}
	return nil
}

// deleteLeftover deletes something that is no valid object.
func (c *collection) deleteLeftover(name string) error {
	if c.inUse(name) {
		return nil
	}
	if p, err := storepath.FromBase(name); err == nil {
		if !c.guard.claim(p.HashPart()) {
			return nil
		}
		defer c.guard.release()
		// It may have been registered since the snapshot.
		if ok, err := c.st.IsValid(c.ctx, p); ok || err != nil {
			return err
		}
	}
	c.opts.Info(fmt.Sprintf("deleting '%s/%s'", storepath.Dir, name))
	c.result.Paths = append(c.result.Paths, storepath.Dir+"/"+name)
	freed, err := store.RemoveTree(filepath.Join(c.st.Dir(), name))
	c.result.Freed += freed
	if err != nil {
		return err
	}
	return c.checkLimit()
}

// deleteSpecific deletes the paths that were asked for, or says which of them is
// alive.
func (c *collection) deleteSpecific() error {
	asked := map[storepath.Path]bool{}
	for _, p := range c.opts.Paths {
		asked[p] = true
	}
	c.opts.MaxFreed = Unlimited
	referrers := c.snap.Referrers()
	gone := make([]bool, len(c.snap.Objects))
	for _, p := range c.opts.Paths {
		i, known := c.snap.Index(p)
		if !known {
			if c.guard.protects(p.HashPart()) {
				return &Alive{p}
			}
			if err := c.deleteLeftover(p.Base()); err != nil {
				return err
			}
			continue
		}
		group, ok := c.group(i, referrers, gone, asked)
		if !ok {
			return &Alive{p}
		}
		for _, j := range group {
			if !c.guard.claim(c.snap.Objects[j].Path.HashPart()) {
				c.guard.release()
				return &Alive{p}
			}
		}
		for _, j := range group {
			gone[j] = true
		}
		if err := c.deleteBatch(group); err != nil {
			return err
		}
	}
	return nil
}

// group returns object i with all that refers to it and is not gone, referrers
// first; false if one of them is alive or was not asked for.
func (c *collection) group(i int32, referrers [][]int32, gone []bool, asked map[storepath.Path]bool) ([]int32, bool) {
	if gone[i] {
		return nil, true
	}
	in := map[int32]bool{}
	for todo := []int32{i}; len(todo) > 0; {
		j := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if in[j] || gone[j] {
			continue
		}
		if c.live[j] || !asked[c.snap.Objects[j].Path] {
			return nil, false
		}
		in[j] = true
		todo = append(todo, referrers[j]...)
	}
	var group []int32
	for _, j := range c.snap.ReferrersFirst() {
		if in[j] {
			group = append(group, j)
		}
	}
	return group, true
}

const linksName = ".links"

// unusedLinks deletes the files in STORE/.links that nothing else links to, and
// says what the others save.
func (c *collection) unusedLinks() error {
	c.opts.Info("deleting unused links...")
	dir, err := os.Open(filepath.Join(c.st.Dir(), linksName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete unused links: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("delete unused links: %w", err)
	}
	var actual, unshared int64
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			continue
		}
		if st.Nlink != 1 {
			actual += st.Size
			unshared += int64(st.Nlink-1) * st.Size
			continue
		}
		if err := unix.Unlinkat(int(dir.Fd()), name, 0); err != nil && err != unix.ENOENT {
			return fmt.Errorf("delete unused links: %w", &os.PathError{Op: "unlink", Path: name, Err: err})
		}
	}
	var st unix.Stat_t
	overhead := int64(0)
	if unix.Fstat(int(dir.Fd()), &st) == nil {
		overhead = st.Blocks * 512
	}
	c.opts.Info(fmt.Sprintf("note: hard linking is currently saving %s", Size(unshared-actual-overhead)))
	return nil
}

// Size writes a number of bytes as Nix does: in KiB, MiB and so on.
func Size(n int64) string {
	value := float64(n) / 1024
	unit := 0
	for (value >= 1024 || value <= -1024) && unit < len("KMGTPEZY")-1 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPEZY"[unit])
}
