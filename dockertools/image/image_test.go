package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func blob(content string) Layer {
	return Layer{
		Descriptor: Descriptor{MediaType: MediaTypeLayer, Digest: Sum([]byte(content)), Size: int64(len(content))},
		DiffID:     Sum([]byte(content)),
		Open:       func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}

func TestImmutable(t *testing.T) {
	one, err := New(Config{Architecture: "amd64", OS: "linux", Created: "x", History: []History{{Comment: "1"}}}, []Layer{blob("1")})
	if err != nil {
		t.Fatal(err)
	}
	before := one.Digest()
	two, err := one.Append(blob("2"), History{Comment: "2"})
	if err != nil {
		t.Fatal(err)
	}
	if one.Digest() != before || len(one.Layers()) != 1 || two.Digest() == before || len(two.Layers()) != 2 {
		t.Error("Append changed the image it was called on")
	}
	clear(one.RawConfig())
	clear(one.Layers())
	for _, img := range []*Image{one, two} {
		if err := Validate(img); err != nil {
			t.Error(err)
		}
	}
	want := `{"created":"x","architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["` + string(Sum([]byte("1"))) + `"]},"history":[{"comment":"1"}]}`
	if got := string(one.RawConfig()); got != want {
		t.Errorf("configuration %s", got)
	}
}

func TestNewErrors(t *testing.T) {
	many := make([]Layer, MaxLayers+1)
	if _, err := New(Config{}, many); err == nil || !strings.Contains(err.Error(), "126 layers, but clients take no more than 125") {
		t.Errorf("error %v", err)
	}
	if _, err := New(Config{}, many[:MaxLayers]); err != nil {
		t.Error(err)
	}
	if _, err := New(Config{History: []History{{}, {EmptyLayer: true}}}, many[:2]); err == nil || !strings.Contains(err.Error(), "the history tells of 1 layers, but there are 2") {
		t.Errorf("error %v", err)
	}
}

func TestValidate(t *testing.T) {
	cfg := Config{Architecture: "amd64", OS: "linux"}
	for _, c := range []struct {
		name  string
		spoil func(l *Layer)
		want  string
	}{
		{"good", func(*Layer) {}, ""},
		{"other bytes", func(l *Layer) { l.Open = blob("2").Open }, "layer has digest"},
		{"longer", func(l *Layer) { l.Open = blob("11").Open }, "and 2 bytes, expected"},
		{"other diff id", func(l *Layer) { l.DiffID = Sum(nil) }, "unpacks to"},
	} {
		l := blob("1")
		c.spoil(&l)
		img, err := New(cfg, []Layer{l})
		if err != nil {
			t.Fatal(err)
		}
		err = Validate(img)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, expected %q", c.name, err, c.want)
		}
	}
	img, err := New(cfg, []Layer{blob("1")})
	if err != nil {
		t.Fatal(err)
	}
	lying, err := Load(bytes.Replace(img.rawConfig, []byte("linux"), []byte("hurd!"), 1), img.rawManifest, img.layers)
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(lying); err == nil || !strings.Contains(err.Error(), "it names configuration") {
		t.Errorf("error %v", err)
	}
}

func TestMergeEnv(t *testing.T) {
	set := func(s string) Settings { return Settings{"Env": json.RawMessage(s), "Cmd": json.RawMessage(`["x"]`)} }
	for _, c := range []struct {
		base, own string
		all       bool
		want      string
	}{
		{`["A=1","B=2"]`, `["B=3","C=4"]`, false, `["A=1","B=3","C=4"]`},
		{`["A=<&>"]`, `[]`, false, `["A=<&>"]`},
		{`null`, `["A=1"]`, true, `["A=1"]`},
	} {
		got, err := Settings{"Env": json.RawMessage(c.own)}.WithBase(set(c.base), c.all)
		if err != nil || string(got["Env"]) != c.want || (got["Cmd"] != nil) != c.all {
			t.Errorf("%+v: %s, error %v", c, got, err)
		}
	}
}

func TestReferences(t *testing.T) {
	for _, c := range []struct{ name, tag, full string }{
		{"redis", "7", "docker.io/library/redis:7"},
		{"app/redis", "7.0_x", "docker.io/app/redis:7.0_x"},
		{"quay.io/app/redis", "7", "quay.io/app/redis:7"},
		{"localhost/redis", "7", "localhost/redis:7"},
		{"localhost:5000/a__b/c-d.e", "7", "localhost:5000/a__b/c-d.e:7"},
	} {
		r, err := NewReference(c.name, c.tag)
		if err != nil {
			t.Error(err)
			continue
		}
		if r.Full() != c.full || SplitReference(r.String()) != r {
			t.Errorf("%v: full name %s", r, r.Full())
		}
	}
	for _, bad := range [][2]string{{"", "x"}, {"Redis", "x"}, {"a//b", "x"}, {"a.", "x"}, {"-a", "x"}, {"a", ""}, {"a", ".x"}, {"a", strings.Repeat("x", 129)}} {
		if _, err := NewReference(bad[0], bad[1]); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if got := SplitReference("localhost:5000/a"); got != (Reference{"localhost:5000/a", "latest"}) {
		t.Errorf("%v", got)
	}
}

func TestParseSettingsShapes(t *testing.T) {
	for key, shape := range settingShapes {
		if _, err := ParseSettings([]byte(`{"` + key + `":[[]]}`)); err == nil || !strings.Contains(err.Error(), "config."+key+" is not "+shapeWords[shape]) {
			t.Errorf("%s: error %v", key, err)
		}
	}
	good := `{"Cmd":["a"],"Env":["A=","B=c=d"],"ExposedPorts":{"1/tcp":{}},"Healthcheck":{"Interval":1000000000,"Test":["CMD","x"]},"Labels":{"a":"b"},"OpenStdin":true,"StopTimeout":10,"User":"x"}`
	s, err := ParseSettings([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	text, err := encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(good, string(text)); d != "" {
		t.Error(d)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"architecture":"amd64","config":{"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":["` + string(Sum(nil)) + `"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParseConfig(data)
		if err != nil {
			return
		}
		if _, err := (Settings{}).WithBase(cfg.Settings, true); err != nil {
			t.Log(err)
		}
		if _, err := encode(cfg); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

// TestAudit spoils what Validate does not look at.
func TestAudit(t *testing.T) {
	tarOf := func(names ...string) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, name := range names {
			if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: 1}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	zip := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(data)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	const docker = "application/vnd.docker.image.rootfs.diff.tar"
	for _, c := range []struct {
		name      string
		mediaType string
		gzip      bool
		tar       []byte
		old, new  string // in the manifest
		want      string
	}{
		{"plain", MediaTypeLayer, false, tarOf("a", "b"), "", "", ""},
		{"gzip", MediaTypeLayerGzip, true, tarOf("a", "b"), "", "", ""},
		{"Docker's", docker + ".gzip", true, tarOf("a"), MediaTypeManifest, DockerMediaTypeManifest, ""},
		{"no type of manifest", docker, false, tarOf("a"), `,"mediaType":"` + MediaTypeManifest + `"`, "", ""},
		{"not gzip", MediaTypeLayerGzip, false, tarOf("a"), "", "", "validate layer 0: layer begins as a '" + MediaTypeLayer + "' does, but should be a '" + MediaTypeLayerGzip + "'"},
		{"not zstd", MediaTypeLayerZstd, true, tarOf("a"), "", "", "validate layer 0: layer begins as a '" + MediaTypeLayerGzip + "'"},
		{"unknown type", "text/plain", false, tarOf("a"), "", "", "validate layer 0: 'text/plain' is no type of layers"},
		{"twice", MediaTypeLayer, false, tarOf("a", "b", "a"), "", "", "validate layer 0: it has the file 'a' twice"},
		{"no tar", MediaTypeLayer, false, bytes.Repeat([]byte("x"), 1024), "", "", "validate layer 0: archive/tar"},
		{"cut short", MediaTypeLayer, false, tarOf("a")[:512], "", "", "validate layer 0: unexpected EOF"},
		{"index", MediaTypeLayer, false, tarOf("a"), MediaTypeManifest, MediaTypeIndex, "validate manifest: it says that it is a '" + MediaTypeIndex + "'"},
		{"other configuration", MediaTypeLayer, false, tarOf("a"), MediaTypeConfig, "application/json", "validate manifest: it has a configuration of type 'application/json'"},
	} {
		l := blob(string(c.tar))
		if c.gzip {
			l = blob(string(zip(c.tar)))
			l.DiffID = Sum(c.tar)
		}
		l.MediaType = c.mediaType
		img, err := New(Config{Architecture: "amd64", OS: "linux"}, []Layer{l})
		if err != nil {
			t.Fatal(err)
		}
		manifest := bytes.Replace(img.RawManifest(), []byte(c.old), []byte(c.new), 1)
		if img, err = Load(img.RawConfig(), manifest, img.Layers()); err != nil {
			t.Fatal(err)
		}
		err = Audit(img)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: error %v, expected %q", c.name, err, c.want)
		}
	}
	img, err := New(Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := bytes.Replace(img.RawConfig(), []byte(`"layers"`), []byte(`"strata"`), 1)
	if img, err = Load(config, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := Audit(img); err == nil || err.Error() != "validate configuration: rootfs is of type 'strata', not 'layers'" {
		t.Errorf("error %v", err)
	}
}

func TestDiffSettings(t *testing.T) {
	config := func(arch, text string) Config {
		c := Config{Architecture: arch, OS: "linux", Created: text}
		if err := json.Unmarshal([]byte(text), &c.Settings); err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := config("amd64", `{"Cmd":["sh","-c","a && b"],"Labels":{"x":"1","y":"2"},"User":"","Healthcheck":{"Interval":30000000000},"WorkingDir":"/a"}`)
	b := config("arm64", `{"Cmd": ["sh", "-c", "a && c"],"Labels":{"y":"2","x":"1"},"Env":null,"Healthcheck":{"Interval":40000000000},"StopSignal":"TERM"}`)
	var got []string
	for _, c := range DiffSettings(a, b) {
		got = append(got, fmt.Sprintf("%s %s %s", c.Name, c.Old, c.New))
	}
	want := `Cmd ["sh","-c","a && b"] ["sh","-c","a && c"]|Healthcheck {"Interval":30000000000} {"Interval":40000000000}|StopSignal  "TERM"|WorkingDir "/a" |architecture "amd64" "arm64"`
	if s := strings.Join(got, "|"); s != want {
		t.Error(s)
	}
	if d := DiffSettings(a, a); d != nil {
		t.Error(d)
	}
}
