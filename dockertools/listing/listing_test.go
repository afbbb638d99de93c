package listing

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
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

// TestArchives compares with archives of the same files on disk, whatever the order
// and form in which layers have them.
func TestArchives(t *testing.T) {
	const a, b = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"
	root := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	big := strings.Repeat("0123456789abcdef", 40000)
	must(os.MkdirAll(root+"/"+a+"/bin", 0o755))
	must(os.WriteFile(root+"/"+a+"/bin/p", []byte(big), 0o755))
	must(os.WriteFile(root+"/"+a+"/bin-", []byte("x"), 0o644))
	must(os.WriteFile(root+"/"+a+"/empty", nil, 0o644))
	must(os.Symlink("bin/p", root+"/"+a+"/link"))
	must(os.WriteFile(root+"/"+a+"/z", []byte("last"), 0o644))
	must(os.WriteFile(root+"/"+b, []byte("x"), 0o644))
	want := map[string]Archive{}
	for _, base := range []string{a, b} {
		var buf bytes.Buffer
		must(nar.Dump(&buf, root+"/"+base))
		want[base] = Archive{nixhash.Sum(nixhash.SHA256, buf.Bytes()), int64(buf.Len())}
	}
	dir := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o555} }
	file := func(name, text string, mode int64) tar.Header {
		return tar.Header{Name: "nix/store/" + name, Gname: text, Mode: mode}
	}
	link := func(name, to string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to} }
	symlink := tar.Header{Name: "nix/store/" + a + "/link", Typeflag: tar.TypeSymlink, Linkname: "bin/p"}
	p, minus, empty, z, single := file(a+"/bin/p", big, 0o555), file(a+"/bin-", "x", 0o444), file(a+"/empty", "", 0o444), file(a+"/z", "last", 0o444), file(b, "x", 0o444)
	dirs := []tar.Header{dir("nix/store/" + a), dir("nix/store/" + a + "/bin")}
	with := func(h ...tar.Header) image.Layer { return layerOf(t, append(slices.Clone(dirs), h...)...) }
	other := z
	other.Gname = "more than the last"
	device := tar.Header{Name: "nix/store/" + a + "/fifo", Typeflag: tar.TypeFifo}
	for name, c := range map[string]struct {
		layers []image.Layer
		want   string
	}{
		"as in archives":         {[]image.Layer{with(p, minus, empty, symlink, z, single)}, a + b},
		"backwards":              {[]image.Layer{with(single, z, symlink, empty, minus, p)}, a + b},
		"two layers":             {[]image.Layer{with(z, p), layerOf(t, single, minus, empty, symlink)}, a + b},
		"linked":                 {[]image.Layer{with(p, empty, symlink, z, single, link(minus.Name, single.Name))}, a + b},
		"linked to outside":      {[]image.Layer{with(p, empty, symlink, z, tar.Header{Name: "x", Gname: "x"}, link(minus.Name, "x"), link(single.Name, "x"))}, a + b},
		"replaced":               {[]image.Layer{with(p, minus, empty, symlink, other, single), layerOf(t, z)}, a + b},
		"twice in a layer":       {[]image.Layer{with(p, minus, empty, symlink, other, z, single)}, b},
		"what no store can have": {[]image.Layer{with(p, minus, empty, symlink, z, device, single)}, b},
	} {
		img, err := image.New(image.Config{}, c.layers)
		must(err)
		l, err := Read(t.Context(), img)
		must(err)
		spool := t.TempDir()
		got, err := l.Archives(t.Context(), img, []string{a, b, "c"}, spool)
		must(err)
		for base, w := range want {
			if g, ok := got[base]; ok != strings.Contains(c.want, base) || ok && (!g.Hash.Equal(w.Hash) || g.Size != w.Size) {
				t.Errorf("%s: %s is %v, want %v", name, base, g, w)
			}
		}
		if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
			t.Errorf("%s: left %v, error %v", name, left, err)
		}
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
