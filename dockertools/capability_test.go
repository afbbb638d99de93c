package dockertools

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/rootfs"
)

const (
	capabilityRecord = "SCHILY.xattr.security.capability"
	noteRecord       = "SCHILY.xattr.user.note"
	// netRaw is cap_net_raw=ep in the kernel's form.
	netRaw = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
)

// attributesOf returns the attributes of the files in a tar, by record.
func attributesOf(t *testing.T, out map[string]map[string]string, r io.Reader) error {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		out[h.Name] = h.PAXRecords
	}
}

// imageAttributes does so for all layers of the images of an archive.
func imageAttributes(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	a, err := archive.Open(t.Context(), name, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	images, err := a.Images()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for _, img := range images {
		for _, l := range img.Image.Layers() {
			if _, err := l.Read(func(r io.Reader) error { return attributesOf(t, out, r) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// capable is a base with a program that may open raw sockets, and a directory
// with a note.
func capable(s *testStore) storepath.Path {
	return s.baseArchive("capable", nil,
		tar.Header{Typeflag: tar.TypeDir, Name: "usr/", PAXRecords: map[string]string{noteRecord: "n\x00n"}},
		tar.Header{Name: "usr/ping", Linkname: "#!ping", PAXRecords: map[string]string{capabilityRecord: netRaw, noteRecord: "x"}},
		tar.Header{Name: "usr/trace", Linkname: "#!trace", PAXRecords: map[string]string{capabilityRecord: netRaw}},
		tar.Header{Typeflag: tar.TypeLink, Name: "usr/ping6", Linkname: "usr/ping"})
}

// TestCapabilities follows the attributes of a base through everything that is
// made of it, among it a script that changes modes of a file and nothing else.
func TestCapabilities(t *testing.T) {
	s := redis(t)
	base := capable(s)
	check := func(what string, got map[string]map[string]string, names ...string) {
		t.Helper()
		for _, name := range names {
			want := map[string]string{capabilityRecord: netRaw, noteRecord: "x"}
			if name == "usr/" {
				want = map[string]string{noteRecord: "n\x00n"}
			}
			for k, v := range want {
				if got[name][k] != v {
					t.Errorf("%s: %s of %s is %q", what, k, name, got[name][k])
				}
			}
		}
	}
	var images []string
	for _, a := range []attrs{{"imageName": "one"}, layered(attrs{"imageName": "two"})} {
		a["fromImage"] = base.String()
		out := s.build(&Builder{}, a, base)
		check(a["imageName"].(string), imageAttributes(t, out), "usr/", "usr/ping")
		images = append(images, s.addFile("image-"+a["imageName"].(string), out).String())
	}
	script := goScript(func(c RootCommand) rootfs.Owners {
		if err := os.Chmod(filepath.Join(c.Root, "usr/ping"), 0o700); err != nil {
			t.Fatal(err)
		}
		return c.Owners
	})
	out := s.build(script, attrs{"imageName": "three", "fromImage": base.String(), "shell": "/bin/sh", "runAsRoot": "x"}, base)
	check("changed mode", imageAttributes(t, out), "usr/ping", "usr/ping6")

	script = goScript(func(c RootCommand) rootfs.Owners {
		if err := os.Rename(filepath.Join(c.Root, "usr/ping"), filepath.Join(c.Root, "ping")); err != nil {
			t.Fatal(err)
		}
		// Other contents, as a write clears the attributes.
		if err := os.WriteFile(filepath.Join(c.Root, "usr/trace"), []byte("#!other"), 0o755); err != nil {
			t.Fatal(err)
		}
		return c.Owners
	})
	out = s.build(script, attrs{"imageName": "four", "fromImage": base.String(), "shell": "/bin/sh", "runAsRoot": "x"}, base)
	renamed := imageAttributes(t, out)
	check("renamed", renamed, "ping")
	if len(renamed["usr/trace"]) > 0 {
		t.Errorf("a file that was written anew has attributes: %q", renamed["usr/trace"])
	}

	one, two := storepath.MustParse(images[0]), storepath.MustParse(images[1])
	merge := s.job(attrs{"images": images}, one, two)
	if err := (Merger{}).Build(t.Context(), merge); err != nil {
		t.Fatal(err)
	}
	check("merged", imageAttributes(t, merge.Dest["out"]), "usr/", "usr/ping")

	export := s.job(attrs{"fromImage": base.String(), "architecture": "amd64"}, base)
	if err := (Exporter{}).Build(t.Context(), export); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(export.Dest["out"])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := map[string]map[string]string{}
	if err := attributesOf(t, got, f); err != nil {
		t.Fatal(err)
	}
	check("exported", got, "usr/", "usr/ping", "usr/ping6")
}

// TestCapabilitiesOfScripts has scripts that set attributes, in every place where
// there are scripts.
func TestCapabilitiesOfScripts(t *testing.T) {
	s := redis(t)
	base := capable(s)
	set := goScript(func(c RootCommand) rootfs.Owners {
		name := filepath.Join(c.Root, c.Dir, "made")
		if err := os.WriteFile(name, []byte("#!made"), 0o755); err != nil {
			t.Fatal(err)
		}
		for attribute, value := range map[string]string{"user.note": "x", "security.capability": netRaw} {
			err := unix.Setxattr(name, attribute, []byte(value), 0)
			if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
				if os.Getenv("GONIX_TEST_FULL") == "1" && os.Getuid() == 0 {
					t.Fatal(err)
				}
				t.Skipf("attribute %s cannot be set here: %v", attribute, err)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return c.Owners
	})
	for _, a := range []attrs{
		{"imageName": "x", "extraCommands": "x"},
		{"imageName": "x", "runAsRoot": "x"},
		{"imageName": "x", "runAsRoot": "x", "fromImage": base.String()},
		layered(attrs{"fakeRootCommands": "x"}),
		layered(attrs{"fakeRootCommands": "x", "enableFakechroot": true, "fromImage": base.String()}),
	} {
		a["shell"] = "/bin/sh"
		got := imageAttributes(t, s.build(set, a, base))
		if got["made"][capabilityRecord] != netRaw || got["made"][noteRecord] != "x" {
			t.Errorf("%v: attributes %q", a, got["made"])
		}
	}
}
