package dockertools

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonix/derivation/storepath"
	"gonix/dockertools/image"
	"gonix/dockertools/layercache"
	"gonix/dockertools/rootfs"
)

// cacheFixture is an image of three store paths that are worth a cache, and one
// that is not.
type cacheFixture struct {
	*testStore
	builder *Builder
	dir     string
	paths   []storepath.Path
	check   bool // images are built as with --check
}

func newCacheFixture(t *testing.T) *cacheFixture {
	dir := filepath.Join(t.TempDir(), "layers")
	f := &cacheFixture{testStore: newTestStore(t), dir: dir,
		builder: &Builder{Layers: layercache.New(dir, 1<<30, time.Now)}}
	rnd := rand.NewChaCha8([32]byte{7})
	for _, name := range []string{"one", "two", "three", "small"} {
		data := make([]byte, 300<<10)
		if name == "small" {
			data = data[:10]
		}
		rnd.Read(data)
		f.paths = append(f.paths, f.add(name, files{"lib/" + name: string(data)}))
	}
	return f
}

// image builds the image of paths and returns its digest, with how many layers
// came from the cache.
func (f *cacheFixture) image(b *Builder, more attrs, paths ...storepath.Path) (image.Digest, int) {
	f.t.Helper()
	var names []string
	for _, p := range paths {
		names = append(names, p.String())
	}
	a := layered(attrs{"config": attrs{"Cmd": names}})
	for k, v := range more {
		a[k] = v
	}
	job := f.job(a, paths...)
	var log bytes.Buffer
	job.Log, job.Check = &log, f.check
	if err := b.Build(f.t.Context(), job); err != nil {
		f.t.Fatal(err)
	}
	data, err := os.ReadFile(job.Dest["out"])
	if err != nil {
		f.t.Fatal(err)
	}
	if more["streamer"] == nil {
		validate(f.t, job.Dest["out"])
	}
	return image.Sum(data), strings.Count(log.String(), "in the cache")
}

func TestLayerCache(t *testing.T) {
	f := newCacheFixture(t)
	for _, compressor := range []string{"gz", "zstd", "none"} {
		more := attrs{"compressor": compressor}
		want, _ := f.image(&Builder{}, more, f.paths...)
		for i, cached := range []int{0, 3} {
			if got, n := f.image(f.builder, more, f.paths...); got != want || n != cached {
				t.Errorf("%s, build %d: %d layers from the cache, expected %d; the same bytes: %v", compressor, i+1, n, cached, got == want)
			}
		}
	}
	// One changed: the others are there, in whatever place.
	four := f.add("four", files{"lib/four": strings.Repeat("4", 400<<10)})
	changed := append([]storepath.Path{four}, f.paths[1:]...)
	want, _ := f.image(&Builder{}, nil, changed...)
	if got, n := f.image(f.builder, nil, changed...); got != want || n != 2 {
		t.Errorf("one changed: %d layers from the cache; the same bytes: %v", n, got == want)
	}
	// To find out whether it is the same again, nothing is taken.
	f.check = true
	if got, n := f.image(f.builder, nil, changed...); got != want || n != 0 {
		t.Errorf("check: %d layers from the cache; the same bytes: %v", n, got == want)
	}
	f.check = false
	// Another owner makes other layers.
	owner := attrs{"uid": 7, "uname": "seven"}
	want, _ = f.image(&Builder{}, owner, changed...)
	if got, n := f.image(f.builder, owner, changed...); got != want || n != 0 {
		t.Errorf("other owner: %d layers from the cache; the same bytes: %v", n, got == want)
	}
}

// TestDamagedLayerCache damages all entries; the image is the same.
func TestDamagedLayerCache(t *testing.T) {
	f := newCacheFixture(t)
	want, _ := f.image(f.builder, nil, f.paths...)
	entries, err := filepath.Glob(f.dir + "/*")
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, at := range []int64{600, 20} { // in a layer, in what is said of it
		for _, name := range entries {
			file, err := os.OpenFile(name, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			var b [1]byte
			file.ReadAt(b[:], at)
			b[0] ^= 0x10
			file.WriteAt(b[:], at)
			file.Close()
		}
		if got, _ := f.image(f.builder, nil, f.paths...); got != want {
			t.Errorf("damage at %d has changed the image", at)
		}
		for _, name := range entries {
			if _, err := os.Stat(name); err == nil && at == 600 {
				t.Errorf("a damaged layer stays in the cache")
			}
		}
		if _, n := f.image(f.builder, nil, f.paths...); at == 600 && n != 0 {
			t.Errorf("%d damaged layers were used again", n)
		}
	}
}

// TestStreamLayerCache keeps what layers of streamed images are, not their bytes.
func TestStreamLayerCache(t *testing.T) {
	f := newCacheFixture(t)
	streamer := f.add("streamer", files{"bin/stream-image": "#!streamer"})
	more := attrs{"compressor": "none", "streamer": streamer.String() + "/bin/stream-image"}
	want, _ := f.image(&Builder{}, more, f.paths...)
	for i, cached := range []int{0, 3} {
		if got, n := f.image(f.builder, more, f.paths...); got != want || n != cached {
			t.Errorf("build %d: %d layers from the cache, expected %d; the same bytes: %v", i+1, n, cached, got == want)
		}
	}
	entries, _ := filepath.Glob(f.dir + "/*")
	for _, e := range entries {
		if info, err := os.Stat(e); err == nil && info.Size() > 4096 {
			t.Errorf("an entry takes %d bytes", info.Size())
		}
	}
}

// TestLayerCacheOfFiles keeps layers with files from outside of the store: those
// that scripts make, and copies of contents.
func TestLayerCacheOfFiles(t *testing.T) {
	f := newCacheFixture(t)
	content, mode := strings.Repeat("made by a script\n", 30_000), os.FileMode(0o644)
	script := goScript(func(c RootCommand) rootfs.Owners {
		if err := os.WriteFile(filepath.Join(c.Root, c.Dir, "made"), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return c.Owners
	})
	cached := goScript(nil)
	*cached = *script
	cached.Layers = f.builder.Layers
	compare := func(what string, a attrs, hits int) {
		t.Helper()
		a["shell"] = "/bin/sh"
		want, _ := f.image(script, a, f.paths...)
		if got, n := f.image(cached, a, f.paths...); got != want || n != hits {
			t.Errorf("%s: %d layers from the cache, expected %d; the same bytes: %v", what, n, hits, got == want)
		}
	}
	contents := []string{f.paths[0].String(), f.paths[1].String()}
	for _, c := range []struct {
		name string
		// all layers that the cache can have, and those that the owner is not in
		all, ownerless int
		attrs          attrs
	}{
		{"layered", 4, 1, attrs{"fakeRootCommands": "x"}},
		{"single", 1, 0, attrs{"extraCommands": "x", "layered": false, "layerStrategy": "single"}},
	} {
		content, mode = strings.Repeat("made by a script\n", 30_000), 0o644
		c.attrs["contents"] = contents
		compare(c.name, c.attrs, 0)
		compare(c.name+" again", c.attrs, c.all)
		content = "M" + content[1:]
		compare(c.name+" with another byte", c.attrs, c.all-1)
		mode = 0o755
		compare(c.name+" with another mode", c.attrs, c.all-1)
		c.attrs["uid"] = 7
		compare(c.name+" of another owner", c.attrs, c.ownerless)
	}
}
