package sbom

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"gonix/derivation"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools/archive"
	"gonix/dockertools/distribution"
	"gonix/dockertools/explain"
	"gonix/dockertools/image"
	"gonix/dockertools/origin"
	"gonix/dockertools/provenance"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden documents anew")

func storePath(c, name string) storepath.Path {
	return storepath.MustParse("/nix/store/" + strings.Repeat(c, 32) + "-" + name)
}

// fake is a store that knows some derivations and objects.
type fake struct {
	drvs  map[storepath.Path]*derivation.Derivation
	infos map[storepath.Path]*store.Info
}

func (f *fake) Info(_ context.Context, p storepath.Path) (*store.Info, error) {
	if i := f.infos[p]; i != nil {
		return i, nil
	}
	return nil, store.ErrNotFound
}

func (f *fake) ReadDerivation(_ context.Context, p storepath.Path) (*derivation.Derivation, error) {
	if d := f.drvs[p]; d != nil {
		return d, nil
	}
	return nil, store.ErrNotFound
}

func (f *fake) ValidDerivers(_ context.Context, p storepath.Path) ([]storepath.Path, error) {
	var list []storepath.Path
	for drv, d := range f.drvs {
		for _, out := range d.Outputs {
			if out.Path == p {
				list = append(list, drv)
			}
		}
	}
	return list, nil
}

func (f *fake) add(drv, out storepath.Path, env map[string]string, inputs ...storepath.Path) *derivation.Derivation {
	d := &derivation.Derivation{Name: out.Name(), Platform: "x86_64-linux", Builder: storePath("z", "bash").String() + "/bin/bash", Outputs: map[string]derivation.Output{"out": {Path: out}}, Env: env}
	for _, in := range inputs {
		if in.IsDerivation() {
			d.AddInput(in, "out")
		} else {
			d.AddSource(in)
		}
	}
	f.drvs[drv] = d
	f.infos[out] = &store.Info{Path: out, Deriver: drv, NarHash: nixhash.SumString(nixhash.SHA256, out.String()), NarSize: 120}
	return d
}

// input is an image of app, which needs lib and a file, with tool copied to its
// root, on a base that has a store path that nobody knows.
func input(t *testing.T) Input {
	t.Helper()
	f := &fake{map[storepath.Path]*derivation.Derivation{}, map[storepath.Path]*store.Info{}}
	app, lib, note, tool, base, src := storePath("a", "app-1.0"), storePath("b", "lib-2.1-pre"), storePath("c", "note.txt"), storePath("d", "tool-3"), storePath("f", "old-0.1"), storePath("g", "app-1.0.tar.gz")
	drv := func(c, name string) storepath.Path { return storePath(c, name+".drv") }
	fetched := f.add(drv("h", "src"), src, map[string]string{"urls": "https://example.org/app-1.0.tar.gz mirror://gnu/app/app-1.0.tar.gz"})
	fetched.Outputs["out"] = derivation.Output{Path: src, HashAlgo: "sha256", Hash: strings.Repeat("ab", 32)}
	f.add(drv("z", "bash"), storePath("z", "bash"), nil)
	f.add(drv("i", "app"), app, map[string]string{"pname": "app", "version": "1.0", "src": src.String()}, drv("h", "src"), drv("z", "bash"), note)
	f.add(drv("j", "lib"), lib, nil, drv("z", "bash"))
	f.add(drv("k", "tool"), tool, map[string]string{"src": note.String()}, note)
	f.infos[tool].References = []storepath.Path{lib}
	f.add(drv("l", "image"), storePath("m", "image.tar"), map[string]string{"__json": `{"contents":["` + tool.String() + `"]}`}, drv("i", "app"), drv("j", "lib"), drv("k", "tool"), drv("n", "lost"))
	f.infos[note] = &store.Info{Path: note, NarHash: nixhash.SumString(nixhash.SHA256, "note"), NarSize: 7}

	layer := func(files map[string]string, names ...string) image.Layer {
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		for _, name := range names {
			if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, files[name])
		}
		w.Close()
		data := buf.Bytes()
		return image.Layer{
			Descriptor: image.Descriptor{MediaType: image.MediaTypeLayer, Digest: image.Sum(data), Size: int64(len(data))}, DiffID: image.Sum(data),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		}
	}
	in := func(p storepath.Path) string { return strings.TrimPrefix(p.String(), "/") }
	bottom := layer(map[string]string{in(base): "old"}, in(base))
	bottom.Annotations = map[string]string{image.AnnotationBase: "true"}
	top := layer(map[string]string{in(app): lib.String() + " " + note.String(), in(lib): "lib", in(note): "note", "bin/tool": "tool"}, in(app), in(lib), in(note), "bin/tool")
	img, err := image.New(image.Config{Architecture: "amd64", OS: "linux", Created: "2024-03-01T12:00:00.5+01:00", Settings: image.Settings{"Cmd": json.RawMessage(`["` + app.String() + `"]`)}}, []image.Layer{bottom, top})
	if err != nil {
		t.Fatal(err)
	}
	tagged := archive.Tagged{Image: img, References: []image.Reference{{Name: "example.org/team/app", Tag: "1.0"}}}
	g, err := explain.Read(t.Context(), tagged)
	if err != nil {
		t.Fatal(err)
	}
	o, err := origin.Find(t.Context(), f, storePath("m", "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	return Input{Image: tagged, Graph: g, Origins: o, Tool: "gonix-test", Metas: map[storepath.Path]Meta{
		drv("i", "app"): {Licences: []Licence{{ID: "MIT"}, {Name: "The App licence"}}, Homepage: "https://example.org", Description: "An app"},
	}}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// TestGolden compares documents with ones that the JSON schemas of SPDX 2.3 and
// CycloneDX 1.6 were found to accept.
func TestGolden(t *testing.T) {
	for _, f := range Formats {
		var docs [2][]byte
		for i := range docs {
			var err error
			if docs[i], err = f.Write(t.Context(), input(t)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(docs[0], docs[1]) {
			t.Errorf("%s: other bytes the second time", f.Name)
		}
		golden(t, f.Name+".json", docs[0])
	}
	in := input(t)
	data, err := provenance.Write(t.Context(), provenance.Input{Image: in.Image, Origins: in.Origins, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "provenance.json", data)
}

// TestSPDX checks what a schema cannot: that everything named is there once.
func TestSPDX(t *testing.T) {
	d, err := gather(t.Context(), input(t))
	if err != nil {
		t.Fatal(err)
	}
	v, err := writeSPDX(d)
	if err != nil {
		t.Fatal(err)
	}
	doc := v.(spdxDocument)
	ids := map[string]bool{doc.ID: true}
	for _, p := range doc.Packages {
		if ids[p.ID] || !regexp.MustCompile(`^SPDXRef-[a-zA-Z0-9.-]+$`).MatchString(p.ID) || p.Name == "" || p.DownloadLocation == "" {
			t.Errorf("package %+v", p)
		}
		ids[p.ID] = true
	}
	seen := map[spdxRelationship]bool{}
	for _, r := range doc.Relationships {
		if !ids[r.From] || !ids[r.To] || seen[r] {
			t.Errorf("relationship %+v", r)
		}
		seen[r] = true
	}
}

// TestUnknown has no store, or one that knows nothing.
func TestUnknown(t *testing.T) {
	in := input(t)
	for _, st := range []origin.Store{nil, &fake{}} {
		o, err := origin.Find(t.Context(), st, storePath("m", "image.tar"))
		if err != nil {
			t.Fatal(err)
		}
		in.Origins = o
		for _, f := range Formats {
			data, err := f.Write(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(data), "4 store paths, of which 4 are of unknown origin. The derivation of the image is not known") || strings.Contains(string(data), "MIT") {
				t.Errorf("%s: %s", f.Name, data)
			}
		}
		if _, err := provenance.Write(t.Context(), provenance.Input{Image: in.Image, Origins: o}); err != provenance.ErrUnknown {
			t.Errorf("error %v", err)
		}
	}
	epoch := int64(1)
	in.Epoch = &epoch
	if d, err := gather(t.Context(), in); err != nil || d.created != "1970-01-01T00:00:01Z" {
		t.Errorf("created %s, error %v", d.created, err)
	}
	if _, err := ParseFormat("swid"); err == nil {
		t.Error("no error")
	}
}

func TestLicences(t *testing.T) {
	for text, want := range map[string]string{
		"MIT":                                "MIT",
		"GPL-2+ and MIT and MIT":             "GPL-2.0-or-later AND MIT",
		"Odd one AND MIT":                    "LicenseRef-Odd-one AND MIT",
		"MIT AND (BSD-2-Clause OR GPL-2.0+)": "MIT AND (BSD-2-Clause OR GPL-2.0-or-later)",
		"ISC OR (MIT AND curl) OR own":       "ISC OR MIT AND curl OR LicenseRef-own",
		"(ISC OR MIT) AND (curl or own)":     "(ISC OR MIT) AND (curl OR LicenseRef-own)",
		"(MIT)":                              "MIT",
		"GPL-2+ with OpenSSL exception":      "LicenseRef-GPL-2--with-OpenSSL-exception",
		"GPL-2.0+ WITH GCC-exception-3.1":    "GPL-2.0-or-later WITH GCC-exception-3.1",
		"(MIT":                               "LicenseRef--MIT",
		"MIT)":                               "LicenseRef-MIT-",
		"MIT OR":                             "LicenseRef-MIT-OR",
		"GPL-2+, and MIT or ISC":             "LicenseRef-GPL-2---and-MIT-or-ISC",
		strings.Repeat("(", 5000):            "LicenseRef-" + strings.Repeat("-", 5000),
	} {
		m := Meta{Licences: readLicences(text)}
		if got, _ := m.licence(); got != want {
			t.Errorf("%s: %s", text, got)
		}
		if l := cdxLicences(m); strings.Contains(want, " OR ") != (l[0].Expression != "" && !strings.Contains(want, "WITH")) {
			t.Errorf("%s: %+v", text, l)
		}
	}
}

func TestPurls(t *testing.T) {
	hash := nixhash.Sum(nixhash.SHA256, nil)
	for url, want := range map[string]string{
		"https://ftp.debian.org/debian/pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_amd64.deb": "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64",
		"https://github.com/Owner/Repo/archive/refs/tags/v1.2.tar.gz":                             "pkg:github/owner/repo@v1.2",
		"https://github.com/owner/repo/releases/download/v1.2/repo-1.2.tar.gz":                    "pkg:github/owner/repo@v1.2",
		"https://crates.io/api/v1/crates/serde/1.0.1/download":                                    "pkg:cargo/serde@1.0.1",
		"https://registry.yarnpkg.com/@scope/name/-/name-1.2.3.tgz":                               "pkg:npm/%40scope/name@1.2.3",
		"https://example.org/a b.tar.gz":                                                          "pkg:generic/a%20b.tar.gz?checksum=sha256:" + hash.Base16() + "&download_url=https:%2F%2Fexample.org%2Fa%20b.tar.gz",
		"not a url":                                                                               "",
		"":                                                                                        "",
	} {
		s := origin.Source{URLs: []string{url}, Hash: hash}
		if url == "" {
			s.URLs = nil
		}
		if got := sourcePurl(s); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}

// TestSystem has packages of a distribution, and one that was overridden.
func TestSystem(t *testing.T) {
	in := input(t)
	bases, err := Unhashed(t.Context(), in)
	if base := storePath("f", "old-0.1").Base(); err != nil || len(bases) != 1 || bases[0] != base {
		t.Fatal(bases, err)
	}
	if in.Archives, err = in.Graph.Files.Archives(t.Context(), in.Image.Image, bases, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	in.System = []distribution.Package{
		{Kind: "apk", Name: "musl", Version: "1.2", Licences: []string{"MIT AND Odd Licence"}, Purl: "pkg:apk/alpine/musl@1.2", File: "/lib/apk/db/installed"},
		{Kind: "deb", Name: "zlib1g", Version: "1", Source: "zlib", Licences: []string{"GPL-2+", "other"}, Homepage: "see <there>", Purl: "pkg:deb/debian/zlib1g@1", File: "/var/lib/dpkg/status"},
	}
	in.Named = map[string]Meta{"lib": {Licences: []Licence{{ID: "ISC"}}, Of: "lib 2.0"}}
	for name, want := range map[string][]string{
		"spdx": {`"licenseDeclared": "MIT AND LicenseRef-Odd-Licence"`, `"licenseDeclared": "GPL-2.0-or-later AND LicenseRef-other"`, "pkg:deb/debian/zlib1g@1", "2 packages of the base system",
			"Its source package is zlib.", `"licenseDeclared": "ISC"`, "The checksum is of an archive (NAR, 120 bytes) of the path's files in the image.", "The package set says so of lib 2.0", "the databases of dpkg and apk name"},
		"cyclonedx": {`"id": "GPL-2.0-or-later"`, `"name": "Odd Licence"`, `"bom-ref": "pkg:deb/debian/zlib1g@1"`, "The package set says so of lib 2.0"},
	} {
		f, err := ParseFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Write(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "see <there>") {
			t.Errorf("%s: a homepage that is no URI", name)
		}
		for _, w := range want {
			if !strings.Contains(string(data), w) {
				t.Errorf("%s: no %s in %s", name, w, data)
			}
		}
	}
}
