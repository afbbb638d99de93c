package dockertools

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/store"
	"gonix/dockertools/archive"
	"gonix/dockertools/rootfs"
)

// layerFile returns the bytes of a file of the last layer.
func layerFile(t testing.TB, name, file string) []byte {
	t.Helper()
	a, err := archive.Open(t.Context(), name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	img, err := a.Find("", "", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	layers := img.Image.Layers()
	var out []byte
	_, err = layers[len(layers)-1].Read(func(r io.Reader) error {
		tr := tar.NewReader(r)
		for {
			h, err := tr.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if h.Name == file {
				if out, err = io.ReadAll(tr); err != nil {
					return err
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// own notes whom a file belongs to.
func own(t testing.TB, owners rootfs.Owners, name string, uid, gid uint32) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	owners[rootfs.Inode{Dev: uint64(st.Dev), Ino: st.Ino}] = rootfs.Owner{UID: uid, GID: gid}
}

func layered(more attrs) attrs {
	a := attrs{"imageName": "x", "imageTag": "1", "layered": true, "layerStrategy": "size-first"}
	for k, v := range more {
		a[k] = v
	}
	return a
}

// TestLayeredLinks has links to the contents on top of layers of store paths.
func TestLayeredLinks(t *testing.T) {
	s := redis(t)
	s.add("more", files{"bin/more": "#!x", "bin/redis": "second", "share/sub/f": "x"})
	out := s.build(&Builder{}, layered(attrs{"contents": []string{made("server").String(), made("more").String()}}), made("server"), made("more"))
	want := []string{
		"5 0755 0:0 bin/",
		"2 0777 0:0 bin/more -> /nix/store/<more>/bin/more",
		"2 0777 0:0 bin/redis -> redis-server",
		"2 0777 0:0 bin/redis-server -> /nix/store/<server>/bin/redis-server",
		"5 0755 0:0 share/",
		"2 0777 0:0 share/doc -> /nix/store/<server>/share/doc",
		"5 0755 0:0 share/sub/",
		"2 0777 0:0 share/sub/f -> /nix/store/<more>/share/sub/f",
	}
	if d := cmp.Diff(want, short(layerListing(t, out), "libc", "server", "more")); d != "" {
		t.Error(d)
	}
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Layers) != 4 || len(sum.StorePaths) != 3 {
		t.Errorf("%d layers, store paths %v", len(sum.Layers), sum.StorePaths)
	}
}

func TestLayeredStoreOwners(t *testing.T) {
	s := redis(t)
	out := s.build(&Builder{}, layered(attrs{"uid": 1000, "gid": 100, "uname": "u", "gname": "g", "mtime": "1970-01-02",
		"config": attrs{"Cmd": []string{made("libc").String()}}}), made("libc"))
	for _, l := range layerListing(t, out) {
		if !strings.Contains(l, " 1000:100 ") || !strings.Contains(l, "1970-01-02 00:00:00") {
			t.Error(l)
		}
	}
	// The digits of a number will do, and the time of the build.
	out = s.build(goScript(nil), layered(attrs{"uid": "1000", "gid": "100", "mtime": "now", "config": attrs{"Cmd": []string{made("libc").String()}}}), made("libc"))
	for _, l := range layerListing(t, out) {
		if !strings.Contains(l, " 1000:100 ") || !strings.Contains(l, "2001-09-09 01:46:40") {
			t.Error(l)
		}
	}
	out = s.build(&Builder{}, layered(attrs{"includeStorePaths": false, "contents": []string{made("libc").String()}}), made("libc"))
	sum, err := Inspect(t.Context(), out)
	if err != nil || len(sum.Layers) != 1 || len(sum.StorePaths) != 0 {
		t.Errorf("without store paths: %+v, %v", sum.Layers, err)
	}
}

// TestLayeredScripts has both scripts, with the layer as directory and as root.
func TestLayeredScripts(t *testing.T) {
	s := redis(t)
	for _, chroot := range []bool{false, true} {
		var seen []string
		b := goScript(func(c RootCommand) rootfs.Owners {
			seen = append(seen, c.Dir)
			owners := rootfs.Owners{}
			for k, v := range c.Owners {
				owners[k] = v
			}
			dir := filepath.Join(c.Root, c.Dir)
			name := "made-by-extra"
			if len(seen) > 1 {
				name = "jane"
			}
			if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
			if name == "jane" {
				own(t, owners, filepath.Join(dir, name), 1000, 0)
			}
			return owners
		})
		out := s.build(b, layered(attrs{"shell": "/bin/sh", "extraCommands": "x", "fakeRootCommands": "y", "enableFakechroot": chroot,
			"contents": []string{made("entry").String()}}), made("entry"))
		want := []string{"5 0755 0:0 bin/", "2 0777 0:0 bin/entry -> /nix/store/<entry>/bin/entry", "5 0755 1000:0 jane/", "5 0755 0:0 made-by-extra/"}
		if d := cmp.Diff(want, short(layerListing(t, out), "entry")); d != "" {
			t.Error(d)
		}
		wantDirs := []string{"/build/layer", "/build/layer"}
		if chroot {
			wantDirs[1] = "/"
		}
		if d := cmp.Diff(wantDirs, seen); d != "" {
			t.Error(d)
		}
	}
}

// TestLayeredOverBase gives a directory of the base image another owner.
func TestLayeredOverBase(t *testing.T) {
	s := redis(t)
	base := debian(s)
	b := goScript(func(c RootCommand) rootfs.Owners {
		owners := rootfs.Owners{}
		dir := filepath.Join(c.Root, c.Dir, "tmp")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		own(t, owners, dir, 7, 8)
		return owners
	})
	out := s.build(b, layered(attrs{"fromImage": base.String(), "shell": "/bin/sh", "fakeRootCommands": "y"}), base)
	if got := strings.Join(layerListing(t, out), "\n"); !strings.Contains(got, "7:8 tmp/") {
		t.Error(got)
	}
}

// TestNixDatabase opens the database that an image has.
func TestNixDatabase(t *testing.T) {
	s := redis(t)
	var before []byte
	for _, a := range []attrs{
		layered(attrs{"includeNixDB": true, "contents": []string{made("server").String()}}),
		{"imageName": "x", "includeNixDB": true, "contents": []string{made("server").String()}, "config": attrs{"Cmd": []string{made("server").String()}}},
	} {
		out := s.build(&Builder{}, a, made("server"))
		root := scratch(t)
		db := filepath.Join(root, databaseDir)
		if err := os.MkdirAll(db, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"db.sqlite", "schema"} {
			data := layerFile(t, out, databaseDir+"/"+name)
			if len(data) == 0 {
				t.Fatalf("no %s", name)
			}
			if name == "db.sqlite" {
				if before != nil && string(before) != string(data) {
					t.Error("the same paths give another database")
				}
				before = data
			}
			if err := os.WriteFile(filepath.Join(db, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		inside, err := store.Open(root, store.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer inside.Close()
		closure, err := inside.Closure(t.Context(), made("server"))
		if err != nil || len(closure) != 2 {
			t.Errorf("closure %v, %v", closure, err)
		}
		info, err := inside.Info(t.Context(), made("server"))
		if err != nil || info.RegTime.Unix() != 315532800 {
			t.Errorf("%+v, %v", info, err)
		}
		if got := strings.Join(layerListing(t, out), "\n"); !strings.Contains(got, rootsDir+"/"+made("server").Base()+" -> "+made("server").String()) {
			t.Error(got)
		}
	}
}

// TestLayeringPipeline cuts layers as the user says, in the attribute or in a
// file of the store.
func TestLayeringPipeline(t *testing.T) {
	s := redis(t)
	s.add("pipeline.json", files{"p": `[["subcomponent_out",["` + made("libc").String() + `"]]]`})
	for _, pipeline := range []any{
		[]any{[]any{"subcomponent_out", []string{made("libc").String()}}},
		made("pipeline.json").String() + "/p",
	} {
		out := s.build(&Builder{}, layered(attrs{"maxLayers": 2, "layeringPipeline": pipeline,
			"config": attrs{"Cmd": []string{made("server").String(), made("entry").String()}}}), made("server"), made("entry"), made("pipeline.json"))
		sum, err := Inspect(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range sum.Layers {
			names := ""
			for _, p := range l.StorePaths {
				names += " " + p.Path[44:]
			}
			got = append(got, strings.TrimSpace(names))
		}
		if d := cmp.Diff([]string{"libc", "server entry"}, got); d != "" && d != cmp.Diff([]string{"libc", "entry server"}, got) {
			t.Error(d)
		}
	}
	for _, c := range []struct {
		pipeline any
		want     string
	}{
		{[]any{[]any{"sort"}}, "'layeringPipeline': step 'sort' is unknown"},
		{[]any{[]any{"limit_layers", 3}}, "'layeringPipeline': limit_layers works on a list"},
		{"/etc/passwd", "'layeringPipeline': path '/etc/passwd' is not in the Nix store"},
		{made("server").String() + "/bin/redis-server", "a step is a list of its name"},
		{made("server").String() + "/none", "read 'layeringPipeline'"},
	} {
		got := s.fail(&Builder{}, layered(attrs{"layeringPipeline": c.pipeline}), made("server"))
		if !strings.Contains(got, c.want) && !strings.Contains(got, "pipeline takes a list of steps") {
			t.Errorf("%v:\n got %s\nwant %s", c.pipeline, got, c.want)
		}
	}
}

// TestAbsentPaths lets config name paths that the image is not to have.
func TestAbsentPaths(t *testing.T) {
	s := redis(t)
	a := layered(attrs{"config": attrs{"Env": []string{"out=" + made("later").String()}}})
	if got := s.fail(&Builder{}, a); !strings.Contains(got, "neither an input of the derivation nor in the base image") {
		t.Errorf("error %s", got)
	}
	a["absentPaths"] = []string{made("later").String()}
	sum, err := Inspect(t.Context(), s.build(&Builder{}, a))
	if err != nil || len(sum.StorePaths) != 0 {
		t.Errorf("%+v, error %v", sum.StorePaths, err)
	}
}
