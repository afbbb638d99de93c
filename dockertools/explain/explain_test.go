package explain

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"gonix/dockertools/archive"
	"gonix/dockertools/image"

	"github.com/google/go-cmp/cmp"
)

// store makes a path whose hash part is one character repeated.
func store(c, name string) string { return "nix/store/" + strings.Repeat(c, 32) + "-" + name }

type file struct{ name, content, link string }

func layerOf(t *testing.T, files ...file) image.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.content))}
		switch {
		case strings.HasPrefix(f.link, "="):
			h.Typeflag, h.Linkname = tar.TypeLink, f.link[1:]
		case f.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f.content)
	}
	w.Close()
	data := buf.Bytes()
	return image.Layer{
		Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

func graph(t *testing.T, settings string, layers ...image.Layer) *Graph {
	t.Helper()
	cfg := image.Config{Architecture: "amd64", OS: "linux"}
	if err := json.Unmarshal([]byte(settings), &cfg.Settings); err != nil {
		t.Fatal(err)
	}
	img, err := image.New(cfg, layers)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Read(t.Context(), archive.Tagged{Image: img})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// example is app → lib → libc, app → data, and a link to tool → libc; nothing
// refers to orphan.
func example(t *testing.T) *Graph {
	return graph(t, `{"Entrypoint":["/`+store("a", "app-1.0")+`/bin/app"],"WorkingDir":"/"}`,
		layerOf(t, file{store("c", "libc-2.0") + "/lib/libc.so", strings.Repeat(".", 1000), ""}, file{store("x", "old"), "gone", ""}),
		layerOf(t,
			file{store("a", "app-1.0") + "/bin/app", "run /" + store("b", "lib-3") + "/x and /" + store("d", "data") + " and " + store("a", "app-1.0"), ""},
			file{store("b", "lib-3") + "/lib/lib.so", "/" + store("c", "libc-2.0"), ""},
			file{store("b", "lib-3") + "/lib/again", "/" + store("c", "libc-2.0"), ""},
			file{store("d", "data"), strings.Repeat(".", 500), ""},
			file{store("f", "tool-0.1") + "/bin/tool", "small", ""},
			file{store("f", "tool-0.1") + "/lib", "", "/" + store("c", "libc-2.0") + "/lib"},
			file{store("g", "orphan"), "o", ""},
			file{"nix/store/.wh." + strings.Repeat("x", 32) + "-old", "", ""}),
		layerOf(t,
			file{"bin/tool", "", "/" + store("f", "tool-0.1") + "/bin/tool"}, file{"bin/tool2", "", "/" + store("f", "tool-0.1") + "/bin/tool"},
			file{"bin/data", strings.Repeat(".", 500), ""}, file{"bin/data2", "", "=bin/data"}, file{"sbin", "", "bin"},
			file{"nix/var/nix/db/db.sqlite", store("g", "orphan"), ""}))
}

func text(g *Graph) Text {
	return Text{Graph: g, Size: func(n int64) string { return fmt.Sprint(n, " B") }, Clean: func(s string) string { return s }}
}

func TestGraph(t *testing.T) {
	var b bytes.Buffer
	g := example(t)
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%s: %d bytes in %d files, closure %d in %d, leaving %d in %d, layers %v, to", n.Path.Name(), n.Size, n.Count, n.ClosureSize, n.ClosureCount, n.LeavingSize, n.LeavingCount, n.Layers)
		for _, r := range n.Refs {
			fmt.Fprintf(&b, " %s by %s in %d,", g.Nodes[r.To].Path.Name(), r.Via, r.Files)
		}
		fmt.Fprintln(&b)
	}
	for _, r := range g.Roots {
		fmt.Fprintf(&b, "%s: %v\n", r, r.To)
	}
	want := `app-1.0: 163 bytes in 1 files, closure 1767 in 4, leaving 767 in 3, layers [1], to data by bin/app in 1, lib-3 by bin/app in 1,
data: 500 bytes in 1 files, closure 500 in 1, leaving 500 in 1, layers [1], to
lib-3: 104 bytes in 2 files, closure 1104 in 2, leaving 104 in 1, layers [1], to libc-2.0 by lib/again in 2,
libc-2.0: 1000 bytes in 1 files, closure 1000 in 1, leaving 1000 in 1, layers [0], to
orphan: 1 bytes in 1 files, closure 1 in 1, leaving 1 in 1, layers [1], to
tool-0.1: 5 bytes in 1 files, closure 1005 in 2, leaving 5 in 1, layers [1], to libc-2.0 by lib in 1,
setting Entrypoint: [0]
file /bin/tool and 1 more beside it: [5]
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if l := g.Layers[2]; l.Other != 500+int64(len(store("g", "orphan"))) || l.Files != 2 {
		t.Errorf("files outside the store: %d in %d", l.Other, l.Files)
	}
}

func TestSubject(t *testing.T) {
	g := example(t)
	for word, want := range map[string]string{
		"libc": `/` + store("c", "libc-2.0") + `
  layer        1 of 3, ` + string(g.Layers[0].Digest) + `
  own size     1000 B in 1 files
  closure      1000 B in 1 store paths
  would leave  1000 B in 1 store paths

file /bin/tool and 1 more beside it refers to
/` + store("f", "tool-0.1") + ` (5 B, layer 2)
└─ /lib refers to /` + store("c", "libc-2.0") + ` (1000 B, layer 1)

setting Entrypoint refers to
/` + store("a", "app-1.0") + ` (163 B, layer 2)
└─ /bin/app refers to /` + store("b", "lib-3") + ` (104 B, layer 2)
   └─ /lib/again refers to /` + store("c", "libc-2.0") + ` (1000 B, layer 1)
`,
		"/sbin/data": `/bin/data
  size         500 B
  layer        3 of 3, ` + string(g.Layers[2].Digest) + `
  the same as  /` + store("d", "data") + `
It is not in the store: the contents or the scripts of the image put it there.
`,
		"gggg": `/` + store("g", "orphan") + `
  layer        2 of 3, ` + string(g.Layers[1].Digest) + `
  own size     1 B in 1 files
  closure      1 B in 1 store paths
  would leave  1 B in 1 store paths

nothing outside of the store refers to
/` + store("g", "orphan") + ` (1 B, layer 2)
`,
	} {
		s, err := g.Find(word)
		if err != nil {
			t.Error(err)
			continue
		}
		var b bytes.Buffer
		x := text(g)
		x.All = true
		if err := x.Subject(&b, s); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: %s", word, d)
		}
		if _, err := json.Marshal(g.Report(s)); err != nil {
			t.Error(err)
		}
	}
	for word, want := range map[string]string{
		"nosuch":                   "the image has no store path 'nosuch'",
		"lib":                      "",
		"ib":                       "it has\n  /" + store("b", "lib-3"),
		"/none":                    "the image has no file '/none'",
		"/bin/x/y":                 "has no file",
		"/" + store("z", "libc-1"): "the image has no store path '/" + store("z", "libc-1") + "'; it has\n  /" + store("c", "libc-2.0"),
	} {
		if _, err := g.Find(word); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v", word, err)
		}
	}
}

// TestCycle has two paths that refer to one another and nothing that leads there.
func TestCycle(t *testing.T) {
	g := graph(t, `{}`, layerOf(t, file{store("a", "a"), store("b", "b"), ""}, file{store("b", "b"), store("a", "a"), ""}))
	for _, n := range g.Nodes {
		if n.ClosureCount != 2 || len(g.Why(n.ID)) != 1 {
			t.Errorf("%s: %+v", n.Path, n)
		}
	}
	if g.Nodes[0].LeavingCount != 2 || g.Nodes[1].LeavingCount != 1 {
		t.Errorf("leaving %d, %d", g.Nodes[0].LeavingCount, g.Nodes[1].LeavingCount)
	}
}
