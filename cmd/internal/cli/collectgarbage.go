package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonix/derivation/store/gc"
	"gonix/derivation/store/profile"
)

// collectGarbageCommand is gonix collect-garbage, which is nix-collect-garbage:
// it deletes old generations of profiles, if asked to, and then all garbage.
func collectGarbageCommand(ctx context.Context, w *world, name string, args []string) error {
	f := &storeFlags{}
	var old, dry bool
	var older string
	fs := newFlagSet(name)
	fs.BoolVarP(&old, "delete-old", "d", false, "delete all generations of profiles but the current ones before")
	fs.StringVar(&older, "delete-older-than", "", "delete generations that were replaced before this `period` (30d: 30 days)")
	fs.BoolVar(&dry, "dry-run", false, "delete nothing, say how much would be")
	fs.StringVar(&f.maxFreed, "max-freed", "", "stop after so many `bytes`")
	f.declareSettings(fs)
	fs.CountVarP(&f.verbose, "verbose", "v", "say more")
	fs.BoolVar(&f.quiet, "quiet", false, "show errors only")
	f.declareLast(fs)
	set, stop, err := begin(w, f, fs, args, usage{forms: []string{"[FLAG]..."}, about: "Delete what nothing in the store needs."})
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case len(f.args) > 0:
		return errors.New("no arguments expected")
	case dry && f.maxFreed != "":
		return errors.New("options --max-freed and --dry-run cannot be combined")
	}
	opts := gc.Options{Action: gc.DeleteDead, MaxFreed: gc.Unlimited}
	if f.maxFreed != "" {
		if opts.MaxFreed, err = byteCount(f.maxFreed); err != nil {
			return fmt.Errorf("'--max-freed': %w", err)
		}
	}
	var before time.Time
	if older != "" {
		if before, err = daysAgo(older, time.Now()); err != nil {
			return err
		}
	}
	x, shut, err := newStoreRun(ctx, w, f, set, false)
	if err != nil {
		return err
	}
	defer shut()
	if old || older != "" {
		if err := x.dropGenerations(before, dry); err != nil {
			return err
		}
	}
	if !dry {
		return x.end(x.collect(opts))
	}
	opts.Action = gc.ReturnDead
	opts.Bonds, opts.Info = bonds(x.set), x.info
	result, err := gc.Collect(ctx, x.st, opts)
	if err != nil {
		return err
	}
	fmt.Fprintf(x.out, "%d store paths would be deleted\n", len(result.Paths))
	return x.end(nil)
}

// daysAgo reads a period such as 30d.
func daysAgo(text string, now time.Time) (time.Time, error) {
	days, ok := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(days)
	if !ok || err != nil || n < 1 {
		return time.Time{}, fmt.Errorf("invalid number of days specifier '%s', expected something like '14d'", text)
	}
	return now.AddDate(0, 0, -n), nil
}

// profileDirs are where the profiles of the store and of this user lie.
func (x *storeRun) profileDirs() []string {
	dirs := []string{filepath.Join(x.st.StateDir(), "profiles")}
	home := x.w.getenv("HOME")
	if state := x.w.getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		dirs = append(dirs, filepath.Join(state, "nix/profiles"))
	} else if home != "" {
		dirs = append(dirs, filepath.Join(home, ".local/state/nix/profiles"))
	}
	return slices.Compact(dirs)
}

func (x *storeRun) dropGenerations(before time.Time, dry bool) error {
	for _, dir := range x.profileDirs() {
		err := profile.Find(dir, func(name string) error {
			x.info(fmt.Sprintf("removing old generations of profile %s", name))
			list, err := profile.Generations(name)
			if err != nil {
				return err
			}
			for _, g := range profile.Old(list, before) {
				if dry {
					x.info(fmt.Sprintf("would remove profile version %d", g.Number))
					continue
				}
				x.info(fmt.Sprintf("removing profile version %d", g.Number))
				if err := os.Remove(g.Path); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
