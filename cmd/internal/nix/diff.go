package nix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"gonix/cmd/internal/process"
	"gonix/derivation/store/gc"
	"gonix/derivation/storepath"
)

// versions are the paths of a closure by their names without and with versions.
type versions map[string]map[string][]storepath.Path

// outputSuffix is what an output's name looks like at the end of a path's name.
var outputSuffix = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(.*)-([a-z]+|lib32|lib64)$`)
})

// splitVersion takes a name apart before the first dash that no letter follows.
// (Nix: DrvName)
func splitVersion(name string) (string, string) {
	for i := 0; i+1 < len(name); i++ {
		c := name[i+1]
		if name[i] == '-' && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

func (x *run) versionsOf(p storepath.Path) (versions, error) {
	closure, err := x.Store.Closure(x.Context, p)
	if err != nil {
		return nil, err
	}
	v := versions{}
	for _, c := range closure {
		name := c.Name()
		if m := outputSuffix().FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		base, version := splitVersion(name)
		if v[base] == nil {
			v[base] = map[string][]storepath.Path{}
		}
		v[base][version] = append(v[base][version], c)
	}
	return v, nil
}

func (x *run) versionsSize(byVersion map[string][]storepath.Path) (int64, error) {
	var sum int64
	for _, paths := range byVersion {
		for _, p := range paths {
			info, err := x.Store.Info(x.Context, p)
			if err != nil {
				return 0, err
			}
			sum += info.NarSize
		}
	}
	return sum, nil
}

// minDelta is the difference in size from which on it is shown.
const minDelta = 8 << 10

// storeDiff is nix store diff-closures.
func storeDiff(ctx context.Context, w *process.World, name string, args []string) error {
	return storeCommand(ctx, w, name, args, true, nil, func(x *run, f *flags) error {
		list, err := x.installables(f)
		if err != nil {
			return err
		}
		if err := x.buildAll(list); err != nil {
			return err
		}
		paths, err := x.pathsOf(f, list)
		if err != nil {
			return err
		}
		if len(paths) != 2 {
			return errors.New("two paths are needed, before and after")
		}
		x.Progress.Close()
		before, err := x.versionsOf(paths[0])
		if err != nil {
			return err
		}
		after, err := x.versionsOf(paths[1])
		if err != nil {
			return err
		}
		names := slices.Sorted(maps.Keys(before))
		names = append(names, slices.Sorted(maps.Keys(after))...)
		slices.Sort(names)
		for _, n := range slices.Compact(names) {
			if err := x.printDifference(n, before[n], after[n]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *run) printDifference(name string, before, after map[string][]storepath.Path) error {
	sizeBefore, err := x.versionsSize(before)
	if err != nil {
		return err
	}
	sizeAfter, err := x.versionsSize(after)
	if err != nil {
		return err
	}
	delta := sizeAfter - sizeBefore
	var removed, added []string
	for v := range before {
		if after[v] == nil {
			removed = append(removed, v)
		}
	}
	for v := range after {
		if before[v] == nil {
			added = append(added, v)
		}
	}
	var items []string
	if len(removed)+len(added) > 0 {
		items = append(items, showVersions(removed)+" → "+showVersions(added))
	}
	if delta >= minDelta || delta <= -minDelta {
		items = append(items, gc.Size(delta))
	}
	if len(items) > 0 {
		fmt.Fprintf(x.Out, "%s: %s\n", name, strings.Join(items, ", "))
	}
	return nil
}

func showVersions(list []string) string {
	if len(list) == 0 {
		return "∅"
	}
	for i, v := range list {
		if v == "" {
			list[i] = "ε"
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
