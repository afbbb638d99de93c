package stores

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// Follow returns the store path that arg names or lies in, through any links
// outside of the store. (Nix: followLinksToStorePath)
func Follow(w *process.World, st *store.Local, arg string) (storepath.Path, error) {
	file := w.Abs(arg)
	for range 100 {
		if p, _, err := storepath.Split(st.LogicalFile(file)); err == nil {
			return p, nil
		}
		target, err := os.Readlink(file)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(file), target)
		}
		file = filepath.Clean(target)
	}
	return storepath.Path{}, fmt.Errorf("path '%s' is not in the Nix store", w.Abs(arg))
}

// PathOf is the store path that an argument names, directly, by a file below
// it, or by a link that leads to it.
func PathOf(w *process.World, st *store.Local, arg string) (storepath.Path, error) {
	name := w.Abs(arg)
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
