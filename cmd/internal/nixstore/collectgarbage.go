package nixstore

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

	"gonix/cmd/internal/config"
	"gonix/cmd/internal/process"
	"gonix/cmd/internal/stores"
	"gonix/derivation/store/gc"
	"gonix/derivation/store/profile"
)

// CollectGarbage is gonix collect-garbage, which is nix-collect-garbage:
// it deletes old generations of profiles, if asked to, and then all garbage.
func CollectGarbage(ctx context.Context, w *process.World, name string, args []string) error {
	f := &Flags{}
	var old, dry bool
	var older string
	fs := config.NewFlagSet(name)
	fs.BoolVarP(&old, "delete-old", "d", false, "delete all generations of profiles but the current ones before")
	fs.StringVar(&older, "delete-older-than", "", "delete generations that were replaced before this `period` (30d: 30 days)")
	fs.BoolVar(&dry, "dry-run", false, "delete nothing, say how much would be")
	fs.StringVar(&f.maxFreed, "max-freed", "", "stop after so many `bytes`")
	f.DeclareSettings(fs)
	fs.CountVarP(&f.Verbose, "verbose", "v", "say more")
	fs.BoolVar(&f.Quiet, "quiet", false, "show errors only")
	f.DeclareLast(fs)
	set, stop, err := config.Begin(w, f, fs, args, config.Usage{Forms: []string{"[FLAG]..."}, About: "Delete what nothing in the store needs."})
	if set == nil {
		return err
	}
	defer stop()
	switch {
	case len(f.Args) > 0:
		return errors.New("no arguments expected")
	case dry && f.maxFreed != "":
		return errors.New("options --max-freed and --dry-run cannot be combined")
	}
	opts := gc.Options{Action: gc.DeleteDead, MaxFreed: gc.Unlimited}
	if f.maxFreed != "" {
		if opts.MaxFreed, err = config.ByteCount(f.maxFreed); err != nil {
			return fmt.Errorf("'--max-freed': %w", err)
		}
	}
	var before time.Time
	if older != "" {
		if before, err = daysAgo(older, time.Now()); err != nil {
			return err
		}
	}
	x, shut, err := Open(ctx, w, f, set, false)
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
		return x.End(x.Collect(opts))
	}
	opts.Action = gc.ReturnDead
	opts.Bonds, opts.Info = stores.Bonds(x.Settings), x.Info
	result, err := gc.Collect(ctx, x.Store, opts)
	if err != nil {
		return err
	}
	fmt.Fprintf(x.Out, "%d store paths would be deleted\n", len(result.Paths))
	return x.End(nil)
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
func (x *Run) profileDirs() []string {
	dirs := []string{filepath.Join(x.Store.StateDir(), "profiles")}
	home := x.World.Home()
	if state := x.World.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		dirs = append(dirs, filepath.Join(state, "nix/profiles"))
	} else if home != "" {
		dirs = append(dirs, filepath.Join(home, ".local/state/nix/profiles"))
	}
	return slices.Compact(dirs)
}

func (x *Run) dropGenerations(before time.Time, dry bool) error {
	for _, dir := range x.profileDirs() {
		err := profile.Find(dir, func(name string) error {
			x.Info(fmt.Sprintf("removing old generations of profile %s", name))
			list, err := profile.Generations(name)
			if err != nil {
				return err
			}
			for _, g := range profile.Old(list, before) {
				if dry {
					x.Info(fmt.Sprintf("would remove profile version %d", g.Number))
					continue
				}
				x.Info(fmt.Sprintf("removing profile version %d", g.Number))
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
