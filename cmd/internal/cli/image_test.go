package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/cmd/internal/process"
	"gonix/dockertools/image"
)

type tarMember struct {
	h    tar.Header
	data string
}

func tarOf(t *testing.T, members ...tarMember) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range members {
		m.h.Mode, m.h.Size = 0o644, int64(len(m.data))
		if err := w.WriteHeader(&m.h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(m.data))
	}
	w.Close()
	return buf.Bytes()
}

// saved is an archive of docker save with one layer.
func saved(t *testing.T, layer []byte) []byte {
	t.Helper()
	config, err := json.Marshal(image.Config{Architecture: "amd64", OS: "linux", RootFS: image.RootFS{Type: "layers", DiffIDs: []image.Digest{image.Sum(layer)}}})
	if err != nil {
		t.Fatal(err)
	}
	return tarOf(t,
		tarMember{tar.Header{Name: "config.json"}, string(config)}, tarMember{tar.Header{Name: "layer.tar"}, string(layer)},
		tarMember{tar.Header{Name: "manifest.json"}, `[{"Config":"config.json","RepoTags":["x:1"],"Layers":["layer.tar"]}]`})
}

// TestImageHostile gives each command that reads an image archives that are
// damaged or play tricks.
func TestImageHostile(t *testing.T) {
	dir := t.TempDir()
	good := saved(t, tarOf(t, tarMember{tar.Header{Name: "a"}, strings.Repeat("x", 10_000)}))
	archives := map[string][]byte{
		"empty":     nil,
		"truncated": good[:6000],
		"climbing":  tarOf(t, tarMember{tar.Header{Name: "../../manifest.json"}, "[]"}),
		"absolute":  tarOf(t, tarMember{tar.Header{Name: "/manifest.json"}, "[]"}),
		"device":    tarOf(t, tarMember{tar.Header{Name: "manifest.json", Typeflag: tar.TypeBlock}, ""}),
		"no layer":  tarOf(t, tarMember{tar.Header{Name: "manifest.json"}, `[{"Config":"c","Layers":["../l"]}]`}),
	}
	layers := map[string][]byte{ // sound archives of bad layers
		"layer moves cursor":   tarOf(t, tarMember{tar.Header{Name: "../\x1b[2J\x1b]0;x\a"}, "x"}),
		"layer climbs":         tarOf(t, tarMember{tar.Header{Name: "../../etc/passwd"}, "x"}),
		"layer is absolute":    tarOf(t, tarMember{tar.Header{Name: "/etc/passwd"}, "x"}),
		"layer links out":      tarOf(t, tarMember{tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"}, ""}),
		"layer has a device":   tarOf(t, tarMember{tar.Header{Name: "sda", Typeflag: tar.TypeBlock}, ""}),
		"layer is cut short":   tarOf(t, tarMember{tar.Header{Name: "a"}, strings.Repeat("x", 10_000)})[:4000],
		"layer through a link": tarOf(t, tarMember{tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../../.."}, ""}, tarMember{tar.Header{Name: "l/x"}, "x"}),
	}
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	sound := write("sound", good)
	call := func(args ...string) (int, string) {
		var stdout, stderr bytes.Buffer
		w := &process.World{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Cwd: dir, LookupEnv: func(string) (string, bool) { return "", false }, Width: func() int { return 80 }}
		return run(t.Context(), w, "gonix", append([]string{"image"}, args...)), stderr.String()
	}
	if code, text := call("verify", sound); code != 0 {
		t.Fatalf("verify of a sound archive: %s", text)
	}
	check := func(name, file string, commands ...[]string) {
		for _, args := range commands {
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "@", file)
			}
			code, text := call(args...)
			if strings.ContainsAny(text, "\x1b\a") || code != 1 || !strings.HasPrefix(text, "error: ") || !strings.Contains(text, file) && !strings.Contains(text, "layer") {
				t.Errorf("%s: %s: status %d, %q", name, args, code, text)
			}
		}
	}
	files := func() [][]string {
		return [][]string{{"ls", "@"}, {"diff", "@", sound}, {"diff", sound, "@"}, {"verify", "@"}, {"lint", "@"}, {"explain", "@"}, {"sbom", "@"}}
	}
	for name, data := range archives {
		file := write(name, data)
		check(name, file, append(files(), []string{"push", "@", "127.0.0.1:1/x"}, []string{"index", "-t", "127.0.0.1:1/x", "@"},
			[]string{"inspect", "@"}, []string{"layers", "@"}, []string{"load", "@"})...)
	}
	for name, data := range layers {
		check(name, write(name, saved(t, data)), files()...)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1+len(archives)+len(layers) {
		t.Errorf("%d files are left, error %v", len(left), err)
	}
}
