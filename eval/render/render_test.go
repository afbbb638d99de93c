package render_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonix/eval"
	"gonix/eval/render"
	"gonix/eval/value"
)

var update = flag.Bool("update", false, "write the outputs to testdata")

// outputs are the forms in which nix-instantiate --eval prints.
var outputs = []struct {
	golden string
	source string
	args   []string // of nix-instantiate; nil: it has no such form
	strict bool
	render func(th *value.Thread, v value.Value) (string, error)
}{
	{"value.txt", "value.nix", []string{}, false, render.LazyText},
	{"value-strict.txt", "value.nix", []string{"--strict"}, true, render.Text},
	{"value.xml", "value.nix", []string{"--xml", "--no-location"}, false, xml(false, false)},
	{"value-strict.xml", "value.nix", []string{"--xml", "--strict", "--no-location"}, true, xml(true, false)},
	{"value-located.xml", "value.nix", []string{"--xml", "--strict"}, true, xml(true, true)},
	{"plain.json", "plain.nix", []string{"--json", "--strict"}, false, json},
	{"value-shown.txt", "value.nix", nil, true, show(value.ShowOptions{})},
	{"value-pretty.txt", "value.nix", nil, false, show(value.ShowOptions{Force: true, Derivations: true, Indent: 2})},
	{"value-cut.txt", "value.nix", nil, true, show(value.ShowOptions{MaxDepth: 1, MaxAttrs: 9, MaxItems: 3, MaxString: 3})},
}

func xml(strict, locations bool) func(*value.Thread, value.Value) (string, error) {
	return func(th *value.Thread, v value.Value) (string, error) {
		s, _, err := render.XML(th, v, 0, strict, locations)
		return strings.TrimSuffix(s, "\n"), err
	}
}

func json(th *value.Thread, v value.Value) (string, error) {
	s, _, err := render.JSON(th, v, 0, true, false)
	return s, err
}

func show(o value.ShowOptions) func(*value.Thread, value.Value) (string, error) {
	return func(th *value.Thread, v value.Value) (string, error) { return th.ShowAs(v, o) }
}

// portable replaces the folder of the sources, which is part of places.
func portable(s, dir string) string { return strings.ReplaceAll(s, dir, "/testdata") }

func TestOutputs(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	_, noNix := exec.LookPath("nix-instantiate")
	for _, tt := range outputs {
		t.Run(tt.golden, func(t *testing.T) {
			file := filepath.Join(dir, tt.source)
			s := eval.New(eval.Options{})
			v, err := s.EvalFile(file)
			if err == nil && tt.strict {
				err = s.Thread().DeepForce(v, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := tt.render(s.Thread(), v)
			if err != nil {
				t.Fatal(err)
			}
			got := portable(out, dir) + "\n"
			golden := filepath.Join("testdata", tt.golden)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if tt.args == nil {
				return
			}
			if noNix != nil {
				if os.Getenv("GONIX_TEST_FULL") == "1" {
					t.Fatal(noNix)
				}
				t.Skip("nix-instantiate is not installed")
			}
			args := append([]string{"--eval", "--readonly-mode"}, tt.args...)
			nix, err := exec.Command("nix-instantiate", append(args, file)...).Output()
			if err != nil {
				t.Fatalf("nix-instantiate: %v", err)
			}
			nixText := strings.TrimSuffix(portable(string(nix), dir), "\n") + "\n"
			if got != nixText {
				t.Errorf("got\n%s\nNix\n%s", got, nixText)
			}
		})
	}
}

// TestDeep writes an endless value, which must end with an error.
func TestDeep(t *testing.T) {
	for name, write := range map[string]func(*value.Thread, value.Value) (string, error){
		"show": show(value.ShowOptions{Force: true}), "xml": xml(true, false), "json": json,
	} {
		s := eval.New(eval.Options{MaxDepth: 1000})
		v, err := s.EvalString("let f = n: { inner = f (n + 1); }; in f 0", "/", "«string»")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := write(s.Thread(), v); err == nil {
			t.Errorf("%s: an endless value was written", name)
		}
	}
}

func TestNotUTF8(t *testing.T) {
	for text, want := range map[string]string{
		"a\xff":        "JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index 1: 0xFF",
		"\xc3":         "JSON serialization error: [json.exception.type_error.316] incomplete UTF-8 string; last byte: 0xC3",
		"\xe2\x28":     "JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index 1: 0x28",
		"\xed\xa0\x80": "JSON serialization error: [json.exception.type_error.316] invalid UTF-8 byte at index 1: 0xA0",
	} {
		th := eval.New(eval.Options{}).Thread()
		_, _, err := render.JSON(th, value.NewString(text), 0, true, false)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
