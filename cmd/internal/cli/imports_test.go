package cli

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// forbidden says which part of the tree may not know which, directly or
// through others. Both sides are import path prefixes below the module.
var forbidden = []struct{ from, to, why string }{
	{"parser", "eval", "the parser hands its tree on and knows nothing of values"},
	{"parser", "derivation", "the parser knows no store"},
	{"eval/value", "eval/code", "values are run by code, not the other way round"},
	{"eval/value", "eval/builtin", "builtins are made of values"},
	{"eval/value", "parser/ast", "values outlive the syntax tree"},
	{"eval", "derivation/build", "evaluation describes, it does not build"},
	{"eval", "derivation/sandbox", "evaluation describes, it does not build"},
	{"eval", "dockertools", "images are one kind of derivation among others"},
	{"derivation", "eval", "derivations do not depend on the language"},
	{"derivation", "parser", "derivations do not depend on the language"},
	{"derivation", "dockertools", "the image builder is registered by cmd"},
	{"dockertools", "eval", "images are packed from store paths"},
	{"dockertools", "parser", "images are packed from store paths"},
	{"nixpkgs-lite", "eval", "the package set is files"},
	{"nixpkgs-lite", "derivation", "the package set is files"},
}

// owners says where a module may be imported; tests may do as they like.
var owners = map[string][]string{
	"github.com/alecthomas/participle/v2":    {"parser"},
	"github.com/spf13/pflag":                 {"cmd/internal"},
	"golang.org/x/term":                      {"cmd/internal"},
	"zombiezen.com/go/sqlite":                {"derivation/store", "derivation/narinfo/memory"},
	"github.com/mikelolasagasti/xz":          {"derivation/fetch", "dockertools/archive", "derivation/binarycache"},
	"github.com/ulikunitz/xz":                {"derivation/binarycache"},
	"github.com/andybalholm/brotli":          {"derivation/binarycache"},
	"github.com/aws/aws-sdk-go-v2":           {"derivation/binarycache"},
	"github.com/aws/smithy-go":               {"derivation/binarycache"},
	"github.com/go-git/go-git/v5":            {"derivation/fetch/git"},
	"github.com/google/go-containerregistry": {"dockertools/registry", "cmd/internal/network"},
	"mvdan.cc/sh/v3":                         {"dockertools/lint"},
	"golang.org/x/sys":                       {"derivation/sandbox", "derivation/store", "derivation/build", "dockertools", "cmd/internal"},
	"github.com/klauspost/compress":          {"derivation/fetch", "derivation/build", "derivation/binarycache", "dockertools"},
}

// layers are the packages of cmd/internal, the lowest first. None knows one that
// comes after it, nor one of its own row.
var layers = [][]string{
	{"process", "terminal", "heap"},
	{"config"},
	{"stores"},
	{"network"},
	{"realise"},
	{"expression"},
	{"hash", "cache", "instantiate"},
	{"image"},
	{"build", "repl", "nixstore", "nixenv"},
	{"nix"},
	{"cli"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "gonix/...")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("the go command cannot list the module here: %v", err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func below(path, prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }

// layerOf is the row of layers that has the package, -1 for other packages.
func layerOf(path string) int {
	name, _ := strings.CutPrefix(path, "gonix/cmd/internal/")
	return slices.IndexFunc(layers, func(row []string) bool { return path != name && slices.Contains(row, name) })
}

// TestImports keeps data flowing one way.
func TestImports(t *testing.T) {
	for _, p := range listPackages(t) {
		if below(p.ImportPath, "gonix/cmd/internal") && layerOf(p.ImportPath) < 0 && !below(p.ImportPath, "gonix/cmd/internal/cli") {
			t.Errorf("%s has no row in layers", p.ImportPath)
		}
		name := strings.TrimPrefix(p.ImportPath, "gonix/")
		for _, rule := range forbidden {
			if !below(name, rule.from) {
				continue
			}
			for _, dep := range p.Deps {
				if below(dep, "gonix/"+rule.to) {
					t.Errorf("%s depends on %s: %s", name, strings.TrimPrefix(dep, "gonix/"), rule.why)
				}
			}
		}
		for _, dep := range p.Deps {
			if below(dep, "gonix/cmd") && !below(name, "cmd") {
				t.Errorf("%s depends on %s: nothing knows the commands", name, dep)
			}
		}
		for _, imp := range p.Imports {
			from, to := layerOf(p.ImportPath), layerOf(imp)
			if from >= 0 && to >= from || from < 0 && to >= 0 && imp != "gonix/cmd/internal/cli" {
				t.Errorf("%s imports %s, which is no lower layer", name, imp)
			}
			for module, places := range owners {
				if below(imp, module) && !slices.ContainsFunc(places, func(place string) bool { return below(name, place) }) {
					t.Errorf("%s imports %s, which is for %s alone", name, imp, strings.Join(places, ", "))
				}
			}
		}
	}
}
