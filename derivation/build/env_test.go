package build

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation"
	"gonix/derivation/nixhash"
)

// environment builds a derivation and returns what its builder would be started
// with, and the files made for it. Its one input is NEEDED.
func environment(t *testing.T, d derivation.Derivation) (*Env, map[string]string, *strings.Replacer, error) {
	t.Helper()
	b := newBench(t)
	low := b.drv(derivation.Derivation{Name: "low"}, write("low"))
	needed := b.drv(derivation.Derivation{Name: "needed"}, func(_ context.Context, job *Job) error {
		return os.WriteFile(job.Dest["out"], []byte(job.Drv.Env["in"]), 0o644)
	}, low)
	expand := strings.NewReplacer("NEEDED", b.out(needed, "out").String(), "LOW", b.out(low, "out").String())
	for k, v := range d.Env {
		d.Env[k] = expand.Replace(v)
	}
	var env *Env
	files := map[string]string{}
	drv := b.drv(d, func(ctx context.Context, job *Job) (err error) {
		if env, err = Environment(ctx, job, "/build"); err != nil {
			return err
		}
		entries, err := os.ReadDir(job.TmpDir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(job.TmpDir, e.Name()))
			if err != nil {
				return err
			}
			files[e.Name()] = string(text)
		}
		return write("content")(ctx, job)
	}, needed)
	opts := b.options()
	opts.LookupEnv = func(name string) (string, bool) {
		return "from outside", name == "allowed"
	}
	_, err := b.run(opts, drv)
	return env, files, strings.NewReplacer(b.out(needed, "out").String(), "NEEDED", b.out(low, "out").String(), "LOW", b.out(drv, "out").String(), "OUT"), err
}

func TestEnvironment(t *testing.T) {
	env, files, shorten, err := environment(t, derivation.Derivation{
		Name: "env",
		Args: []string{"-c", "echo " + derivation.Placeholder("out")},
		Env: map[string]string{
			"attr": "value", "self": "at " + derivation.Placeholder("out"), "PATH": "/mine", "TMPDIR": "/mine",
			"long": "a long text", "passAsFile": "long",
			"exportReferencesGraph": "graph NEEDED", "impureEnvVars": "allowed",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := shorten.Replace(strings.Join(env.List(), "\n"))
	want := `HOME=/homeless-shelter
NIX_BUILD_CORES=3
NIX_BUILD_TOP=/build
NIX_LOG_FD=2
NIX_STORE=/nix/store
PATH=/mine
PWD=/build
TEMP=/build
TEMPDIR=/build
TERM=xterm-256color
TMP=/build
TMPDIR=/build
attr=value
exportReferencesGraph=graph NEEDED
impureEnvVars=allowed
in=NEEDED 
longPath=/build/.attr-` + nixhash.Sum(nixhash.SHA256, []byte("long")).Base32() + `
out=OUT
passAsFile=long
self=at OUT`
	if got != want {
		t.Errorf("variables\n%s\nwant\n%s", got, want)
	}
	if got := shorten.Replace(env.Args[1]); got != "echo OUT" {
		t.Errorf("argument %q", got)
	}
	graph := []string{"LOW\n\n0\n", "NEEDED\n\n1\nLOW\n"}
	if got := shorten.Replace(files["graph"]); got != graph[0]+graph[1] && got != graph[1]+graph[0] {
		t.Errorf("graph %q", got)
	}
	if text := files[".attr-"+nixhash.Sum(nixhash.SHA256, []byte("long")).Base32()]; text != "a long text" {
		t.Errorf("file %q", text)
	}
}

func TestImpureVariables(t *testing.T) {
	h := nixhash.Sum(nixhash.SHA256, []byte("content"))
	env, _, _, err := environment(t, derivation.Derivation{
		Name: "fixed", Env: map[string]string{"impureEnvVars": "allowed absent"},
		Outputs: map[string]derivation.Output{"out": {HashAlgo: "sha256", Hash: h.Base16()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := env.Vars["absent"]; env.Vars["allowed"] != "from outside" || v != "" || !ok || env.Vars["NIX_OUTPUT_CHECKED"] != "1" {
		t.Errorf("variables %v", env.List())
	}
}

func TestBadGraphs(t *testing.T) {
	for spec, want := range map[string]string{
		"graph":                     "odd number of tokens in 'exportReferencesGraph': 'graph'",
		"a/b NEEDED":                "invalid file name 'a/b' in 'exportReferencesGraph'",
		"graph /etc":                "'exportReferencesGraph' contains a non-store path '/etc'",
		"graph /nix/store/" + other: "cannot export references of path '/nix/store/" + other + "' because it is not in the input closure of the derivation",
	} {
		_, _, _, err := environment(t, derivation.Derivation{Name: "bad", Env: map[string]string{"exportReferencesGraph": spec}})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", spec, err, want)
		}
	}
}

const other = "00000000000000000000000000000000-other"

// TestStructuredAttributes expects what Nix 2.8 wrote for the same attributes,
// and "valid", which came later.
func TestStructuredAttributes(t *testing.T) {
	env, files, shorten, err := environment(t, derivation.Derivation{Name: "attrs", Env: map[string]string{
		"__json": `{"builder":"/bin/sh","exportReferencesGraph":{"graph":["NEEDED"]},"f":1.5,"fl":[1.5],"no":false,"yes":true,` +
			`"nothing":null,"n":5,"neg":-3,"w":2.0,"s":"it's \"q\" é \t <&>","l":["a","b c",1,true,null],"nested":[["x"]],` +
			`"set":{"b c":"d'e","a":1},"deep":{"a":{"b":1}},"bad-name":"x","empty":[],"emptySet":{},"self":"` + derivation.Placeholder("out") + `"}`,
		"in": "",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if env.Vars["NIX_ATTRS_JSON_FILE"] != "/build/.attrs.json" || env.Vars["NIX_ATTRS_SH_FILE"] != "/build/.attrs.sh" || env.Vars["__json"] != "" {
		t.Errorf("variables %v", env.List())
	}
	json := shorten.Replace(files[".attrs.json"])
	for _, part := range []string{
		`{"bad-name":"x","builder":"/bin/sh","deep":{"a":{"b":1}},"empty":[],"emptySet":{},"exportReferencesGraph":{"graph":["NEEDED"]},"f":1.5,"fl":[1.5],"graph":[{`,
		`"path":"LOW","references":[],"valid":true}`, `"path":"NEEDED","references":["LOW"],"valid":true}`,
		`"outputs":{"out":"OUT"},"s":"it's \"q\" é \t <&>","self":"OUT","set":{"a":1,"b c":"d'e"},"w":2.0,"yes":true}`,
		`{"closureSize":`, `,"narHash":"sha256:`,
	} {
		if !strings.Contains(json, part) {
			t.Errorf("JSON lacks %s", part)
		}
	}
	want := `declare builder='/bin/sh'
declare -a empty=()
declare -A emptySet=()
declare -a l=('a' 'b c' 1 1 '' )
declare n=5
declare neg=-3
declare no=
declare nothing=''
declare -A outputs=(['out']='OUT' )
declare s='it'\''s "q" é 	 <&>'
declare self='OUT'
declare -A set=(['a']=1 ['b c']='d'\''e' )
declare w=2
declare yes=1
`
	if got := shorten.Replace(files[".attrs.sh"]); got != want {
		t.Errorf(".attrs.sh\n%s\nwant\n%s", got, want)
	}
	if t.Failed() {
		t.Log(json)
	}
	if _, _, _, err := environment(t, derivation.Derivation{Name: "bad", Env: map[string]string{"__json": "[]"}}); err == nil {
		t.Error("attributes that are a list were accepted")
	}
}

func TestAttr(t *testing.T) {
	plain := Job{Drv: &derivation.Derivation{Env: map[string]string{"a": "x"}}}
	structured := Job{Drv: &derivation.Derivation{Env: map[string]string{"__json": `{"a":"x","l":["y","z"],"n":1}`, "b": "hidden"}}}
	for _, c := range []struct {
		job  Job
		name string
		want string
		ok   bool
	}{
		{plain, "a", "x", true}, {plain, "b", "", false},
		{structured, "a", "x", true}, {structured, "l", "y z", true}, {structured, "n", "", false}, {structured, "b", "", false},
	} {
		if got, ok := c.job.Attr(c.name); got != c.want || ok != c.ok {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
}
