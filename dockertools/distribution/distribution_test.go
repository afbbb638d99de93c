package distribution

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
)

// layerOf is a layer of files, given as names and texts in turn.
func layerOf(t *testing.T, files ...string) image.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[i+1])
	}
	w.Close()
	data := buf.Bytes()
	return image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

func packages(t *testing.T, layers ...image.Layer) []Package {
	t.Helper()
	img, err := image.New(image.Config{Architecture: "amd64", OS: "linux"}, layers)
	if err != nil {
		t.Fatal(err)
	}
	d := New()
	l, err := listing.Read(t.Context(), img, d)
	if err != nil {
		t.Fatal(err)
	}
	return d.Packages(l)
}

const (
	zlib = "Package: zlib1g\nStatus: install ok installed\nPriority: optional\nSource: zlib (1:1.2.13)\nVersion: 1:1.2.13.dfsg-1+b1\nArchitecture: amd64\nDescription: compression library - runtime\n zlib is a library.\n .\n Package: not-this\nHomepage: http://zlib.net/\n"
	gone = "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n"
)

// TestDpkg has a database that a later layer replaces, with records that count
// and others.
func TestDpkg(t *testing.T) {
	below := layerOf(t, "var/lib/dpkg/status", "Package: old\nVersion: 1\n", "usr/lib/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n",
		"usr/share/doc/zlib1g/copyright", "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: someone\nLicense: Zlib\n\nFiles: a\nLicense: GPL-2+\n text\n\nLicense: Zlib\n more\n")
	above := layerOf(t, "var/lib/dpkg/status", zlib+"\n"+gone+"\nPackage: broken\n\n"+"Package: adduser\nStatus: hold ok installed\nVersion: 3.134\nArchitecture: all\n", "usr/share/doc/adduser/copyright", "free text\n")
	want := []Package{
		{Kind: "deb", Name: "adduser", Version: "3.134", Architecture: "all", Purl: "pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12", Layer: 1, File: "/var/lib/dpkg/status"},
		{Kind: "deb", Name: "zlib1g", Version: "1:1.2.13.dfsg-1+b1", Architecture: "amd64", Source: "zlib", Licences: []string{"GPL-2+", "Zlib"}, Homepage: "http://zlib.net/",
			Description: "compression library - runtime", Purl: "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1%2Bb1?arch=amd64&distro=debian-12", Layer: 1, File: "/var/lib/dpkg/status"},
	}
	if d := cmp.Diff(want, packages(t, below, above)); d != "" {
		t.Error(d)
	}
	if got := packages(t, below, layerOf(t, "var/lib/dpkg/.wh.status", "")); len(got) != 0 {
		t.Errorf("a deleted database: %+v", got)
	}
}

// TestStatusFolder is what images without dpkg have.
func TestStatusFolder(t *testing.T) {
	got := packages(t, layerOf(t, "var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n", "var/lib/dpkg/status.d/tzdata.md5sums", "Package: x\nVersion: 1\n"))
	if len(got) != 1 || got[0].Purl != "pkg:deb/debian/tzdata@2024a?arch=all" {
		t.Errorf("%+v", got)
	}
}

func TestApk(t *testing.T) {
	const musl = "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:1\nT:the musl c library (libc) implementation\nU:https://musl.libc.org/\nL:MIT AND BSD-2-Clause\no:musl\nF:lib\nR:libc.so\n\n"
	got := packages(t, layerOf(t, "etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n", "lib/apk/db/installed", musl+"P:ssl_client\nV:1.36.1-r15\nA:x86_64\no:busybox\n\nP:nameless\n\n"))
	want := []Package{
		{Kind: "apk", Name: "musl", Version: "1.2.4-r2", Architecture: "x86_64", Licences: []string{"MIT AND BSD-2-Clause"}, Homepage: "https://musl.libc.org/",
			Description: "the musl c library (libc) implementation", Purl: "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.19.1", File: "/lib/apk/db/installed"},
		{Kind: "apk", Name: "ssl_client", Version: "1.36.1-r15", Architecture: "x86_64", Source: "busybox", Purl: "pkg:apk/alpine/ssl_client@1.36.1-r15?arch=x86_64&distro=alpine-3.19.1", File: "/lib/apk/db/installed"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestManyRecords reads a database of several names, most of whose records are no
// packages, and stops where there are too many.
func TestManyRecords(t *testing.T) {
	var files []string
	text := strings.Repeat("a:\n\n", 1<<16) + strings.Repeat("Package:a\nVersion:1\n\n", 9)
	for i := range 3 {
		files = append(files, fmt.Sprint("var/lib/dpkg/status.d/", i), text)
	}
	if got := packages(t, layerOf(t, files...)); len(got) != 1 {
		t.Errorf("%d packages", len(got))
	}
	if got := dpkgPackages(text, listing.File{}, 7); len(got) != 7 {
		t.Errorf("%d packages", len(got))
	}
	if got := apkPackages(strings.Repeat("P:a\nV:1\n\n", 9), listing.File{}, 7); len(got) != 7 {
		t.Errorf("%d packages", len(got))
	}
}

// FuzzDatabases reads texts as everything that is read.
func FuzzDatabases(f *testing.F) {
	f.Add(zlib + "\n" + gone)
	f.Add("P:a\nV:1\nL:MIT\n\n")
	f.Add("Format: x\n\nFiles: *\nLicense: MIT\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range append(dpkgPackages(text, listing.File{}, 100), apkPackages(text, listing.File{}, 100)...) {
			if p.Name == "" || p.Version == "" || strings.Contains(p.Name, "\n") {
				t.Errorf("%+v", p)
			}
		}
		copyrightLicences(text)
		releaseFields(text)
	})
}
