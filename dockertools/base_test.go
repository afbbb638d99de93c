package dockertools

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/image"
	"gonix/dockertools/rootfs"
)

// baseArchive adds an archive of docker save to the store, with one layer of
// the given tar entries.
func (s *testStore) baseArchive(name string, settings image.Settings, headers ...tar.Header) storepath.Path {
	s.t.Helper()
	layer := s.tar(headers...)
	config, err := json.Marshal(image.Config{Architecture: "amd64", OS: "linux", Settings: settings,
		RootFS: image.RootFS{Type: "layers", DiffIDs: []image.Digest{image.Sum(layer)}}})
	if err != nil {
		s.t.Fatal(err)
	}
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range []struct {
		name string
		data []byte
	}{{"l/layer.tar", layer}, {"c.json", config}, {"manifest.json", []byte(`[{"Config":"c.json","RepoTags":["base:1"],"Layers":["l/layer.tar"]}]`)}} {
		tw.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.data)), Mode: 0o644})
		tw.Write(f.data)
	}
	tw.Close()
	p := made(name)
	if err := os.WriteFile(s.RealPath(p), buf.Bytes(), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return s.register(p)
}

// tar writes headers; the content of a regular file is its Linkname.
func (s *testStore) tar(headers ...tar.Header) []byte {
	s.t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range headers {
		content := ""
		if h.Typeflag == 0 {
			h.Typeflag, content, h.Linkname = tar.TypeReg, h.Linkname, ""
			h.Size = int64(len(content))
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if err := tw.WriteHeader(&h); err != nil {
			s.t.Fatal(err)
		}
		tw.Write([]byte(content))
	}
	tw.Close()
	return buf.Bytes()
}

// debian is a base image whose /bin is a link.
func debian(s *testStore) storepath.Path {
	return s.baseArchive("debian", image.Settings{"Env": json.RawMessage(`["PATH=/usr/bin","LANG=C"]`), "Cmd": json.RawMessage(`["bash"]`)},
		tar.Header{Typeflag: tar.TypeDir, Name: "usr/bin/"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "bin", Linkname: "usr/bin"},
		tar.Header{Name: "usr/bin/sh", Linkname: "shell"}, tar.Header{Name: "etc/passwd", Linkname: "root:x:0:0", Mode: 0o644},
		tar.Header{Name: "var/mail/a", Linkname: "x", Uid: 5}, tar.Header{Name: "usr/bin/su", Linkname: "x", Mode: 0o4755})
}

func TestOnBase(t *testing.T) {
	s := redis(t)
	base := debian(s)
	out := s.build(&Builder{}, attrs{"imageName": "x", "fromImage": base.String(), "fromImageName": "base", "contents": []string{made("server").String()},
		"config": attrs{"Env": []string{"LANG=de", "A=b"}, "Entrypoint": []string{"/bin/redis-server"}}}, base, made("server"))
	want := []string{
		"5 0755 0:0 nix/", "5 0755 0:0 nix/store/",
		"5 0555 0:0 nix/store/<libc>/", "5 0555 0:0 nix/store/<libc>/lib/", "0 0444 0:0 nix/store/<libc>/lib/libc.so", "0 0444 0:0 nix/store/<libc>/lib/self",
		"5 0555 0:0 share/", "0 0444 0:0 share/doc",
		"5 0755 0:0 usr/",
		"5 0755 0:0 usr/bin/ 1970-01-01 00:00:00 +0000 UTC",
		"2 0777 0:0 usr/bin/redis -> redis-server", "0 0555 0:0 usr/bin/redis-server",
	}
	if d := cmp.Diff(want, short(layerListing(t, out), "libc")); d != "" {
		t.Error(d)
	}
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(t.Context(), out, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	img, err := a.Find("", "", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	// The base has no manifest of its own that would have a digest elsewhere.
	if text := string(img.Image.RawManifest()); !strings.Contains(text, `"annotations":{"org.opencontainers.image.base.name":"docker.io/library/base:1"}}`) {
		t.Errorf("manifest %s", text)
	}
	if got := string(sum.Settings["Env"]); got != `["PATH=/usr/bin","LANG=de","A=b"]` {
		t.Errorf("Env %s", got)
	}
	if sum.Settings["Cmd"] != nil {
		t.Error("Cmd was inherited")
	}
	out = s.build(&Builder{}, attrs{"imageName": "x", "fromImage": base.String(), "inheritConfig": true, "config": attrs{"User": "a"}}, base)
	if sum, err = Inspect(t.Context(), out); err != nil || string(sum.Settings["Cmd"]) != `["bash"]` || len(sum.Layers) != 1 {
		t.Errorf("%+v, error %v", sum, err)
	}
}

// TestLinkAsBase says what a link to a result, copied to the store as it is, lacks.
func TestLinkAsBase(t *testing.T) {
	s := redis(t)
	link := made("link")
	if err := os.Symlink("/home/me/image.tar", s.RealPath(link)); err != nil {
		t.Fatal(err)
	}
	s.register(link)
	want := "it is a link to '/home/me/image.tar', outside of the store; name that file itself"
	if got := s.fail(&Builder{}, attrs{"imageName": "two", "fromImage": link.String()}, link); !strings.HasSuffix(got, want) {
		t.Errorf("%s", got)
	}
}

// TestOwnImageAsBase does not ship again what the base has.
func TestOwnImageAsBase(t *testing.T) {
	s := redis(t)
	first := s.build(&Builder{}, attrs{"imageName": "one", "contents": []string{made("server").String()}}, made("server"))
	base := made("base")
	data, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.RealPath(base), data, 0o644); err != nil {
		t.Fatal(err)
	}
	s.register(base)
	out := s.build(&Builder{}, attrs{"imageName": "two", "fromImage": base.String(), "config": attrs{"Cmd": []string{made("entry").String() + "/bin/entry"}}}, base, made("entry"))
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	was, err := Inspect(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Layers) != 2 || sum.Layers[0].Digest != was.Layers[0].Digest || len(sum.Layers[1].StorePaths) != 2 {
		t.Errorf("layers %+v", sum.Layers)
	}
	for _, l := range layerListing(t, out) {
		if strings.Contains(l, made("libc").Base()) {
			t.Errorf("shipped again: %s", l)
		}
	}
}

func TestRunAsRootOnBase(t *testing.T) {
	s := redis(t)
	base := debian(s)
	b := goScript(func(c RootCommand) rootfs.Owners {
		in := func(name string) string { return filepath.Join(c.Root, name) }
		for _, err := range []error{
			os.Remove(in("usr/bin/su")), os.WriteFile(in("etc/passwd"), []byte("root:x:0:0\nredis:x:9:9"), 0o644),
			os.WriteFile(in("etc/passwd-"), nil, 0o600), os.WriteFile(in("etc/.pwd.lock"), nil, 0o600),
			os.MkdirAll(in("proc/1"), 0o755), os.WriteFile(in("dev/console"), nil, 0o600),
		} {
			if err != nil && !strings.Contains(err.Error(), "console") {
				t.Error(err)
			}
		}
		if data, err := os.ReadFile(in("usr/bin/redis-server")); err != nil || !strings.HasPrefix(string(data), "#!") {
			t.Errorf("the script does not see the contents: %v", err)
		}
		return c.Owners
	})
	out := s.build(b, attrs{"imageName": "x", "fromImage": base.String(), "contents": []string{made("server").String()}, "runAsRoot": "#!/bin/sh\n"}, base, made("server"))
	var got []string
	for _, l := range layerListing(t, out) {
		l, _, _ = strings.Cut(l, " 1970")
		if !strings.Contains(l, " nix/") {
			got = append(got, l)
		}
	}
	want := []string{
		"5 0755 0:0 etc/", "0 0644 0:0 etc/passwd", "5 0555 0:0 share/", "0 0444 0:0 share/doc", "5 1777 0:0 tmp/",
		"5 0755 0:0 usr/", "5 0755 0:0 usr/bin/", "0 0644 0:0 usr/bin/.wh.su", "2 0777 0:0 usr/bin/redis -> redis-server", "0 0555 0:0 usr/bin/redis-server",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestHostileBase builds on bases with tricks: an error, no output, and nothing
// beside the working directory.
func TestHostileBase(t *testing.T) {
	s := redis(t)
	outside := filepath.Join(t.TempDir(), "victim")
	for i, c := range []struct {
		headers []tar.Header
		want    string
	}{
		{[]tar.Header{{Name: "../../../../" + outside, Linkname: "x"}}, "leads out of the image"},
		{[]tar.Header{{Name: outside, Linkname: "x"}}, "its name is absolute"},
		{[]tar.Header{{Typeflag: tar.TypeSymlink, Name: "d", Linkname: "../../../../../../../../../../.."}, {Name: "d" + outside, Linkname: "x"}}, "leads out of the image"},
		{[]tar.Header{{Typeflag: tar.TypeLink, Name: "d", Linkname: "../../../../etc/hostname"}}, "not in the image"},
		{[]tar.Header{{Typeflag: tar.TypeBlock, Name: "disk", Devmajor: 8}}, "a block device outside of /dev"},
		{[]tar.Header{{Typeflag: tar.TypeSymlink, Name: "proc", Linkname: "/etc"}}, "/proc of the image is a symbolic link"},
	} {
		base := s.baseArchive("hostile"+string(rune('a'+i)), nil, c.headers...)
		b := goScript(func(c RootCommand) rootfs.Owners { t.Error("the script ran"); return nil })
		for _, script := range []any{nil, "#!/bin/sh"} {
			if script == nil && strings.Contains(c.want, "/proc") {
				continue
			}
			got := s.fail(b, attrs{"imageName": "x", "fromImage": base.String(), "runAsRoot": script}, base)
			if !strings.Contains(got, c.want) {
				t.Errorf("error %q, expected %q", got, c.want)
			}
		}
		if _, err := os.Lstat(outside); err == nil {
			t.Fatal("a file appeared outside")
		}
	}
	text := s.add("text", files{"x": "y"})
	if got := s.fail(&Builder{}, attrs{"imageName": "x", "fromImage": text.String() + "/x"}, text); !strings.Contains(got, "read image archive") {
		t.Errorf("error %s", got)
	}
	base := debian(s)
	if got := s.fail(&Builder{}, attrs{"imageName": "x", "fromImage": base.String(), "fromImageTag": "2"}, base); !strings.Contains(got, "holds no image with tag 2; it holds base:1") {
		t.Errorf("error %s", got)
	}
}
