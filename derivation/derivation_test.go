package derivation

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/nixhash"
	"gonix/derivation/storepath"
)

var update = flag.Bool("update", false, "make the fixtures again with nix-instantiate")

const fixtures = "testdata/drv"

// instantiate runs C++ Nix on file with a store of its own and returns the
// physical directory of that store's objects.
func instantiate(t *testing.T, file string) string {
	t.Helper()
	program, err := exec.LookPath("nix-instantiate")
	if err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal("nix-instantiate is not installed")
		}
		t.Skip("nix-instantiate is not installed")
	}
	root := t.TempDir()
	cmd := exec.Command(program, "--store", "local?root="+root, file)
	cmd.Env = append(os.Environ(), "NIX_REMOTE=local?root="+root, "HOME="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nix-instantiate %s: %v\n%s", file, err, out)
	}
	return filepath.Join(root, storepath.Dir)
}

// checkDir checks that each .drv in dir is read and written without change,
// and that its output paths and its own path follow from its text.
func checkDir(t *testing.T, dir string) {
	t.Helper()
	load := func(p storepath.Path) (*Derivation, error) {
		text, err := os.ReadFile(filepath.Join(dir, p.Base()))
		if err != nil {
			return nil, err
		}
		return Parse(strings.TrimSuffix(p.Name(), storepath.DrvSuffix), text)
	}
	resolve := NewResolver(load)
	files, err := filepath.Glob(filepath.Join(dir, "*.drv"))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d derivations in %s, %v", len(files), dir, err)
	}
	for _, file := range files {
		p, err := storepath.FromBase(filepath.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		d, err := load(p)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(d.AppendTo(nil)); got != string(text) {
			t.Errorf("%s is written as\n%s\ninstead of\n%s", file, got, text)
		}
		if got, err := d.DrvPath(); err != nil || got != p {
			t.Errorf("%s: DrvPath = %s, %v", file, got, err)
		}
		if err := d.CheckOutputPaths(resolve); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		// From nothing: all paths must come back.
		c := d.Clone()
		for name, o := range c.Outputs {
			o.Path = storepath.Path{}
			c.Outputs[name] = o
			c.Env[name] = ""
		}
		if err := c.FillOutputPaths(resolve); err != nil {
			t.Errorf("%s: %v", file, err)
		} else if got := string(c.AppendTo(nil)); got != string(text) {
			t.Errorf("%s is filled in as\n%s\ninstead of\n%s", file, got, text)
		}
	}
}

func TestFixtures(t *testing.T) {
	if *update {
		dir := instantiate(t, "testdata/graph.nix")
		old, err := filepath.Glob(filepath.Join(fixtures, "*.drv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range old {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.drv"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(fixtures, filepath.Base(f)), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	checkDir(t, fixtures)
}

func TestAgainstNix(t *testing.T) {
	checkDir(t, instantiate(t, "testdata/graph.nix"))
}

func TestPlaceholder(t *testing.T) {
	const want = "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
	if got := Placeholder("out"); got != want {
		t.Errorf("Placeholder(out) = %s, want %s", got, want)
	}
}

func simple() *Derivation {
	return &Derivation{Name: "x", Platform: "s", Builder: "b", Outputs: map[string]Output{"out": {}}}
}

func TestHashErrors(t *testing.T) {
	input := storepath.MustParse("/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-in.drv")
	none := func(storepath.Path) (map[string]nixhash.Hash, error) { return map[string]nixhash.Hash{}, nil }
	for _, c := range []struct {
		what, want string
		change     func(d *Derivation)
	}{
		{"no outputs", "must have at least one output", func(d *Derivation) { d.Outputs = nil }},
		{"floating", "content-addressed output 'out' without a hash", func(d *Derivation) { d.Outputs["out"] = Output{HashAlgo: "r:sha256"} }},
		{"mixed", "mixes a fixed output 'out' with others", func(d *Derivation) {
			d.Outputs = map[string]Output{"out": {HashAlgo: "md5", Hash: strings.Repeat("0", 32)}, "x": {}}
		}},
		{"misnamed", "named 'x' instead of 'out'", func(d *Derivation) {
			d.Outputs = map[string]Output{"x": {HashAlgo: "md5", Hash: strings.Repeat("0", 32)}}
		}},
		{"bad algorithm", "unknown hash algorithm 'crc'", func(d *Derivation) { d.Outputs["out"] = Output{HashAlgo: "r:crc", Hash: "00"} }},
		{"missing output", "has no output 'dev', which 'x' needs", func(d *Derivation) { d.AddInput(input, "dev") }},
		{"bad name", "illegal character", func(d *Derivation) { d.Name = "a b" }},
	} {
		d := simple()
		c.change(d)
		if err := d.FillOutputPaths(none); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

func TestResolverCycle(t *testing.T) {
	p := storepath.MustParse("/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-in.drv")
	resolve := NewResolver(func(storepath.Path) (*Derivation, error) {
		d := simple()
		d.AddInput(p, "out")
		return d, nil
	})
	if _, err := resolve(p); err == nil || !strings.Contains(err.Error(), "depends on itself") {
		t.Errorf("cycle: %v", err)
	}
	resolve = NewResolver(func(storepath.Path) (*Derivation, error) { return nil, os.ErrNotExist })
	if _, err := resolve(p); err == nil {
		t.Error("missing derivation: no error")
	}
}

// A derivation that is used twice by each of its users must be hashed once.
func TestResolverIsLinear(t *testing.T) {
	const depth = 200
	made := map[storepath.Path]*Derivation{}
	loads := 0
	load := func(p storepath.Path) (*Derivation, error) { loads++; return made[p], nil }
	fill := NewResolver(load)
	var last storepath.Path
	for i := range depth {
		d := simple()
		d.Env = map[string]string{"i": strings.Repeat("i", i)}
		d.Outputs["dev"] = Output{}
		if i > 0 {
			d.AddInput(last, "out")
			d.AddInput(last, "dev")
		}
		if err := d.FillOutputPaths(fill); err != nil {
			t.Fatal(err)
		}
		p, err := d.DrvPath()
		if err != nil {
			t.Fatal(err)
		}
		made[p], last = d, p
	}
	loads = 0
	if _, err := NewResolver(load)(last); err != nil || loads != depth {
		t.Errorf("%d loads for %d derivations, %v", loads, depth, err)
	}
}

func TestParseErrors(t *testing.T) {
	const p = "/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-in.drv"
	for _, c := range []struct{ text, want string }{
		{``, "parse derivation 'x': expected 'Derive(' at byte 0"},
		{`DrvWithVersion("xp-dyn-drv",`, "expected 'Derive('"},
		{`Derive([],[],[],"s","b",[],[])x`, "after the end"},
		{`Derive([],[],[],"s","b",[])`, "expected ','"},
		{`Derive([("out","/tmp/x","","")],[],[],"s","b",[],[])`, "is not in the Nix store"},
		{`Derive([("out","","md5","abc")],[],[],"s","b",[],[])`, "wrong length"},
		{`Derive([("out","","",""),("out","","","")],[],[],"s","b",[],[])`, "output 'out' appears twice"},
		{`Derive([],[("` + p + `",["out"]),("` + p + `",["out"])],[],"s","b",[],[])`, "appears twice"},
		{`Derive([],[],["x"],"s","b",[],[])`, "source: path 'x' is not in the Nix store"},
		{`Derive([],[],[],"s","b",[],[("a","1"),("a","2")])`, "variable 'a' appears twice"},
	} {
		_, err := Parse("x", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.drv"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("x", text)
		if err != nil {
			return
		}
		out := d.AppendTo(nil)
		again, err := Parse("x", out)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", text, out, err)
		}
		if second := again.AppendTo(nil); string(second) != string(out) {
			t.Errorf("%q is written as %q, then as %q", text, out, second)
		}
	})
}
