package memory

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"gonix/derivation/binarycache"
)

func TestTimes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "below", FileName)
	now := time.Unix(1_000_000_000, 0)
	open := func() *Disk {
		d := New(file, Options{Positive: 30 * 24 * time.Hour, Negative: time.Hour, Unreachable: time.Minute, Now: func() time.Time { return now }})
		t.Cleanup(func() { d.Close() })
		return d
	}
	d := open()
	d.SetInfo("a", "1", "text")
	d.SetInfo("a", "2", "")
	d.SetDescription("a", binarycache.Description{Priority: 30, MassQuery: true})
	d.SetUnreachable("b")
	check := func(name string, positive, negative, described, unreachable bool) {
		t.Helper()
		for range 2 {
			d := open()
			if text, known := d.Info("a", "1"); known != positive || known && text != "text" {
				t.Errorf("%s: 1 is %q %v", name, text, known)
			}
			if text, known := d.Info("a", "2"); known != negative || text != "" {
				t.Errorf("%s: 2 is %q %v", name, text, known)
			}
			if _, known := d.Info("b", "1"); known {
				t.Errorf("%s: another cache's answer", name)
			}
			if about, known := d.Description("a"); known != described || known && (about.Priority != 30 || !about.MassQuery) {
				t.Errorf("%s: described as %v %v", name, about, known)
			}
			if d.Unreachable("b") != unreachable || d.Unreachable("a") {
				t.Errorf("%s: b is not what it was", name)
			}
			if err := d.Err(); err != nil {
				t.Error(err)
			}
		}
	}
	check("at once", true, true, true, true)
	now = now.Add(2 * time.Minute)
	check("later", true, true, true, false)
	now = now.Add(2 * time.Hour)
	check("after the negative time", true, false, true, false)
	now = now.Add(8 * 24 * time.Hour)
	check("after a week", true, false, false, false)
	now = now.Add(30 * 24 * time.Hour)
	check("after the positive time", false, false, false, false)
}

// TestDamage: a file that is no database is replaced, a folder that cannot be
// written costs the memory and nothing else.
func TestDamage(t *testing.T) {
	file := filepath.Join(t.TempDir(), FileName)
	text := make([]byte, 8192)
	copy(text, "this is not a database")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	opts := Options{Positive: time.Hour, Negative: time.Hour, Now: time.Now}
	d := New(file, opts)
	defer d.Close()
	d.SetInfo("a", "1", "x")
	if _, known := d.Info("a", "1"); !known || d.Err() != nil {
		t.Errorf("not remembered: %v", d.Err())
	}
	d = New(filepath.Join(file, "x"), opts)
	d.SetInfo("a", "1", "x")
	if _, known := d.Info("a", "1"); known || d.Err() == nil {
		t.Error("no error about a folder that is none")
	}
}

func TestConcurrent(t *testing.T) {
	file := filepath.Join(t.TempDir(), FileName)
	opts := Options{Positive: time.Hour, Negative: time.Hour, Now: time.Now}
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			d := New(file, opts)
			defer d.Close()
			for i := range 25 {
				d.SetInfo("a", strconv.Itoa(100*n+i), "x")
			}
			if err := d.Err(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d := New(file, opts)
	defer d.Close()
	for n := range 4 {
		for i := range 25 {
			if _, known := d.Info("a", strconv.Itoa(100*n+i)); !known {
				t.Errorf("%d of writer %d is lost", i, n)
			}
		}
	}
}
