package listing

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"gonix/dockertools/image"
)

func layerOf(t *testing.T, headers ...tar.Header) image.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		content := h.Gname // what the file holds
		h.Gname, h.Size = "", int64(len(content))
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	w.Close()
	return plain(buf.Bytes())
}

func plain(data []byte) image.Layer {
	return image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

func read(t *testing.T, layers ...image.Layer) (*Listing, error) {
	t.Helper()
	img, err := image.New(image.Config{Architecture: "amd64", OS: "linux"}, layers)
	if err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), img)
}

func TestRead(t *testing.T) {
	lower := layerOf(t,
		tar.Header{Name: "usr/lib/a", Gname: "A"}, tar.Header{Name: "lib", Typeflag: tar.TypeSymlink, Linkname: "usr/lib"},
		tar.Header{Name: "nix/store/x-y/bin/p", Gname: "prog", Mode: 0o755}, tar.Header{Name: "p", Typeflag: tar.TypeLink, Linkname: "nix/store/x-y/bin/p"})
	upper := layerOf(t, tar.Header{Name: "usr/lib/.wh.a"}, tar.Header{Name: "./b", Gname: "B", Uid: 5})
	l, err := read(t, lower, upper)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range l.Files {
		got = append(got, fmt.Sprintf("%s %o %d %d", f.Name, f.Mode, f.UID, f.Size))
		if f.Name == "p" && f.Digest != image.Sum([]byte("prog")) {
			t.Errorf("digest of a hard link: %s", f.Digest)
		}
	}
	if s := strings.Join(got, ","); !strings.Contains(s, "b 644 5 1,lib 777 0 0,nix 755") || strings.Contains(s, "lib/a") {
		t.Error(s)
	}
	for i := range l.Files {
		if f := &l.Files[i]; f.Name == "b" && f.Layer != 1 || f.Name == "p" && (f.Layer != 0 || !f.Linked) || f.Name == "usr" && f.Layer != 0 {
			t.Errorf("%s: layer %d, linked %t", f.Name, f.Layer, f.Linked)
		}
	}
	if p := l.StorePaths(); len(p) != 1 || p["x-y"] != 4 {
		t.Errorf("store paths %v", p)
	}
	before, err := read(t, lower)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, c := range Diff(before, l) {
		changes = append(changes, fmt.Sprintf("%s %t %t", c.Name, c.Old != nil, c.New != nil))
	}
	if s := strings.Join(changes, ","); s != "b false true,usr/lib/a true false" {
		t.Error(s)
	}
}

// watched notes the contents that go by.
type watched struct{ log []string }

func (w *watched) Begin(_ string, size int64) { w.log = append(w.log, fmt.Sprint(size, " ")) }

func (w *watched) Write(p []byte) (int, error) {
	w.log[len(w.log)-1] += string(p)
	return len(p), nil
}

func (w *watched) End(digest image.Digest) { w.log[len(w.log)-1] += " " + string(digest[7:11]) }

// TestWatcher has a file that is written through a link to a directory.
func TestWatcher(t *testing.T) {
	img, err := image.New(image.Config{}, []image.Layer{
		layerOf(t, tar.Header{Name: "a", Gname: "one"}, tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "d"}),
		layerOf(t, tar.Header{Name: "l/x", Gname: "two"}, tar.Header{Name: ".wh.a"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{}
	l, err := Read(t.Context(), img, w)
	if err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(w.log, ","); s != "3 one 7692,3 two 3fc4" {
		t.Error(s)
	}
	if f := l.Files[1]; len(l.Files) != 3 || f.Name != "d/x" || f.Digest != image.Sum([]byte("two")) || f.Layer != 1 {
		t.Errorf("%+v", l.Files)
	}
}

// TestHostile gives layers that play tricks; each must be refused.
func TestHostile(t *testing.T) {
	sound := layerOf(t, tar.Header{Name: "a", Gname: strings.Repeat("x", 5000)})
	whole, err := sound.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(whole)
	if err != nil {
		t.Fatal(err)
	}
	forged := plain(data)
	forged.DiffID = image.Sum(nil)
	for name, c := range map[string]struct {
		layer image.Layer
		want  string
	}{
		"climbing":  {layerOf(t, tar.Header{Name: "../x"}), "'../x' refused"},
		"absolute":  {layerOf(t, tar.Header{Name: "/x"}), "absolute"},
		"hard link": {layerOf(t, tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"}), "not in the image"},
		"device":    {layerOf(t, tar.Header{Name: "x", Typeflag: tar.TypeBlock}), "block device outside of /dev"},
		"link out":  {layerOf(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../.."}, tar.Header{Name: "l/x"}), "leads out"},
		"truncated": {plain(data[:3000]), "unexpected EOF"},
		"no tar":    {plain([]byte(strings.Repeat("nonsense", 200))), "invalid tar header"},
		"diff id":   {forged, "unpacks to"},
	} {
		if _, err := read(t, c.layer); err == nil || !strings.Contains(err.Error(), "layer 1: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
