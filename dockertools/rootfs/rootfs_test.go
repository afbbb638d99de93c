package rootfs

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/tarball"
)

// entry is written as "type name [content or target] [mode]".
type entry struct {
	kind          byte // f d l h c b p
	name, content string
	mode          int64
}

var types = map[byte]byte{'f': tar.TypeReg, 'd': tar.TypeDir, 'l': tar.TypeSymlink, 'h': tar.TypeLink, 'c': tar.TypeChar, 'b': tar.TypeBlock, 'p': tar.TypeFifo}

func layer(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for i, e := range entries {
		h := &tar.Header{Typeflag: types[e.kind], Name: e.name, Mode: e.mode, Uid: i, Gid: 0}
		if e.mode == 0 {
			h.Mode = 0o755
		}
		switch e.kind {
		case 'f':
			h.Size = int64(len(e.content))
		case 'l', 'h':
			h.Linkname = e.content
		case 'c', 'b':
			h.Devmajor, h.Devminor = 1, 3
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == 'f' {
			if _, err := tw.Write([]byte(e.content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func disk(t testing.TB) *Disk {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	t.Cleanup(func() { store.RemoveTree(dir) })
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func names(entries []tarball.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return out
}

// onDisk lists what a walk of the directory finds.
func onDisk(t *testing.T, d *Disk) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(d.path, func(p string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(d.path, p); rel != "." {
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, tarball.Compare)
	return out
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		name   string
		layers [][]entry
		want   []string
	}{
		{"parents are made", [][]entry{{{'f', "a/b/c", "x", 0}}}, []string{"a", "a/b", "a/b/c"}},
		{"names are cleaned", [][]entry{{{'d', "./", "", 0}, {'d', "./a/", "", 0}, {'f', "./a//b", "", 0}}}, []string{"a", "a/b"}},
		{"whiteout", [][]entry{{{'f', "a/b", "x", 0}, {'f', "a/c", "x", 0}}, {{'f', "a/.wh.b", "", 0}}}, []string{"a", "a/c"}},
		{"whiteout of a directory", [][]entry{{{'f', "a/b", "x", 0}, {'f', "c", "", 0}}, {{'f', ".wh.a", "", 0}}}, []string{"c"}},
		{"whiteout of nothing", [][]entry{{{'f', "a", "x", 0}}, {{'f', ".wh.b", "", 0}, {'f', ".wh..wh.plnk", "", 0}}}, []string{"a"}},
		{"whiteout spares its own layer", [][]entry{{{'f', "a", "x", 0}}, {{'f', "a", "y", 0}, {'f', ".wh.a", "", 0}}}, []string{"a"}},
		{"whiteout beside the directory anew", [][]entry{{{'f', "a/b", "x", 0}}, {{'d', "a", "", 0}, {'f', "a/c", "", 0}, {'f', ".wh.a", "", 0}}}, []string{"a", "a/c"}},
		{"opaque first", [][]entry{{{'f', "a/b", "x", 0}}, {{'d', "a", "", 0}, {'f', "a/.wh..wh..opq", "", 0}, {'f', "a/c", "", 0}}}, []string{"a", "a/c"}},
		{"opaque last", [][]entry{{{'f', "a/b/x", "x", 0}}, {{'f', "a/b/c", "", 0}, {'d', "a/b", "", 0}, {'f', "a/.wh..wh..opq", "", 0}}}, []string{"a", "a/b", "a/b/c"}},
		{"file replaces directory", [][]entry{{{'f', "a/b", "x", 0}}, {{'f', "a", "x", 0}}}, []string{"a"}},
		{"directory replaces file", [][]entry{{{'f', "a", "x", 0}}, {{'d', "a", "", 0}, {'f', "a/b", "", 0}}}, []string{"a", "a/b"}},
		{"opaque twice", [][]entry{{{'f', "a/b/x", "x", 0}}, {{'f', "a/.wh..wh..opq", "", 0}, {'f', "a/c", "", 0}, {'d', "a", "", 0}, {'f', "a/.wh..wh..opq", "", 0}, {'f', ".wh.a", "", 0}},
			{{'f', "a/d", "", 0}, {'f', "a/.wh..wh..opq", "", 0}}}, []string{"a", "a/d"}},
		{"directory over directory", [][]entry{{{'f', "a/b", "x", 0}}, {{'d', "a", "", 0o700}}}, []string{"a", "a/b"}},
		{"through a relative link", [][]entry{{{'d', "usr/bin", "", 0}, {'l', "bin", "usr/bin", 0}}, {{'f', "bin/sh", "x", 0}}}, []string{"bin", "usr", "usr/bin", "usr/bin/sh"}},
		{"through an absolute link", [][]entry{{{'d', "usr/bin", "", 0}, {'l', "bin", "/usr/bin", 0}, {'f', "bin/sh", "x", 0}}}, []string{"bin", "usr", "usr/bin", "usr/bin/sh"}},
		{"through a link that goes up inside", [][]entry{{{'d', "usr/lib", "", 0}, {'l', "usr/l", "../usr/lib", 0}, {'f', "usr/l/x", "", 0}}}, []string{"usr", "usr/l", "usr/lib", "usr/lib/x"}},
		{"links that lead out are only links", [][]entry{{{'l', "a", "../../../etc", 0}, {'l', "b", "/etc/passwd", 0}}}, []string{"a", "b"}},
		{"link replaced", [][]entry{{{'l', "a", "/etc", 0}}, {{'f', "a", "x", 0}}}, []string{"a"}},
		{"hard link", [][]entry{{{'f', "a/b", "x", 0}}, {{'h', "c", "a/b", 0}, {'h', "d", "/a/b", 0}, {'h', "c", "c", 0}}}, []string{"a", "a/b", "c", "d"}},
		{"devices of /dev", [][]entry{{{'c', "dev/null", "", 0}, {'b', "dev/sda", "", 0}, {'p', "fifo", "", 0}}}, []string{"dev", "dev/null", "dev/sda", "fifo"}},
		{"no permissions", [][]entry{{{'d', "a", "", 0o1000}, {'f', "a/b", "x", 0o4000}}}, []string{"a", "a/b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, placed, d := NewTree(), NewTree(), disk(t)
			for _, l := range c.layers {
				data := layer(t, l...)
				if err := plain.Apply(bytes.NewReader(data), nil); err != nil {
					t.Fatal(err)
				}
				if err := placed.Apply(bytes.NewReader(data), d); err != nil {
					t.Fatal(err)
				}
			}
			owners, err := placed.Place(d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, names(plain.Added())); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.want, names(placed.Added())); diff != "" {
				t.Error(diff)
			}
			placed.MarkBase()
			changes, err := placed.Changes(d, owners, nil)
			if err != nil || len(changes) > 0 {
				t.Errorf("changes %v, error %v", changes, err)
			}
			// Now every directory can be read.
			if diff := cmp.Diff(c.want, onDisk(t, d)); diff != "" {
				t.Errorf("on disk: %s", diff)
			}
		})
	}
}

// TestHostile applies layers that try to leave the root directory.
func TestHostile(t *testing.T) {
	deep := strings.Repeat("d/", 200)
	for _, c := range []struct {
		name  string
		layer []entry
		want  string
	}{
		{"parent", []entry{{'f', "../x", "x", 0}}, "leads out of the image"},
		{"parent in the middle", []entry{{'f', "a/../../x", "x", 0}}, "leads out of the image"},
		{"absolute", []entry{{'f', "/outside/x", "x", 0}}, "its name is absolute"},
		{"through a link up", []entry{{'l', "a", "../..", 0}, {'f', "a/x", "x", 0}}, "leads out of the image"},
		{"through two links up", []entry{{'d', "b", "", 0}, {'l', "b/up", "..", 0}, {'l', "a", "b/up/..", 0}, {'f', "a/x", "x", 0}}, "leads out of the image"},
		{"link loop", []entry{{'l', "a", "b", 0}, {'l', "b", "a", 0}, {'f', "a/x", "x", 0}}, "too many symbolic links"},
		{"growing link", []entry{{'l', "a", "a/a/a", 0}, {'f', "a/x", "x", 0}}, "too many symbolic links"},
		{"hard link out", []entry{{'h', "a", "../../etc/passwd", 0}}, "not in the image"},
		{"hard link to what is not there", []entry{{'h', "a", "/etc/passwd", 0}}, "hard link to '/etc/passwd'"},
		{"hard link through a link up", []entry{{'l', "u", "..", 0}, {'h', "a", "u/x", 0}}, "leads out of the image"},
		{"hard link to a directory", []entry{{'d', "d", "", 0}, {'h', "a", "d", 0}}, "which is a directory"},
		{"device", []entry{{'b', "etc/disk", "", 0}}, "a block device outside of /dev"},
		{"overlay whiteout", []entry{{'c', "x", "", 0}}, "a character device outside of /dev"},
		{"below a file", []entry{{'f', "a", "x", 0}, {'f', "a/b", "x", 0}}, "/a is a regular file, not a directory"},
		{"root as file", []entry{{'f', ".", "x", 0}}, "replaces the root directory"},
		{"whiteout of parent", []entry{{'f', "a/.wh...", "", 0}}, "deletes nothing that has a name"},
		{"too deep", []entry{{'d', deep + deep, "", 0}}, "too deep"},
		{"too deep through links", []entry{{'d', deep, "", 0}, {'l', "l", deep, 0}, {'d', "l/" + deep, "", 0}}, "too deep"},
		{"long name", []entry{{'d', strings.Repeat("dir/", 2000), "", 0}}, "its name is too long"},
	} {
		for _, withDisk := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", c.name, withDisk), func(t *testing.T) {
				var d *Disk
				if withDisk {
					d = disk(t)
				}
				err := NewTree().Apply(bytes.NewReader(layer(t, c.layer...)), d)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, expected %q", err, c.want)
				}
				if withDisk {
					around, err := os.ReadDir(filepath.Dir(d.path))
					if err != nil || len(around) != 1 {
						t.Errorf("beside the root there is %v, %v", around, err)
					}
				}
			})
		}
	}
	if err := NewTree().Apply(bytes.NewReader(layer(t, entry{'f', "a", "12345", 0})[:514]), nil); err == nil {
		t.Error("truncated layer: no error")
	}
}

// TestBounds has layers of few bytes that would take all memory or time.
func TestBounds(t *testing.T) {
	var links, opaque bytes.Buffer
	w := tar.NewWriter(&links)
	for range 3 {
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: strings.Repeat("x", 1<<19)})
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "f", PAXRecords: map[string]string{xattrRecord + "user.x": strings.Repeat("x", 1<<19)}})
	}
	must(t, w.Close())
	w = tar.NewWriter(&opaque)
	for i := range 5_000 {
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: fmt.Sprint("a/", i)})
	}
	for _, name := range []string{"a/" + whiteoutOpaque, "a", whiteoutPrefix + "a"} {
		for range 5_000 {
			typeflag := byte(tar.TypeReg)
			if name == "a" {
				typeflag = tar.TypeDir
			}
			w.WriteHeader(&tar.Header{Typeflag: typeflag, Name: name})
		}
	}
	must(t, w.Close())
	tree := NewTree()
	tree.words = maxWords - 3<<20
	if err := tree.Apply(&links, nil); err == nil || !strings.Contains(err.Error(), "take more than 256 MiB") {
		t.Errorf("links and attributes: %v", err)
	}
	tree = NewTree()
	must(t, tree.Apply(&opaque, nil)) // ends soon
	if n := len(tree.Children("a")); n != 5_000 {
		t.Errorf("%d files", n)
	}
	tree.steps = maxSteps - 5
	if err := tree.Apply(bytes.NewReader(layer(t, entry{'d', "1/2/3/4/5/6/7", "", 0})), nil); err == nil || !strings.Contains(err.Error(), "too many directories") {
		t.Errorf("steps: %v", err)
	}
}

func show(entries []tarball.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %04o %d:%d %s%s", e.Name, e.Mode, e.UID, e.GID, e.Kind, e.Target))
	}
	return out
}

// TestChanges lets a function change what was placed.
func TestChanges(t *testing.T) {
	base := []entry{
		{'d', "etc", "", 0o755}, {'f', "etc/keep", "keep", 0o644}, {'f', "etc/gone", "gone", 0o644}, {'d', "tmp", "", 0o1777},
		{'f', "var/log/a", "a", 0o600}, {'f', "var/log/b", "b", 0o600}, {'l', "link", "etc/keep", 0}, {'h', "hard", "etc/keep", 0},
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string, o Owners)
		want   []string
	}{
		{"nothing", func(*testing.T, string, Owners) {}, nil},
		{"same bytes again", func(t *testing.T, dir string, _ Owners) {
			must(t, os.WriteFile(dir+"/etc/keep", []byte("keep"), 0o644))
		}, nil},
		{"replaced by the same", func(t *testing.T, dir string, o Owners) {
			must(t, os.Remove(dir+"/etc/gone"))
			must(t, os.WriteFile(dir+"/etc/gone", []byte("gone"), 0o600))
			must(t, os.Chmod(dir+"/etc/gone", 0o644))
			o[inode(t, dir+"/etc/gone")] = Owner{UID: 2}
		}, nil},
		{"same size, other bytes", func(t *testing.T, dir string, _ Owners) {
			must(t, os.WriteFile(dir+"/etc/gone", []byte("gane"), 0o644))
		}, []string{"etc 0755 0:0 directory", "etc/gone 0644 2:0 regular file"}},
		{"deleted file", func(t *testing.T, dir string, _ Owners) { must(t, os.Remove(dir+"/etc/gone")) },
			[]string{"etc 0755 0:0 directory", "etc/.wh.gone 0644 0:0 regular file"}},
		{"deleted directory", func(t *testing.T, dir string, _ Owners) { must(t, os.RemoveAll(dir+"/var")) },
			[]string{".wh.var 0644 0:0 regular file"}},
		{"directory anew", func(t *testing.T, dir string, o Owners) {
			// The recorder forgets owners of files that are gone.
			delete(o, inode(t, dir+"/var/log/a"))
			delete(o, inode(t, dir+"/var/log/b"))
			must(t, os.RemoveAll(dir+"/var/log"))
			must(t, os.Mkdir(dir+"/var/log", 0o755))
			must(t, os.WriteFile(dir+"/var/log/c", nil, 0o644))
		}, []string{"var 0755 0:0 directory", "var/log 0755 0:0 directory", "var/log/.wh.a 0644 0:0 regular file", "var/log/.wh.b 0644 0:0 regular file", "var/log/c 0644 0:0 regular file"}},
		{"new file in a sticky directory", func(t *testing.T, dir string, _ Owners) {
			must(t, os.WriteFile(dir+"/tmp/x", []byte("x"), 0o644))
		}, []string{"tmp 1777 3:0 directory", "tmp/x 0644 0:0 regular file"}},
		{"owner", func(t *testing.T, dir string, o Owners) {
			o[inode(t, dir+"/var/log/a")] = Owner{UID: 999, GID: 998}
		}, []string{"var 0755 0:0 directory", "var/log 0755 0:0 directory", "var/log/a 0600 999:998 regular file"}},
		{"owner of one of two links", func(t *testing.T, dir string, o Owners) {
			o[inode(t, dir+"/hard")] = Owner{UID: 5}
		}, []string{"etc 0755 0:0 directory", "etc/keep 0644 5:0 regular file", "hard 0644 5:0 regular file"}},
		{"mode", func(t *testing.T, dir string, _ Owners) { must(t, os.Chmod(dir+"/tmp", 0o700)) },
			[]string{"tmp 0700 3:0 directory"}},
		{"link", func(t *testing.T, dir string, o Owners) {
			delete(o, inode(t, dir+"/link"))
			must(t, os.Remove(dir+"/link"))
			must(t, os.Symlink("elsewhere", dir+"/link"))
		}, []string{"link 0777 0:0 symbolic linkelsewhere"}},
		{"directory becomes a file", func(t *testing.T, dir string, _ Owners) {
			must(t, os.RemoveAll(dir+"/var"))
			must(t, os.WriteFile(dir+"/var", nil, 0o644))
		}, []string{"var 0644 0:0 regular file"}},
		{"device", func(t *testing.T, dir string, o Owners) {
			must(t, os.WriteFile(dir+"/null", nil, 0o666))
			must(t, os.Chmod(dir+"/null", 0o666))
			o[inode(t, dir+"/null")] = Owner{Type: 0x2000, Rdev: 0x103}
		}, []string{"null 0666 0:0 character device"}},
		{"unreadable", func(t *testing.T, dir string, _ Owners) {
			must(t, os.WriteFile(dir+"/secret", []byte("x"), 0o600))
			must(t, os.Chmod(dir+"/secret", 0))
		}, []string{"secret 0000 0:0 regular file"}},
		{"runtime directory", func(t *testing.T, dir string, _ Owners) { must(t, os.MkdirAll(dir+"/proc/1", 0o755)) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree, d := NewTree(), disk(t)
			if err := tree.Apply(bytes.NewReader(layer(t, base...)), d); err != nil {
				t.Fatal(err)
			}
			tree.MarkBase()
			owners, err := tree.Place(d)
			if err != nil {
				t.Fatal(err)
			}
			c.change(t, d.path, owners)
			got, err := tree.Changes(d, owners, []string{"proc"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, show(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func inode(t *testing.T, name string) Inode {
	t.Helper()
	d := &Disk{path: filepath.Dir(name)}
	st, err := d.lstat(filepath.Base(name))
	must(t, err)
	return inodeOf(st)
}

func TestWhiteoutNamesAreRefused(t *testing.T) {
	tree, d := NewTree(), disk(t)
	owners, err := tree.Place(d)
	must(t, err)
	must(t, os.WriteFile(d.path+"/.wh.x", nil, 0o644))
	if _, err := tree.Changes(d, owners, nil); err == nil || !strings.Contains(err.Error(), "names beginning with .wh. mean deletions") {
		t.Errorf("error %v", err)
	}
}

// TestMerge puts contents over a base whose /bin is a link.
func TestMerge(t *testing.T) {
	tree := NewTree()
	must(t, tree.Apply(bytes.NewReader(layer(t, entry{'d', "usr/bin", "", 0o755}, entry{'l', "bin", "usr/bin", 0}, entry{'d', "root", "", 0o700},
		entry{'l', "gone", "nowhere", 0}, entry{'f', "opt/x", "", 0})), nil))
	tree.MarkBase()
	over := NewTree()
	must(t, over.Apply(bytes.NewReader(layer(t, entry{'f', "bin/sh", "x", 0o555}, entry{'f', "root/.profile", "", 0o444}, entry{'f', "gone/a", "", 0}, entry{'f', "opt", "", 0})), nil))
	must(t, tree.Merge(over))
	want := []string{"gone", "gone/a", "opt", "root", "root/.profile", "usr", "usr/bin", "usr/bin/sh"}
	got := tree.Added()
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Error(diff)
	}
	if got[3].Mode != 0o700 {
		t.Errorf("the base's /root became %04o", got[3].Mode)
	}
}

// TestCopy copies from a store on disk.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	p := func(c string) storepath.Path {
		return storepath.MustParse("/nix/store/" + strings.Repeat(c, 32) + "-" + c)
	}
	c := Contents{Real: func(s storepath.Path) string { return dir + "/" + s.Base() }}
	must(t, os.MkdirAll(c.Real(p("a"))+"/bin", 0o755))
	must(t, os.WriteFile(c.Real(p("a"))+"/bin/x", []byte("a"), 0o755))
	must(t, os.Symlink("/etc", c.Real(p("a"))+"/etc"))
	must(t, os.Symlink("loop", c.Real(p("a"))+"/loop"))
	must(t, os.MkdirAll(c.Real(p("b")), 0o755))
	must(t, os.Symlink(p("a").String()+"/bin", c.Real(p("b"))+"/bin"))
	must(t, os.Symlink(p("b").String(), c.Real(p("c"))))
	must(t, os.WriteFile(c.Real(p("d")), nil, 0o644))
	must(t, os.MkdirAll(c.Real(p("f")), 0o755))
	must(t, os.WriteFile(c.Real(p("f"))+"/bin", nil, 0o644))
	tree := NewTree()
	must(t, c.Copy(tree, p("a")))
	must(t, c.Copy(tree, p("c")))
	want := []string{"bin 0555 0:0 directory", "bin/x 0555 0:0 regular file", "etc 0777 0:0 symbolic link/etc", "loop 0777 0:0 symbolic linkloop"}
	if diff := cmp.Diff(want, show(tree.Added())); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []struct{ item, want string }{
		{"d", "it is a file"}, {"f", "would replace the directory /bin"}, {"g", "no such file"},
	} {
		if err := c.Copy(tree, p(bad.item)); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v", bad.item, err)
		}
	}
}

// FuzzApply applies any bytes as a layer; nothing may appear beside the root.
func FuzzApply(f *testing.F) {
	f.Add(layer(f, entry{'d', "a", "", 0}, entry{'l', "a/l", "..", 0}, entry{'f', "a/l/x", "x", 0}, entry{'h', "h", "a/l/x", 0}, entry{'f', ".wh.a", "", 0}))
	f.Add(layer(f, entry{'f', "../x", "", 0}, entry{'c', "dev/null", "", 0}))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := disk(t)
		tree := NewTree()
		if err := tree.Apply(bytes.NewReader(data), d); err == nil {
			if _, err := tree.Place(d); err != nil {
				t.Logf("place: %v", err)
			}
		}
		around, err := os.ReadDir(filepath.Dir(d.path))
		if err != nil || len(around) != 1 {
			t.Errorf("beside the root there is %v, %v", around, err)
		}
	})
}
