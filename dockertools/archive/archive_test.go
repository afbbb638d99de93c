package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"gonix/dockertools/image"
)

// file is a member of a hand-made archive. A value beginning with "-> " is a
// symbolic link.
type file struct{ name, content string }

func makeTar(t testing.TB, files ...file) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o644, Size: int64(len(f.content))}
		if target, ok := strings.CutPrefix(f.content, "-> "); ok {
			h = &tar.Header{Typeflag: tar.TypeSymlink, Name: f.name, Linkname: target}
			f.content = ""
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(tw, f.content)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func gzipped(data []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return buf.Bytes()
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// layers of the tests, as tars.
func testLayers(t testing.TB) [2][]byte {
	return [2][]byte{makeTar(t, file{"a", "1"}), makeTar(t, file{"b", strings.Repeat("2", 5000)})}
}

func testConfig(t testing.TB, layers ...[]byte) string {
	cfg := image.Config{Architecture: "amd64", OS: "linux", RootFS: image.RootFS{Type: "layers"}}
	for _, l := range layers {
		cfg.RootFS.DiffIDs = append(cfg.RootFS.DiffIDs, image.Sum(l))
	}
	return jsonText(t, cfg)
}

type obj = map[string]any

// dockerSave is an archive as docker save wrote it before version 25.
func dockerSave(t testing.TB, compress func([]byte) []byte) []byte {
	l := testLayers(t)
	config := testConfig(t, l[0], l[1], l[0])
	configName := image.Sum([]byte(config)).Hex() + ".json"
	return makeTar(t,
		file{"one/VERSION", "1.0"}, file{"one/layer.tar", string(compress(l[0]))},
		file{"two/layer.tar", string(compress(l[1]))}, file{"three/layer.tar", "-> ../one/layer.tar"},
		file{configName, config},
		file{"manifest.json", jsonText(t, []obj{{"Config": configName, "RepoTags": []string{"app:1", "app:latest"}, "Layers": []string{"one/layer.tar", "two/layer.tar", "three/layer.tar"}}})},
		file{"repositories", `{}`})
}

// layout is an OCI layout in a tar.
func layout(t testing.TB, nested bool) []byte {
	l := testLayers(t)
	blobs := []file{{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`}}
	blob := func(mediaType, content string) obj {
		d := image.Sum([]byte(content))
		blobs = append(blobs, file{"./blobs/sha256/" + d.Hex(), content})
		return obj{"mediaType": mediaType, "digest": d, "size": len(content)}
	}
	config := blob(image.MediaTypeConfig, testConfig(t, l[0], l[1]))
	manifest := blob(image.MediaTypeManifest, jsonText(t, obj{"schemaVersion": 2, "config": config, "layers": []obj{
		blob(image.MediaTypeLayerGzip, string(gzipped(l[0]))), blob(image.MediaTypeLayerZstd, string(zstandard(t, l[1]))),
	}}))
	manifest["annotations"] = obj{image.AnnotationRefName: "1"}
	top := []obj{manifest}
	if nested {
		top = []obj{blob(image.MediaTypeIndex, jsonText(t, obj{"schemaVersion": 2, "manifests": top}))}
	}
	return makeTar(t, append(blobs, file{"index.json", jsonText(t, obj{"schemaVersion": 2, "manifests": top})})...)
}

// oldest is an archive from before manifest.json.
func oldest(t testing.TB) []byte {
	l := testLayers(t)
	return makeTar(t,
		file{"aa/json", jsonText(t, obj{"id": "aa", "created": "2015-01-01T00:00:00Z"})}, file{"aa/layer.tar", string(l[0])},
		file{"bb/json", jsonText(t, obj{"id": "bb", "parent": "aa", "config": obj{"Cmd": []string{"x"}}})}, file{"bb/layer.tar", string(l[1])},
		file{"repositories", `{"app":{"1":"bb"}}`})
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func same(b []byte) []byte { return b }

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		name   string
		data   []byte
		layers int
		refs   string
	}{
		{"docker save", dockerSave(t, same), 3, "[app:1 app:latest]"},
		{"docker save with compressed layers", dockerSave(t, gzipped), 3, "[app:1 app:latest]"},
		{"compressed docker save", gzipped(dockerSave(t, same)), 3, "[app:1 app:latest]"},
		{"docker save in zstd", zstandard(t, dockerSave(t, same)), 3, "[app:1 app:latest]"},
		{"layout", layout(t, false), 2, "[:1]"},
		{"nested layout", layout(t, true), 2, "[:1]"},
		{"oldest", oldest(t), 2, "[app:1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Open(t.Context(), write(t, c.data), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			got, err := a.Find("", "1", "amd64")
			if err != nil {
				t.Fatal(err)
			}
			if err := image.Validate(got.Image); err != nil {
				t.Error(err)
			}
			if n := len(got.Image.Layers()); n != c.layers || fmt.Sprint(got.References) != c.refs {
				t.Errorf("%d layers, names %v", n, got.References)
			}
			l := testLayers(t)
			if got.Image.Layers()[1].DiffID != image.Sum(l[1]) {
				t.Error("the second layer is another one")
			}
		})
	}
}

func TestSpoolIsRemoved(t *testing.T) {
	spool := t.TempDir()
	a, err := Open(t.Context(), write(t, gzipped(dockerSave(t, same))), spool)
	if err != nil {
		t.Fatal(err)
	}
	// Nor would anything be left if the process were killed now.
	if left, _ := os.ReadDir(spool); len(left) > 0 {
		t.Errorf("%v can be seen", left)
	}
	a.Close()
}

// TestEnds ends the context at different moments, and opens a pipe that nobody
// writes to.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, data := range [][]byte{dockerSave(t, gzipped), layout(t, false)} {
		a, err := Open(t.Context(), write(t, data), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.ctx = ctx
		images, err := a.Images()
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			for i, l := range images[0].Image.Layers() {
				if err := l.Verify(); !errors.Is(err, context.Canceled) {
					t.Errorf("layer %d: %v", i, err)
				}
			}
		}()
	}
	cancel()
	for _, data := range [][]byte{dockerSave(t, same), gzipped(layout(t, false))} {
		if _, err := Open(ctx, write(t, data), t.TempDir()); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), pipe, ""); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("a pipe: %v", err)
	}
}

// TestManyNames has archives that name the same things again and again: they are
// refused, or no layer is read twice.
func TestManyNames(t *testing.T) {
	inner := `{"manifests":[]}`
	var blobs []file
	for range maxIndexDepth {
		d := image.Sum([]byte(inner))
		blobs = append(blobs, file{blobDir + d.Hex(), inner})
		one := `{"mediaType":"` + image.MediaTypeIndex + `","digest":"` + string(d) + `"},`
		inner = `{"manifests":[` + strings.TrimSuffix(strings.Repeat(one, 1000), ",") + `]}`
	}
	entry := `{"Config":"c","Layers":[]},`
	const config = `{"rootfs":{"diff_ids":[]}}`
	var parents []file
	for i := range 200 {
		parents = append(parents, file{fmt.Sprint(i, "/layer.tar"), "-> ../l"}, file{fmt.Sprint(i, "/json"), fmt.Sprintf(`{"parent":"%d"}`, i+1)})
	}
	tags := map[string]string{}
	for i := range 1000 {
		tags[fmt.Sprint(i)] = "0"
	}
	layer := gzipped(makeTar(t, file{"a", strings.Repeat("x", 1<<20)}))
	for name, data := range map[string][]byte{
		"index":    makeTar(t, append(blobs, file{"index.json", inner})...),
		"manifest": makeTar(t, file{"c", config + strings.Repeat(" ", 2<<20)}, file{"manifest.json", "[" + strings.Repeat(entry, 100) + "{}]"}),
		"parents": makeTar(t, append(parents, file{"l", string(layer)}, file{"200/layer.tar", "-> ../l"}, file{"200/json", "{}"},
			file{"repositories", jsonText(t, obj{"x": tags})})...),
	} {
		if err := readAll(t, write(t, data), t.TempDir()); err == nil || !strings.Contains(err.Error(), "take more than 64 MiB together") && !strings.Contains(err.Error(), "201 layers") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := Open(t.Context(), write(t, dockerSave(t, gzipped)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	opened := 0
	m := a.members["one/layer.tar"]
	open := m.open
	m.open = func() (io.ReadCloser, error) { opened++; return open() }
	a.members["one/layer.tar"] = m
	for range 3 {
		if _, err := a.Images(); err != nil {
			t.Fatal(err)
		}
	}
	if opened != 7 { // once for its digest, and for its first bytes wherever it is named
		t.Errorf("opened %d times", opened)
	}
}

func TestFind(t *testing.T) {
	a, err := Open(t.Context(), write(t, dockerSave(t, same)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, c := range []struct{ name, tag, want string }{
		{"", "", ""}, {"app", "", ""}, {"app", "latest", ""}, {"docker.io/library/app", "1", ""},
		{"app", "2", "holds no image app:2; it holds app:1, app:latest"},
		{"other", "", "holds no image other; it holds app:1, app:latest"},
	} {
		_, err := a.Find(c.name, c.tag, "amd64")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s:%s: error %v, expected %q", c.name, c.tag, err, c.want)
		}
	}
}

// TestBroken reads archives that are damaged or lie.
func TestBroken(t *testing.T) {
	l := testLayers(t)
	config := testConfig(t, l[0])
	good := func(layer string, more ...file) []byte {
		return makeTar(t, append(more, file{"c.json", config}, file{"l/layer.tar", layer},
			file{"manifest.json", `[{"Config":"c.json","RepoTags":null,"Layers":["l/layer.tar"]}]`})...)
	}
	whole := dockerSave(t, same)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "it holds no image"},
		{"text", []byte(strings.Repeat("no archive\n", 100)), "it is no tar archive"},
		{"truncated", whole[:3000], "cut short"},
		{"truncated gzip", gzipped(whole)[:300], "unpack"},
		{"other tar", makeTar(t, file{"x", "y"}), "it holds no image"},
		{"root file system", makeTar(t, file{"etc/passwd", ""}, file{"sbin", "-> /usr/sbin"}), "it holds no image but a root file system"},
		{"no layer", makeTar(t, file{"c.json", config}, file{"manifest.json", `[{"Config":"c.json","Layers":["l/layer.tar"]}]`}), "layer l/layer.tar is missing"},
		{"no configuration", makeTar(t, file{"manifest.json", `[{"Config":"c.json","Layers":[]}]`}), "it has no c.json"},
		{"number of layers", makeTar(t, file{"c.json", config}, file{"manifest.json", `[{"Config":"c.json","Layers":[]}]`}), "names 0 layers for c.json, its configuration 1"},
		{"other layer", good(string(l[1])), "layer has digest"},
		{"layer truncated inside", good(string(gzipped(l[0])[:20])), "EOF"},
		{"layer in xz", good("\xfd7zXZ\x00abc"), "compressed with xz"},
		{"configuration of another name", makeTar(t, file{strings.Repeat("0", 64) + ".json", config}, file{"manifest.json", `[{"Config":"` + strings.Repeat("0", 64) + `.json","Layers":[]}]`}), "has digest"},
		{"member outside", good(string(l[0]), file{"../x", ""}), "leads out of the archive"},
		{"absolute member", good(string(l[0]), file{"/x", ""}), "absolute name"},
		{"link outside", good(string(l[0]), file{"l/x", "-> ../../x"}), "leads out of the archive"},
		{"link to a link to itself", makeTar(t, file{"c.json", config}, file{"l", "-> m"}, file{"m", "-> l"}, file{"manifest.json", `[{"Config":"c.json","Layers":["l"]}]`}), "layer l is missing"},
		{"no JSON", makeTar(t, file{"manifest.json", `{`}), "parse manifest.json"},
		{"digest of no form", makeTar(t, file{"index.json", `{"manifests":[{"mediaType":"` + image.MediaTypeManifest + `","digest":"sha256:../../x"}]}`}), "64 lower case hexadecimal digits"},
		{"endless index", makeTar(t, file{"index.json", `{"manifests":[]}`}), "it holds no image"},
		{"entry of nothing", makeTar(t, file{"manifest.json", `[{},null]`}), "entry 1 of manifest.json names no configuration"},
		{"large configuration", makeTar(t, file{"c", config + strings.Repeat(" ", 4<<20)}, file{"manifest.json", `[{"Config":"c"}]`}), "clients take no more than 4 MiB"},
		{"long history", makeTar(t, file{"c", `{"history":[` + strings.Repeat("{},", 20_000) + `{}]}`}, file{"manifest.json", `[{"Config":"c"}]`}), "its history has 20001 entries"},
		{"old manifest", makeTar(t, file{"index.json", `{"manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"}]}`}), "no image that can be read but a 'application/vnd.docker.distribution.manifest.v1+prettyjws'"},
		{"ring of parents", makeTar(t, file{"a/json", `{"parent":"a"}`}, file{"repositories", `{"x":{"y":"a"}}`}), "more than 256 parents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := readAll(t, write(t, c.data), t.TempDir())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, expected %q", err, c.want)
			}
		})
	}
}

func readAll(t testing.TB, name, spool string) error {
	a, err := Open(t.Context(), name, spool)
	if err != nil {
		return err
	}
	defer a.Close()
	images, err := a.Images()
	if err != nil {
		return err
	}
	for _, i := range images {
		if err := image.Validate(i.Image); err != nil {
			return err
		}
	}
	return nil
}

func writeLayer(content []byte, name string) func(io.Writer) (image.Layer, error) {
	return func(w io.Writer) (image.Layer, error) {
		_, err := w.Write(content)
		return image.Layer{Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(content), Size: int64(len(content)),
			Annotations: map[string]string{"n": name}}, DiffID: image.Sum(content)}, err
	}
}

func writeArchive(t *testing.T, w *Writer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var layers []image.Layer
	for i, c := range [][]byte{testLayers(t)[0], testLayers(t)[1], testLayers(t)[0]} {
		l, err := w.Layer(writeLayer(c, fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, l)
	}
	img, err := image.New(image.Config{Architecture: "amd64", OS: "linux"}, layers)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finish([]Tagged{{img, []image.Reference{{Name: "app", Tag: "1"}, {Name: "app", Tag: "2"}}}}); err != nil {
		t.Fatal(err)
	}
}

// TestWriter writes to a file and to a stream and expects the same archive.
func TestWriter(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f)
	writeArchive(t, w, err)
	var stream bytes.Buffer
	spool := t.TempDir()
	w, err = NewStreamWriter(&stream, spool)
	writeArchive(t, w, err)
	got, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, stream.Bytes()) {
		t.Error("file and stream differ")
	}
	if left, _ := os.ReadDir(spool); len(left) > 0 {
		t.Errorf("%v was left", left)
	}
	if err := readAll(t, f.Name(), ""); err != nil {
		t.Error(err)
	}
	var members []string
	tr := tar.NewReader(bytes.NewReader(got))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, h.Name[:min(len(h.Name), 13)])
	}
	// One of the three layers is a repetition.
	want := []string{"oci-layout", "blobs/", "blobs/sha256/", "blobs/sha256/", "blobs/sha256/", "blobs/sha256/", "blobs/sha256/", "index.json", "manifest.json"}
	if d := cmp.Diff(want, members); d != "" {
		t.Error(d)
	}
}

func TestWriterErrors(t *testing.T) {
	var out bytes.Buffer
	w, err := NewStreamWriter(&out, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content := testLayers(t)[0]
	bad, _ := writeLayer(content, "")(io.Discard)
	bad.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("other")), nil }
	if err := w.Copy(bad); err == nil || !strings.Contains(err.Error(), "its bytes have digest") {
		t.Errorf("error %v", err)
	}
	img, err := image.New(image.Config{}, []image.Layer{bad})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finish([]Tagged{{Image: img}}); err == nil || !strings.Contains(err.Error(), "was not written") {
		t.Errorf("error %v", err)
	}
	stop := errors.New("stop")
	if _, err := w.Layer(func(io.Writer) (image.Layer, error) { return image.Layer{}, stop }); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

func TestHeaderAbove8GiB(t *testing.T) {
	for _, size := range []int64{0, 1<<33 - 1, 1 << 33, 1 << 40} {
		h, err := header(blobDir+strings.Repeat("0", 64), size)
		if err != nil || len(h) != blockSize {
			t.Fatalf("%d: %d bytes, error %v", size, len(h), err)
		}
		got, err := tar.NewReader(bytes.NewReader(h)).Next()
		if err != nil || got.Size != size {
			t.Errorf("%d: read as %v, error %v", size, got, err)
		}
	}
}

// FuzzOpen reads any bytes as an archive.
func FuzzOpen(f *testing.F) {
	f.Add(dockerSave(f, same))
	f.Add(layout(f, true))
	f.Add(oldest(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		spool := t.TempDir()
		if err := readAll(t, write(t, data), spool); err != nil {
			t.Log(err)
		}
		if left, _ := os.ReadDir(spool); len(left) > 0 {
			t.Errorf("%v was left", left)
		}
	})
}
