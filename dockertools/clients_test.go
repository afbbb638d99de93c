package dockertools

import (
	"archive/tar"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/storepath"
)

// client returns the program of a foreign tool. Without it the test is skipped,
// or fails where everything must be tested.
func client(t *testing.T, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return file
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	// The blob cache of skopeo would let it take one compression for another.
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_RUNTIME_DIR="+t.TempDir())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// sample builds a small image with each compression.
func samples(t *testing.T, compressors ...string) map[string]string {
	t.Helper()
	s := redis(t)
	out := map[string]string{}
	for _, c := range compressors {
		out[c] = s.build(&Builder{}, attrs{
			"imageName": "redis", "imageTag": "7", "compressor": c, "contents": []string{made("server").String()},
			"config": attrs{"Cmd": []string{made("entry").String() + "/bin/entry"}, "ExposedPorts": attrs{"6379/tcp": attrs{}}},
		}, made("server"), made("entry"))
	}
	return out
}

func TestSkopeo(t *testing.T) {
	skopeo := client(t, "skopeo")
	for compressor, archive := range samples(t, "none", "gz", "zstd") {
		sum, err := Inspect(t.Context(), archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, transport := range []string{"docker-archive:", "oci-archive:"} {
			if compressor == "zstd" && transport == "docker-archive:" {
				continue // readers of docker save know no zstd
			}
			var got struct {
				Name, Architecture, Os string
				Digest                 string
				Layers                 []string
			}
			if err := json.Unmarshal([]byte(output(t, skopeo, "inspect", transport+archive)), &got); err != nil {
				t.Fatal(err)
			}
			if got.Architecture != "amd64" || got.Os != "linux" || len(got.Layers) != 1 {
				t.Errorf("%s%s: %+v", transport, compressor, got)
			}
			if transport == "oci-archive:" && (got.Digest != string(sum.Digest) || got.Layers[0] != string(sum.Layers[0].Digest)) {
				t.Errorf("%s%s: %+v, expected %s", transport, compressor, got, sum.Digest)
			}
			dir := filepath.Join(t.TempDir(), "oci")
			output(t, skopeo, "copy", "--insecure-policy", transport+archive, "oci:"+dir+":x")
			validate(t, dir)
		}
	}
}

func TestUmoci(t *testing.T) {
	umoci, archive := client(t, "umoci"), samples(t, "gz")["gz"]
	dir := scratch(t)
	if err := exec.Command("tar", "-C", dir, "-xf", archive).Run(); err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(dir, "bundle")
	output(t, umoci, "unpack", "--rootless", "--image", dir+":7", bundle)
	a, err := os.Stat(filepath.Join(bundle, "rootfs/bin/redis-server"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.Stat(filepath.Join(bundle, "rootfs", made("server").String(), "bin/redis-server"))
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(a, b) {
		t.Error("the copy at /bin is another file than that in the store")
	}
}

// podman returns a podman with a storage of its own.
func podman(t *testing.T) func(args ...string) string {
	program := client(t, "podman")
	if os.Getuid() != 0 && os.Getenv("GONIX_TEST_FULL") != "1" {
		t.Skip("podman's storage needs root or entries in /etc/subuid")
	}
	dir := t.TempDir()
	common := []string{"--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run"), "--storage-driver", "vfs"}
	return func(args ...string) string {
		t.Helper()
		return output(t, program, append(slices.Clone(common), args...)...)
	}
}

func TestPodman(t *testing.T) {
	podman := podman(t)
	compressors := []string{"gz"}
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		compressors = append(compressors, "none", "zstd")
	}
	for compressor, archive := range samples(t, compressors...) {
		if got := podman("load", "-i", archive); !strings.Contains(got, "redis:7") {
			t.Errorf("%s: load says %q", compressor, got)
		}
		var got []struct {
			Config struct {
				Cmd          []string
				ExposedPorts map[string]struct{}
			}
			RootFS struct{ Layers []string }
		}
		if err := json.Unmarshal([]byte(podman("image", "inspect", "redis:7")), &got); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || len(got[0].RootFS.Layers) != 1 || len(got[0].Config.ExposedPorts) != 1 || got[0].Config.Cmd[0] != made("entry").String()+"/bin/entry" {
			t.Errorf("%s: %+v", compressor, got)
		}
		id := strings.TrimSpace(podman("create", "redis:7"))
		tree := exportedFiles(t, podman("export", id))
		for _, name := range []string{"bin/redis-server", strings.TrimPrefix(made("libc").String(), "/") + "/lib/libc.so"} {
			if !tree[name] {
				t.Errorf("%s: no %s in the container", compressor, name)
			}
		}
		podman("rm", id)
		podman("rmi", "redis:7")
	}
}

func exportedFiles(t *testing.T, data string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	tr := tar.NewReader(strings.NewReader(data))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")] = true
	}
}

// TestForeignBases builds on archives that other tools wrote.
func TestForeignBases(t *testing.T) {
	skopeo := client(t, "skopeo")
	archive := samples(t, "gz")["gz"]
	s := redis(t)
	extra := s.add("extra", files{"etc/extra": "x"})
	for i, c := range []struct{ name, transport string }{
		{"docker-archive", "docker-archive:"}, {"oci-archive", "oci-archive:"}, {"oci", "oci:"},
	} {
		base := storepath.MustParse("/nix/store/" + strings.Repeat(string(rune('a'+i)), 32) + "-" + c.name)
		output(t, skopeo, "copy", "--insecure-policy", "oci-archive:"+archive, c.transport+s.RealPath(base)+":base:1")
		s.register(base)
		out := s.build(&Builder{}, attrs{"imageName": "top", "imageTag": "1", "fromImage": base.String(), "contents": []string{extra.String()},
			"config": attrs{"Cmd": []string{made("server").String() + "/bin/redis-server"}}}, base, extra, made("server"))
		sum, err := Inspect(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Layers) != 2 || !sum.Layers[0].FromBase || len(sum.Layers[1].StorePaths) != 0 {
			t.Errorf("%s: %+v", c.name, sum.Layers)
		}
		got := layerListing(t, out)
		if want := []string{"5 0555 0:0 etc/", "0 0444 0:0 etc/extra"}; !slices.Equal(got, want) {
			t.Errorf("%s: layer has %q, expected %q", c.name, got, want)
		}
	}
}
