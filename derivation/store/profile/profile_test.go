package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plant makes a profile with generations 1 to 4 of which the third is the current
// one; each was made a day after the one before.
func plant(t *testing.T) (name string, start time.Time) {
	t.Helper()
	dir := t.TempDir()
	name = filepath.Join(dir, "default")
	start = time.Unix(1_000_000_000, 0)
	for n := 1; n <= 4; n++ {
		link := fmt.Sprintf("%s-%d-link", name, n)
		if err := os.Symlink("/somewhere", link); err != nil {
			t.Fatal(err)
		}
		at := unix.NsecToTimespec(start.AddDate(0, 0, n).UnixNano())
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, link, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"default-x-link", "other-1-link"} {
		if err := os.Symlink("/somewhere", filepath.Join(dir, other)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("default-3-link", name); err != nil {
		t.Fatal(err)
	}
	return name, start
}

func numbers(list []Generation) []int {
	var out []int
	for _, g := range list {
		out = append(out, g.Number)
	}
	slices.Sort(out)
	return out
}

func TestOld(t *testing.T) {
	name, start := plant(t)
	list, err := Generations(name)
	if err != nil || !slices.Equal(numbers(list), []int{1, 2, 3, 4}) {
		t.Fatal(list, err)
	}
	for _, c := range []struct {
		before time.Time
		want   []int
	}{
		{time.Time{}, []int{1, 2, 4}},
		{start, nil},
		{start.AddDate(0, 0, 2).Add(time.Hour), []int{1}}, // the second was in use then
		{start.AddDate(0, 0, 3).Add(time.Hour), []int{1, 2}},
		{start.AddDate(0, 0, 9), []int{1, 2}}, // the fourth is the newest, the third the current one
	} {
		if got := numbers(Old(list, c.before)); !slices.Equal(got, c.want) {
			t.Errorf("before %v: %v, want %v", c.before, got, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	name, _ := plant(t)
	var got []string
	if err := Find(filepath.Dir(name), func(p string) error { got = append(got, filepath.Base(p)); return nil }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{"default"}) {
		t.Errorf("found %v", got)
	}
	if err := Find(filepath.Join(t.TempDir(), "none"), nil); err != nil {
		t.Error(err)
	}
}
