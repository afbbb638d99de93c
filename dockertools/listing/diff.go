package listing

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"gonix/dockertools/tarball"
)

// Change is a name that two images do not have alike. Old or New is nil where
// one of them does not have it.
type Change struct {
	Name     string
	Old, New *File
}

// Diff compares the files of two images, by everything but their times.
func Diff(a, b *Listing) []Change {
	var out []Change
	old := map[string]*File{}
	for i := range a.Files {
		old[a.Files[i].Name] = &a.Files[i]
	}
	for i := range b.Files {
		f := &b.Files[i]
		was := old[f.Name]
		delete(old, f.Name)
		if was == nil || !same(was, f) {
			out = append(out, Change{f.Name, was, f})
		}
	}
	for name, f := range old {
		out = append(out, Change{name, f, nil})
	}
	slices.SortFunc(out, func(x, y Change) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

func same(a, b *File) bool {
	return a.Kind == b.Kind && a.Mode == b.Mode && a.UID == b.UID && a.GID == b.GID && a.Size == b.Size &&
		a.Target == b.Target && a.Major == b.Major && a.Minor == b.Minor && a.Digest == b.Digest && maps.Equal(a.Xattrs, b.Xattrs)
}

// StorePath returns the base name of the store path that a file belongs to, ""
// outside of the store.
func StorePath(name string) string {
	rest, ok := strings.CutPrefix(name, "nix/store/")
	if !ok {
		return ""
	}
	base, _, _ := strings.Cut(rest, "/")
	return base
}

// StorePaths returns the bytes of the regular files of each store path.
func (l *Listing) StorePaths() map[string]int64 {
	out := map[string]int64{}
	for i := range l.Files {
		f := &l.Files[i]
		if base := StorePath(f.Name); base != "" {
			if f.Kind == tarball.Regular {
				out[base] += f.Size
			} else {
				out[base] += 0
			}
		}
	}
	return out
}
