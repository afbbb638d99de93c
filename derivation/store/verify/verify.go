// Package verify finds out whether a store is what its database says, and mends
// it: objects that have disappeared, content that has changed, links in
// STORE/.links that have. (Nix: LocalStore::verifyStore)
package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Options say how to verify.
type Options struct {
	CheckContents bool
	// Repair makes an object anew whose content is lost or has changed; nil only
	// reports it.
	Repair func(context.Context, storepath.Path) error

	Info  func(string) // told what is being done
	Error func(string) // told what is wrong
}

// verification is one run.
type verification struct {
	Options
	ctx    context.Context
	st     *store.Local
	errors bool
	exists map[string]bool
	done   map[storepath.Path]bool
	valid  map[storepath.Path]bool
	order  []storepath.Path // of valid
}

// Run verifies the store and reports whether errors remain. Objects that have
// disappeared and that nothing needs are taken out of the database.
func Run(ctx context.Context, st *store.Local, opts Options) (wrong bool, err error) {
	v := &verification{Options: opts, ctx: ctx, st: st, done: map[storepath.Path]bool{}, valid: map[storepath.Path]bool{}}
	v.Info("reading the Nix store...")
	// A collection would make objects disappear under us.
	lock, err := st.LockCollector(ctx, false)
	if err != nil {
		return false, err
	}
	defer func() { lock.Close() }()
	if err := v.list(); err != nil {
		return false, err
	}
	v.Info("checking path existence...")
	all, err := st.All(ctx)
	if err != nil {
		return false, err
	}
	for _, p := range all {
		if err := v.existence(p); err != nil {
			return false, err
		}
	}
	if !opts.CheckContents {
		return v.errors, nil
	}
	v.Info("checking link hashes...")
	if err := v.links(); err != nil {
		return false, err
	}
	v.Info("checking store hashes...")
	err = v.contents()
	return v.errors, err
}

func (v *verification) list() error {
	entries, err := os.ReadDir(v.st.Dir())
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	v.exists = make(map[string]bool, len(entries))
	for _, e := range entries {
		v.exists[e.Name()] = true
	}
	return nil
}

// existence looks whether p is there; if not, it leaves the database with all
// that refers to it, as far as that is gone, too.
func (v *verification) existence(p storepath.Path) error {
	if v.done[p] {
		return nil
	}
	v.done[p] = true
	if v.exists[p.Base()] {
		v.valid[p] = true
		v.order = append(v.order, p)
		return nil
	}
	// It may have been added after the directory was read.
	if _, err := os.Lstat(v.st.RealPath(p)); err == nil {
		v.valid[p] = true
		v.order = append(v.order, p)
		return nil
	}
	referrers, err := v.st.Referrers(v.ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	needed := false
	for _, r := range referrers {
		if r == p {
			continue
		}
		if err := v.existence(r); err != nil {
			return err
		}
		needed = needed || v.valid[r]
	}
	if !needed {
		v.Info(fmt.Sprintf("path '%s' disappeared, removing from database...", p))
		return v.st.Invalidate(v.ctx, p)
	}
	v.Error(fmt.Sprintf("path '%s' disappeared, but it still has valid referrers!", p))
	v.mend(p)
	return nil
}

// mend repairs p, or notes that it is damaged.
func (v *verification) mend(p storepath.Path) {
	if v.Repair == nil {
		v.errors = true
		return
	}
	if err := v.Repair(v.ctx, p); err != nil {
		v.Error(err.Error())
		v.errors = true
	}
}

// links checks that each file in STORE/.links has the content that its name says.
func (v *verification) links() error {
	dir := filepath.Join(v.st.Dir(), ".links")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the links: %w", err)
	}
	got := make([]string, len(entries))
	v.parallel(len(entries), func(i int) {
		scan, err := store.ScanAndHash(v.ctx, filepath.Join(dir, entries[i].Name()), nil)
		switch {
		case err == nil:
			got[i] = scan.NarHash.Base32()
		case errors.Is(err, fs.ErrNotExist):
			got[i] = entries[i].Name()
		default:
			got[i] = err.Error()
		}
	})
	if err := v.ctx.Err(); err != nil {
		return err
	}
	for i, e := range entries {
		if got[i] == e.Name() {
			continue
		}
		link := filepath.Join(dir, e.Name())
		v.Error(fmt.Sprintf("link '%s' was modified! expected hash %s, got '%s'", link, e.Name(), got[i]))
		if v.Repair == nil {
			v.errors = true
			continue
		}
		if err := os.Remove(link); err != nil {
			return err
		}
		v.Info(fmt.Sprintf("removed link '%s'", link))
	}
	return nil
}

// contents hashes all objects, several at once, and then says which of them have
// changed.
func (v *verification) contents() error {
	infos := make([]*store.Info, len(v.order))
	scans := make([]store.Scan, len(v.order))
	failed := make([]error, len(v.order))
	v.parallel(len(v.order), func(i int) {
		info, err := v.st.Info(v.ctx, v.order[i])
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if err == nil {
			infos[i] = info
			scans[i], err = store.ScanAndHash(v.ctx, v.st.RealPath(v.order[i]), nil)
		}
		failed[i] = err
	})
	if err := v.ctx.Err(); err != nil {
		return err
	}
	for i, p := range v.order {
		switch {
		case failed[i] != nil && infos[i] == nil:
			return failed[i]
		case infos[i] == nil: // gone
		case failed[i] != nil:
			v.Error(fmt.Sprintf("path '%s' cannot be read: %v", p, failed[i]))
			v.mend(p)
		case !scans[i].NarHash.Equal(infos[i].NarHash):
			v.Error(Modified(infos[i], scans[i]))
			v.mend(p)
		case infos[i].NarSize != scans[i].NarSize:
			v.Info(fmt.Sprintf("updating size field on '%s' to %d", p, scans[i].NarSize))
			infos[i].NarSize = scans[i].NarSize
			if err := v.st.Register(v.ctx, []store.Info{*infos[i]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Modified words what is wrong with an object whose content has changed.
func Modified(info *store.Info, scan store.Scan) string {
	return fmt.Sprintf("path '%s' was modified! expected hash '%s', got '%s'", info.Path, info.NarHash.Prefixed32(), scan.NarHash.Prefixed32())
}

// parallel calls work for 0 to n-1 on all processors, until the context ends.
func (v *verification) parallel(n int, work func(i int)) {
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	for i := range n {
		group.Go(func() error {
			if v.ctx.Err() == nil {
				work(i)
			}
			return nil
		})
	}
	group.Wait() // nothing fails
}

// Contents hashes objects, several at once, and says what is wrong with those
// whose content is not what was registered.
func Contents(ctx context.Context, st *store.Local, paths []storepath.Path) ([]string, error) {
	var wrong []string
	v := &verification{
		Options: Options{CheckContents: true, Info: func(string) {}, Error: func(text string) { wrong = append(wrong, text) }},
		ctx:     ctx, st: st, order: paths,
	}
	err := v.contents()
	return wrong, err
}
