package dockertools

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/dockertools/archive"
)

// layerListing lists the files of the last layer.
func layerListing(t testing.TB, name string) []string {
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
	var out []string
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
			line := fmt.Sprintf("%c %04o %d:%d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Name)
			if h.Linkname != "" {
				line += " -> " + h.Linkname
			}
			if h.ModTime.Unix() != 315532800 {
				line += " " + h.ModTime.UTC().String()
			}
			out = append(out, line)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// short replaces the store paths of tests by their names.
func short(lines []string, names ...string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		for _, n := range names {
			l = strings.ReplaceAll(l, made(n).Base(), "<"+n+">")
		}
		out[i] = l
	}
	return out
}

// redis is a store like that of a small server.
func redis(t testing.TB) *testStore {
	s := newTestStore(t)
	libc := s.add("libc", files{"lib/libc.so": strings.Repeat("libc", 1000), "lib/self": "" + made("libc").String()})
	s.add("compiler", files{"bin/cc": "#!" + libc.String()})
	s.add("server", files{"bin/redis-server": "#!" + libc.String() + "/lib/libc.so", "bin/redis": "-> redis-server", "share/doc": "text"})
	s.add("entry", files{"bin/entry": "#!" + made("server").String() + "/bin/redis-server"})
	s.add("env", files{"bin": "-> " + made("server").String() + "/bin", "etc/conf": "x", "loop": "-> ."})
	return s
}

func TestContentsOnly(t *testing.T) {
	s := redis(t)
	out := s.build(&Builder{}, attrs{"imageName": "Redis", "imageTag": "7", "contents": []string{made("server").String()},
		"config": attrs{"Cmd": []string{"/bin/redis-server"}}}, made("server"), made("compiler"))
	want := []string{
		"5 0755 0:0 nix/",
		"5 0755 0:0 nix/store/",
		"5 0555 0:0 nix/store/<libc>/",
		"5 0555 0:0 nix/store/<libc>/lib/",
		"0 0444 0:0 nix/store/<libc>/lib/libc.so",
		"0 0444 0:0 nix/store/<libc>/lib/self",
		"5 0555 0:0 bin/",
		"2 0777 0:0 bin/redis -> redis-server",
		"0 0555 0:0 bin/redis-server",
		"5 0555 0:0 share/",
		"0 0444 0:0 share/doc",
	}
	if d := cmp.Diff(want, short(layerListing(t, out), "libc", "server")); d != "" {
		t.Error(d)
	}
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"redis:7"}, sum.Names); d != "" {
		t.Error(d)
	}
	if len(sum.Layers) != 1 || sum.Layers[0].FromBase || len(sum.StorePaths) != 1 || sum.StorePaths[0].Path != made("libc").String() || sum.StorePaths[0].Bytes != 4000+int64(len(made("libc").String())) {
		t.Errorf("summary %+v", sum)
	}
	other := int64(len("#!"+made("libc").String()+"/lib/libc.so") + len("text")) // no headers of the tar
	if sum.UnpackedSize < 4000 || sum.OtherSize != other || sum.Size <= 0 {
		t.Errorf("summary %+v, expected %d bytes outside the store", sum, other)
	}
}

// TestContentsAlsoInStore has contents whose own store path is in the image.
func TestContentsAlsoInStore(t *testing.T) {
	s := redis(t)
	out := s.build(&Builder{}, attrs{"imageName": "redis", "contents": []string{made("server").String()},
		"config": attrs{"Entrypoint": []string{made("entry").String() + "/bin/entry"}}}, made("server"), made("entry"))
	listing := strings.Join(short(layerListing(t, out), "libc", "server", "entry"), "\n")
	for _, want := range []string{
		"0 0555 0:0 nix/store/<server>/bin/redis-server",
		"0 0555 0:0 nix/store/<entry>/bin/entry",
		"1 0555 0:0 bin/redis-server -> nix/store/<server>/bin/redis-server",
	} {
		if !strings.Contains(listing, want) {
			t.Errorf("no %q in\n%s", want, listing)
		}
	}
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if sum.OtherSize != 0 { // they are links into the store
		t.Errorf("%d bytes outside the store", sum.OtherSize)
	}
	if tag := sum.Names[0]; tag != "redis:"+made("docker-image-test.tar.gz").HashPart() {
		t.Errorf("tag %s", tag)
	}
}

func TestDirectoryLinks(t *testing.T) {
	s := redis(t)
	for _, c := range []struct {
		keep bool
		want []string
	}{
		{false, []string{
			"5 0555 0:0 bin/", "2 0777 0:0 bin/redis -> redis-server", "0 0555 0:0 bin/redis-server",
			"5 0555 0:0 etc/", "0 0444 0:0 etc/conf", "2 0777 0:0 loop -> .",
		}},
		{true, []string{
			"2 0777 0:0 bin -> /nix/store/<server>/bin",
			"5 0555 0:0 etc/", "0 0444 0:0 etc/conf", "2 0777 0:0 loop -> .",
		}},
	} {
		out := s.build(&Builder{}, attrs{"imageName": "x", "keepContentsDirlinks": c.keep, "contents": []string{made("env").String()}}, made("env"))
		var got []string
		for _, l := range short(layerListing(t, out), "libc", "server", "env") {
			if !strings.Contains(l, " nix/") {
				got = append(got, l)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("keep %v: %s", c.keep, d)
		}
	}
}

func TestOwnersAndDates(t *testing.T) {
	s := redis(t)
	b := goScript(nil)
	out := s.build(b, attrs{"imageName": "x", "uid": 1000, "gid": 100, "created": "now", "variant": "v3", "contents": []string{made("server").String()}}, made("server"))
	listing := strings.Join(short(layerListing(t, out), "libc"), "\n")
	if !strings.Contains(listing, "1000:100 bin/redis-server") || !strings.Contains(listing, "1000:100 ./") || !strings.Contains(listing, "0:0 nix/store/<libc>/lib/libc.so") {
		t.Error(listing)
	}
	if sum, err := Inspect(t.Context(), out); err != nil || sum.Created != "2001-09-09T01:46:40Z" || sum.Variant != "v3" {
		t.Errorf("created %s, variant %s, error %v", sum.Created, sum.Variant, err)
	}
}

func TestDateForms(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-02T03:04:05.5+01:00": "2024-01-02T03:04:05.5+01:00",
		"2024-01-02T03:04:05+0100":    "2024-01-02T03:04:05+01:00",
		"2024-01-02T03:04":            "2024-01-02T03:04:00Z",
		"2024-01-02 03:04:05 +0100":   "2024-01-02T03:04:05+01:00", // git's %ci
		"2024-01-02 03:04:05 UTC":     "2024-01-02T03:04:05Z",
		"2024-01-02 03:04:05Z":        "2024-01-02T03:04:05Z",
		"2024-01-02 03:04":            "2024-01-02T03:04:00Z",
		"20240102030405":              "2024-01-02T03:04:05Z", // lastModifiedDate of a flake
		"20240102":                    "2024-01-02T00:00:00Z", // and its first eight digits
		"@1704164645":                 "2024-01-02T03:04:05Z", // lastModified
		"@253402300799":               "9999-12-31T23:59:59Z",
		"@253402300800":               "",
		"@-1":                         "",
		"@":                           "",
		"2024":                        "",
		"20240132":                    "",
		"":                            "",
	} {
		got, err := (&Spec{Created: text}).created(nil)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, error %v", text, got, err)
		}
	}
}

// TestSameImage builds under different circumstances and expects one digest.
func TestSameImage(t *testing.T) {
	for _, compressor := range []string{"none", "gz", "zstd"} {
		var first []byte
		for i, around := range []struct {
			umask, procs, cores int
			tz                  string
		}{{0o022, 1, 1, "UTC"}, {0o077, 2, 2, "Asia/Tokyo"}, {0, 8, 8, "America/New_York"}} {
			old, procs := syscall.Umask(around.umask), runtime.GOMAXPROCS(around.procs)
			t.Setenv("TZ", around.tz)
			s := redis(t)
			job := s.job(attrs{"imageName": "x", "compressor": compressor, "contents": []string{made("env").String()}}, made("env"))
			job.Cores = around.cores
			err := (&Builder{}).Build(t.Context(), job)
			syscall.Umask(old)
			runtime.GOMAXPROCS(procs)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(job.Dest["out"])
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = got
			} else if string(got) != string(first) {
				t.Errorf("%s: %+v gives another archive", compressor, around)
			}
		}
	}
}

// TestLayers gives store paths layers of their own.
func TestLayers(t *testing.T) {
	s := redis(t)
	for _, c := range []struct {
		most int
		want []int // store paths in each layer
	}{{100, []int{1, 1, 1, 0}}, {4, []int{1, 1, 1, 0}}, {3, []int{1, 2, 0}}, {2, []int{3, 0}}} {
		out := s.build(&Builder{}, attrs{"imageName": "x", "layerStrategy": "size-first", "maxLayers": c.most, "contents": []string{made("server").String()},
			"config": attrs{"Cmd": []string{made("entry").String()}}}, made("server"), made("entry"))
		sum, err := Inspect(t.Context(), out)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, l := range sum.Layers {
			got = append(got, len(l.StorePaths))
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("at most %d layers: %s", c.most, d)
		}
	}
	if got := s.fail(&Builder{}, attrs{"imageName": "x", "layerStrategy": "size-first", "maxLayers": 1}); !strings.Contains(got, "no layer is left for store paths of the 1") {
		t.Errorf("error %s", got)
	}
}

func TestSpecErrors(t *testing.T) {
	s := redis(t)
	gone := "/nix/store/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-gone"
	for _, c := range []struct {
		attrs attrs
		want  string
	}{
		{attrs{"imageName": "a b"}, "image name 'a b' is not valid"},
		{attrs{"imageName": "a", "imageTag": "x:y"}, "image tag 'x:y' is not valid"},
		{attrs{"imageName": "a", "config": attrs{"Comand": []string{"x"}}}, "config has no setting 'Comand'; did you mean 'Cmd'?"},
		{attrs{"imageName": "a", "config": attrs{"ExposePorts": attrs{}}}, "did you mean 'ExposedPorts'?"},
		{attrs{"imageName": "a", "config": attrs{"Cmd": 5}}, "config.Cmd is not a list of strings: 5"},
		{attrs{"imageName": "a", "config": attrs{"Env": []string{"x"}}}, "config.Env is not a list of strings of the form NAME=value"},
		{attrs{"imageName": "a", "config": attrs{"ExposedPorts": []string{"1"}}}, "config.ExposedPorts is not a set whose values are empty sets"},
		{attrs{"imageName": "a", "config": attrs{"Cmd": []string{}, "cmd": []string{}}}, "config has 'Cmd' twice"},
		{attrs{"imageName": "a", "config": attrs{"Cmd": []string{gone}}}, "neither an input of the derivation nor in the base image"},
		{attrs{"imageName": "a", "compressor": "lzma"}, "compressor 'lzma' is unknown; there are none, gz, zstd"},
		{attrs{"imageName": "a", "created": "yesterday"}, "'created' is neither \"now\" nor a date"},
		{attrs{"imageName": "a", "uid": -1}, "'uid' is not a user or group number: -1"},
		{attrs{"imageName": "a", "gid": "users"}, `'gid' is not a user or group number: "users"`},
		{attrs{"imageName": "a", "architecture": "x86_64"}, "architecture 'x86_64' is unknown"},
		{attrs{"imageName": "a", "contents": []string{"/etc"}}, "path '/etc' is not in the Nix store"},
		{attrs{"imageName": "a", "runAsRoot": "true"}, "need a 'shell'"},
		{attrs{"imageName": "a", "runAsRoot": "#!/bin/sh"}, "scripts cannot run on this system"},
		{attrs{"imageName": "a", "fromImageTag": "x"}, "'fromImage', which is not set"},
		{attrs{"imageName": "a", "maxLayers": 126}, "'maxLayers' is not a number from 1 to 125"},
		{attrs{"imageName": "a", "layerStrategy": "x"}, "there are single, size-first"},
		{attrs{"imageName": "a", "layered": true, "runAsRoot": "#!x"}, "layered ones have 'fakeRootCommands'"},
		{attrs{"imageName": "a", "fakeRootCommands": "x"}, "need a 'shell'"},
		{attrs{"imageName": "a", "mtime": "soon"}, "'mtime' is neither \"now\" nor a date"},
	} {
		if got := s.fail(&Builder{}, c.attrs, made("server")); !strings.Contains(got, c.want) {
			t.Errorf("%v:\n got %s\nwant %s", c.attrs, got, c.want)
		}
	}
}

func TestSettingsCase(t *testing.T) {
	s := redis(t)
	out := s.build(&Builder{}, attrs{"imageName": "x", "config": attrs{"cmd": []string{"a"}, "entrypoint": "/b c", "USER": "redis", "Env": nil}})
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Settings) != 3 || string(sum.Settings["Cmd"]) != `["a"]` || string(sum.Settings["Entrypoint"]) != `["/b c"]` || string(sum.Settings["User"]) != `"redis"` {
		t.Errorf("settings %s", sum.Settings)
	}
}
