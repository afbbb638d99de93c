package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

type entry struct {
	name, body string
	kind       byte
	mode       int64
}

func tarOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Mode: e.mode}
		switch e.kind {
		case tar.TypeReg:
			h.Size = int64(len(e.body))
		case tar.TypeSymlink, tar.TypeLink:
			h.Linkname = e.body
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == tar.TypeReg {
			if _, err := w.Write([]byte(e.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func debOf(data []byte) []byte {
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	member := func(name string, body []byte) {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(body))
		b.Write(body)
		if len(body)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	member("debian-binary", []byte("2.0\n"))
	member("control.tar.gz", []byte("odd"))
	member("data.tar.gz", data)
	return b.Bytes()
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func unpackAll(t *testing.T, strip bool, archives ...[]byte) (string, error) {
	t.Helper()
	dest := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(dest, 0o755); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tr := &tree{ctx: t.Context(), root: root, strip: strip}
	for i, a := range archives {
		file := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(file, a, 0o644); err != nil {
			t.Fatal(err)
		}
		tr.top = ""
		if err := tr.unpack(file); err != nil {
			return dest, err
		}
	}
	return dest, nil
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, p)
		switch {
		case d.IsDir():
			out = append(out, rel+"/")
		case d.Type()&fs.ModeSymlink != 0:
			l, _ := os.Readlink(p)
			out = append(out, rel+" -> "+l)
		default:
			b, _ := os.ReadFile(p)
			st, _ := d.Info()
			out = append(out, fmt.Sprintf("%s %o %s", rel, st.Mode().Perm(), b))
		}
		return nil
	})
	return out
}

func TestUnpack(t *testing.T) {
	plain := tarOf(t, entry{"./", "", tar.TypeDir, 0o755}, entry{"./bin/", "", tar.TypeDir, 0o700},
		entry{"./bin/a", "A", tar.TypeReg, 0o4755}, entry{"./bin/b", "a", tar.TypeSymlink, 0o777},
		entry{"./bin/c", "./bin/a", tar.TypeLink, 0}, entry{"./etc/x", "X", tar.TypeReg, 0o600})
	want := []string{"./", "bin/", "bin/a 755 A", "bin/b -> a", "bin/c 755 A", "etc/", "etc/x 644 X"}
	var z bytes.Buffer
	zw, _ := zstd.NewWriter(&z)
	zw.Write(plain)
	zw.Close()
	for name, a := range map[string][]byte{"tar": plain, "tar.gz": gz(plain), "tar.zst": z.Bytes(), "deb": debOf(gz(plain))} {
		dest, err := unpackAll(t, false, a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := listing(t, dest); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestUnpackOverOneAnother(t *testing.T) {
	dest, err := unpackAll(t, false,
		tarOf(t, entry{"a", "old", tar.TypeReg, 0o644}, entry{"d/x", "1", tar.TypeReg, 0o644}, entry{"l", "d", tar.TypeSymlink, 0}),
		tarOf(t, entry{"a", "new", tar.TypeReg, 0o644}, entry{"l/", "", tar.TypeDir, 0o755}, entry{"l/y", "2", tar.TypeReg, 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"./", "a 644 new", "d/", "d/x 644 1", "d/y 644 2", "l -> d"}
	if got := listing(t, dest); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestUnpackStripRoot(t *testing.T) {
	dest, err := unpackAll(t, true, tarOf(t, entry{"p-1/", "", tar.TypeDir, 0o755}, entry{"p-1/a", "A", tar.TypeReg, 0o644}))
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, dest); !slices.Equal(got, []string{"./", "a 644 A"}) {
		t.Errorf("got %q", got)
	}
	_, err = unpackAll(t, true, tarOf(t, entry{"a", "A", tar.TypeReg, 0o644}, entry{"b", "B", tar.TypeReg, 0o644}))
	if err == nil || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("two tops: %v", err)
	}
}

func TestUnpackZip(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, _ := w.CreateHeader(&zip.FileHeader{Name: "s/run", ExternalAttrs: 0o100755 << 16, CreatorVersion: 3 << 8})
	f.Write([]byte("R"))
	f, _ = w.CreateHeader(&zip.FileHeader{Name: "s/l", ExternalAttrs: 0o120777 << 16, CreatorVersion: 3 << 8})
	f.Write([]byte("run"))
	w.Close()
	dest, err := unpackAll(t, true, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, dest); !slices.Equal(got, []string{"./", "l -> run", "run 755 R"}) {
		t.Errorf("got %q", got)
	}
}

func TestUnpackHostile(t *testing.T) {
	cases := map[string][]byte{
		"parent":          tarOf(t, entry{"../evil", "x", tar.TypeReg, 0o644}),
		"through link":    tarOf(t, entry{"l", "/", tar.TypeSymlink, 0}, entry{"l/tmp/gonix-evil", "x", tar.TypeReg, 0o644}),
		"relative link":   tarOf(t, entry{"l", "../..", tar.TypeSymlink, 0}, entry{"l/evil", "x", tar.TypeReg, 0o644}),
		"hard link":       tarOf(t, entry{"l", "../../etc/passwd", tar.TypeLink, 0}),
		"hard via link":   tarOf(t, entry{"d", "/etc", tar.TypeSymlink, 0}, entry{"p", "d/passwd", tar.TypeLink, 0}),
		"device":          tarOf(t, entry{"dev", "", tar.TypeChar, 0o644}),
		"truncated gzip":  gz(tarOf(t, entry{"a", strings.Repeat("abc", 9999), tar.TypeReg, 0o644}))[:60],
		"truncated tar":   tarOf(t, entry{"a", strings.Repeat("abc", 9999), tar.TypeReg, 0o644})[:2000],
		"truncated deb":   debOf(gz(tarOf(t, entry{"a", strings.Repeat("abc", 9999), tar.TypeReg, 0o644})))[:230],
		"deb without tar": []byte("!<arch>\n"),
		"text":            []byte("hello, this is no archive at all"),
		"nothing":         {},
	}
	for name, a := range cases {
		dest, err := unpackAll(t, false, a)
		if err == nil {
			t.Errorf("%s: no error; left %q", name, listing(t, dest))
		}
	}
	if _, err := os.Lstat("/tmp/gonix-evil"); err == nil {
		t.Error("an archive wrote outside its output")
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("!<arch>\n"))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) { unpackAll(t, false, b) })
}
