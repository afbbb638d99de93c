// Package profile keeps profiles: it adds generations, and finds the old ones that
// may be deleted. A profile is a link NAME to one of the links NAME-1-link,
// NAME-2-link and so on beside it, each of which is a root of the garbage
// collector. (Nix: libstore/profiles.cc)
package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Generation is one state of a profile.
type Generation struct {
	Number  int
	Path    string // of the link
	Created time.Time
	Current bool
}

// Generations returns the generations of the profile, the oldest first.
func Generations(profile string) ([]Generation, error) {
	dir, name := filepath.Split(profile)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	current, err := os.Readlink(profile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	var list []Generation
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), name+"-")
		if !ok {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, "-link"); !ok {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read profile: %w", err)
		}
		list = append(list, Generation{n, filepath.Join(dir, e.Name()), info.ModTime(), filepath.Base(current) == e.Name()})
	}
	slices.SortFunc(list, func(a, b Generation) int { return cmp.Compare(a.Number, b.Number) })
	return list, nil
}

// Old returns which generations go: all but the current one, or with a time those
// that had been replaced by then, so that the state of then can be gone back to.
func Old(list []Generation, before time.Time) []Generation {
	var old []Generation
	past := before.IsZero()
	for _, g := range slices.Backward(list) {
		if !past {
			past = g.Created.Before(before) // it was in use then, and stays
			continue
		}
		if !g.Current {
			old = append(old, g)
		}
	}
	return old
}

// Find calls each for every profile in dir and below: every link to something
// whose name holds "link". A directory that is not there has none.
func Find(dir string, each func(profile string) error) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Type() != fs.ModeSymlink {
			return nil
		}
		if target, err := os.Readlink(path); err == nil && strings.Contains(target, "link") {
			return each(path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("find profiles: %w", err)
	}
	return nil
}
