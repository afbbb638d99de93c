package layercache

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gonix/dockertools/image"
	"gonix/dockertools/tarball"
)

func newCache(t *testing.T, limit int64) (*Cache, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return New(filepath.Join(t.TempDir(), "layers"), limit, func() time.Time { return now }), &now
}

func add(c *Cache, key, data string) tarball.Packed {
	p := tarball.Packed{Digest: image.Sum([]byte(data)), Size: int64(len(data)), DiffID: image.Sum([]byte("tar")), UnpackedSize: 9}
	a := c.Add(key)
	io.WriteString(a, data)
	a.Commit(p)
	return p
}

func read(c *Cache, key string) (string, error) {
	e := c.Get(key, true)
	if e == nil {
		return "", os.ErrNotExist
	}
	defer e.Close()
	var buf bytes.Buffer
	err := e.CopyTo(&buf)
	if errors.Is(err, ErrDamaged) {
		e.Discard()
	}
	return buf.String(), err
}

func TestRoundTrip(t *testing.T) {
	c, _ := newCache(t, 1<<20)
	key := Key("a", "b")
	if key == Key("ab") || c.Get(key, true) != nil {
		t.Fatal("keys are mixed up")
	}
	p := add(c, key, "layer")
	e := c.Get(key, true)
	if e == nil || e.Packed != p {
		t.Fatalf("entry %+v, expected %+v", e, p)
	}
	e.Close()
	if got, err := read(c, key); got != "layer" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	// What a layer is, without its bytes.
	c.Add(Key("facts")).Commit(p)
	if e := c.Get(Key("facts"), false); e == nil || e.Packed != p {
		t.Errorf("facts: %+v", e)
	} else {
		e.Close()
	}
	if c.Get(Key("facts"), true) != nil {
		t.Error("an entry without bytes was given for one with them")
	}
	if none := (*Cache)(nil); none.Get(key, true) != nil || none.Add(key) != nil {
		t.Error("no cache has entries")
	}
}

func TestAborted(t *testing.T) {
	c, now := newCache(t, 1<<20)
	a := c.Add("k")
	io.WriteString(a, "some")
	a.Commit(tarball.Packed{Size: 5}) // other bytes than were promised
	b := c.Add("k")
	io.WriteString(b, "more")
	if c.Get("k", true) != nil {
		t.Error("an unfinished entry is there")
	}
	// Whoever wrote b was killed.
	c.Trim()
	if left, _ := filepath.Glob(c.dir + "/*"); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
	*now = time.Now().Add(2 * time.Hour)
	c.Trim()
	if left, _ := filepath.Glob(c.dir + "/*"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// TestDamage changes every byte of an entry in turn, and cuts it at every length.
func TestDamage(t *testing.T) {
	c, _ := newCache(t, 1<<20)
	add(c, "k", "some bytes")
	file := filepath.Join(c.dir, "k")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.IndexByte(whole, 0)
	check := func(what string, at int, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read(c, "k"); err == nil {
			t.Errorf("%s at %d was not noticed", what, at)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s at %d: the entry stays", what, at)
		}
	}
	for i := range whole {
		if i >= text && i < headSize {
			continue // nothing is there
		}
		data := bytes.Clone(whole)
		data[i] ^= 1
		check("change", i, data)
		check("cut", i, whole[:i])
	}
}

func TestTrim(t *testing.T) {
	c, now := newCache(t, 3*(headSize+100))
	data := string(make([]byte, 100))
	for _, key := range []string{"a", "b", "c", "d"} {
		add(c, key, data)
		*now = now.Add(time.Minute)
		c.Get(key, true).Close()
	}
	*now = now.Add(time.Minute)
	c.Get("a", true).Close()
	c.Trim()
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": true} {
		if e := c.Get(key, true); (e != nil) != want {
			t.Errorf("%s: %v, expected %v", key, e != nil, want)
		}
	}
	*now = now.Add(MaxAge + time.Hour)
	c.Trim()
	if left, _ := filepath.Glob(c.dir + "/*"); len(left) != 0 {
		t.Errorf("left after its time: %q", left)
	}
}

func TestConcurrentUse(t *testing.T) {
	c, _ := newCache(t, 2000)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				add(c, "k", "the same layer")
				if got, err := read(c, "k"); err == nil && got != "the same layer" || errors.Is(err, ErrDamaged) {
					t.Errorf("%q, %v", got, err)
				}
				if i == 0 {
					c.Trim()
				}
			}
		})
	}
	wg.Wait()
}
