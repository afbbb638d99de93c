package eval_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"gonix/eval"
	"gonix/eval/render"
	"gonix/eval/value"
	"gonix/parser/source"
)

// evalText evaluates an expression strictly and prints it, or its error
// without trace.
func evalText(s *eval.State, text string) string {
	v, err := s.EvalString(text, "/lang", "«string»")
	if err == nil {
		err = s.Thread().DeepForce(v, source.NoPos)
	}
	if err != nil {
		return "error: " + err.Error()
	}
	out, err := render.Text(s.Thread(), v)
	if err != nil {
		return "error: " + err.Error()
	}
	return out
}

func TestMounts(t *testing.T) {
	lib := fstest.MapFS{
		"default.nix":     {Data: []byte(`{ sub = import ./sub; path = toString ./sub; text = builtins.readFile ./sub/text; }`)},
		"sub/default.nix": {Data: []byte(`5`)},
		"sub/text":        {Data: []byte("content")},
	}
	s := newState(t, func(o *eval.Options) {
		o.Files.Mounts = append(o.Files.Mounts, eval.Mount{Path: "/virtual/lib", FS: lib})
		o.SearchPath = append(o.SearchPath, eval.SearchEntry{Prefix: "vlib", Path: "/virtual/lib"})
	})
	for _, c := range [][2]string{
		{`import <vlib>`, `{ path = "/virtual/lib/sub"; sub = 5; text = "content"; }`},
		{`toString <vlib/sub>`, `"/virtual/lib/sub"`},
		{`builtins.readDir <vlib>`, `{ "default.nix" = "regular"; sub = "directory"; }`},
		{`builtins.pathExists /virtual/lib/sub/text`, `true`},
		{`builtins.pathExists /virtual/lib/sub/none`, `false`},
		{`builtins.pathExists /virtual`, `true`},
		{`builtins.readFileType /virtual/lib`, `"directory"`},
		{`import /virtual/lib/none.nix`, `error: path '/virtual/lib/none.nix' does not exist`},
		{`import /virtual`, `error: path '/virtual/default.nix' does not exist`},
		{`builtins.typeOf (import <nix/fetchurl.nix>)`, `"lambda"`},
	} {
		if got := evalText(s, c[0]); got != c[1] {
			t.Errorf("%s = %s, want %s", c[0], got, c[1])
		}
	}
}

func TestPhysicalStore(t *testing.T) {
	root := t.TempDir()
	object := "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-x"
	write(t, root+object+"/default.nix", `{ here = toString ./.; linked = import ./link.nix; }`)
	write(t, root+object+"/real/file.nix", `baseNameOf (toString ./.)`)
	link(t, object+"/real/file.nix", root+object+"/link.nix")
	s := newState(t, func(o *eval.Options) {
		o.Files.Physical = func(p string) string { return root + p }
	})
	got := evalText(s, "import "+object)
	if want := `{ here = "` + object + `"; linked = "real"; }`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestImportDerivation(t *testing.T) {
	root := t.TempDir()
	drv := "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-x.drv"
	out := "/nix/store/h1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-x"
	write(t, root+drv, `Derive([("dev","`+out+`-dev","",""),("out","`+out+`","","")],[],[],"sys","/bin/sh",[],[("name","x")])`)
	s := newState(t, func(o *eval.Options) {
		o.Files.Physical = func(p string) string { return root + p }
	})
	for _, c := range [][2]string{
		{`(import ` + drv + `).out.outPath`, `"` + out + `"`},
		{`(import ` + drv + `).outPath`, `"` + out + `-dev"`},
		{`builtins.getContext (import ` + drv + `).out.outPath`, `{ "` + drv + `" = { outputs = [ "out" ]; }; }`},
		{`builtins.getContext (import ` + drv + `).drvPath`, `{ "` + drv + `" = { allOutputs = true; }; }`},
		{`(import ` + drv + `).name`, `"x"`},
	} {
		if got := evalText(s, c[0]); got != c[1] {
			t.Errorf("%s = %s, want %s", c[0], got, c[1])
		}
	}
}

func TestAttr(t *testing.T) {
	s := newState(t)
	v, err := s.EvalString(`{ n ? 1 }: { a = { x }: { deep = [ n x ]; "b.c" = 3; }; l = [ 1 ]; }`, "/", "«string»")
	if err != nil {
		t.Fatal(err)
	}
	b := value.NewBuilder(1)
	b.Add(s.Symbols().Intern("x"), source.NoPos, value.Int(7))
	args := b.Finish()
	for _, c := range []struct{ path, want string }{
		{"a.deep", "[ 1 7 ]"},
		{"a.deep.1", "7"},
		{`a."b.c"`, "3"},
		{"l", "[ 1 ]"},
		{"l.1", "error: list index 1 in selection path 'l.1' is out of range"},
		{"l.x", "error: the expression selected by the selection path 'l.x' should be a set but is a list"},
		{"a.0", "error: the expression selected by the selection path 'a.0' should be a list but is a set"},
		{"a.dep", "error: attribute 'dep' in selection path 'a.dep' not found [Did you mean deep?]"},
		{"a..b", "error: empty attribute name in selection path 'a..b'"},
		{`a."b`, `error: missing closing quote in selection path 'a."b'`},
	} {
		got := attrText(s, args, c.path, v)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.path, got, c.want)
		}
	}
	_, _, err = s.Attr(nil, "a.deep", v)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot evaluate a function that has an argument without a value ('x')\n") {
		t.Errorf("call without argument: %v", err)
	}
}

func attrText(s *eval.State, args *value.Attrs, path string, v value.Value) string {
	v, _, err := s.Attr(args, path, v)
	if err == nil {
		err = s.Thread().DeepForce(v, source.NoPos)
	}
	if e, ok := errors.AsType[*value.Error](err); ok {
		out := "error: " + e.Msg
		if len(e.Notes) > 0 {
			out += " [" + e.Notes[0] + "]"
		}
		return out
	}
	out, err := render.Text(s.Thread(), v)
	if err != nil {
		return err.Error()
	}
	return out
}

func TestPackages(t *testing.T) {
	const prelude = `let mk = name: derivation { inherit name; system = "s"; builder = "/b"; outputs = [ "dev" "out" ]; }; a = mk "a"; in `
	for _, c := range []struct{ text, want string }{
		{`mk "a"`, "=a"},
		{`{ x = a; y = a; z = mk "z"; }`, "x=a z=z"},
		{`[ (mk "a") [ (mk "b") ] { c = mk "c"; } ]`, "0=a 1.0=b 2.c=c"},
		{`{ sub = { b = mk "b"; }; rec1 = { recurseForDerivations = true; c = mk "c"; }; n = 5; }`, "rec1.c=c"},
		{`{ "not.considered" = a; "9x" = a; }`, ""},
		{`{ x ? "d" }: { y = mk x; }`, "y=d"},
		{`5`, "error: expression does not evaluate to a derivation (or a set or list of those)"},
		{`{ a = { type = "derivation"; }; }`, "error: derivation name missing"},
	} {
		s := newState(t)
		v, err := s.EvalString(prelude+c.text, "/", "«string»")
		if err != nil {
			t.Fatal(err)
		}
		got, err := packageNames(s, v)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func packageNames(s *eval.State, v value.Value) (string, error) {
	found, err := s.Packages(nil, v)
	if err != nil {
		return "", err
	}
	var names []string
	for _, p := range found {
		if _, err := p.OutPath(); err != nil {
			return "", err
		}
		if d, err := p.DrvPath(); err != nil || d.Name() != p.Name+".drv" {
			return "", errors.Join(errors.New("wrong derivation "+d.String()), err)
		}
		if o, err := p.OutputName(); err != nil || o != "dev" {
			return "", errors.Join(errors.New("wrong output "+o), err)
		}
		names = append(names, p.AttrPath+"="+p.Name)
	}
	return strings.Join(names, " "), nil
}

func TestSettings(t *testing.T) {
	pure := func(o *eval.Options) { o.Settings.Pure = true; o.Now = 5; o.Env = func(string) string { return "set" } }
	restricted := func(o *eval.Options) { o.Settings.Restrict = true; o.Allowed = []string{"/tmp/allowed"} }
	plain := func(o *eval.Options) { o.Now = 5; o.Env = func(string) string { return "set" } }
	for _, c := range []struct {
		change     func(*eval.Options)
		text, want string
	}{
		{plain, `[ builtins.currentTime (builtins.getEnv "X") __currentSystem ]`, `[ 5 "set" "x86_64-linux" ]`},
		{plain, `[ builtins.nixVersion builtins.langVersion builtins.storeDir ]`, `[ "2.34.0" 6 "/nix/store" ]`},
		{plain, `builtins.nixPath == __nixPath && (builtins.head __nixPath).prefix == "lib"`, `true`},
		{plain, `[ <nix/fetchurl.nix> (dirOf <nix/a>) (dirOf (dirOf <nix/a>)) <nix/../../b> ]`, `[ <nix/fetchurl.nix> <nix/> <nix/> <nix/b> ]`},
		{plain, `[ (toString <nix/a>) "b${toString (dirOf <nix/a>)}" (/c + <nix/a>) (<nix/a> + "/d") ]`, `[ "/a" "b/" /c/a /a/d ]`},
		{plain, `(builtins.unsafeGetAttrPos "url" (builtins.functionArgs (import <nix/fetchurl.nix>))).file`, `"/fetchurl.nix"`},
		{plain, `import <nix/a>`, `error: path '<nix/a>' does not exist`},
		{plain, `"${<nix/a>}"`, `error: path '<nix/a>' does not exist`},
		{plain, `<lib/../../lib/value.nix>`, `error: file 'lib/../../lib/value.nix' was not found in the Nix search path (add it using $NIX_PATH or -I)`},
		{plain, `<lib/../value.nix>`, `/lang/lib/value.nix`},
		{plain, `builtins.builtins.builtins ? map && builtins ? derivation`, `true`},
		{pure, `[ (builtins ? currentTime) (builtins ? currentSystem) (builtins.getEnv "X") ]`, `[ false false "" ]`},
		{pure, `builtins.readFile /etc/passwd`,
			`error: access to absolute path '/etc/passwd' is forbidden in pure evaluation mode (use '--impure' to override)`},
		{pure, `<nowhere>`, `error: cannot look up '<nowhere>' in pure evaluation mode (use '--impure' to override)`},
		{restricted, `import /etc/x.nix`, `error: access to absolute path '/etc/x.nix' is forbidden in restricted mode`},
		{restricted, `builtins.pathExists /tmp/allowed/none`, `false`},
		{restricted, `builtins.pathExists /etc/passwd`, `false`},
		{restricted, `import <lib/value.nix>`, `"value of a file"`},
	} {
		if got := evalText(newState(t, c.change), c.text); got != c.want {
			t.Errorf("%s = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestTrace(t *testing.T) {
	var out strings.Builder
	s := newState(t, func(o *eval.Options) {
		o.Trace = &out
		o.SearchPath = append(o.SearchPath, eval.SearchEntry{Path: "/none"})
	})
	evalText(s, `builtins.trace { a = 1; } (builtins.trace "text" (builtins.warn "careful\nreally" 1))`)
	evalText(s, `builtins.convertHash { hash = builtins.hashString "md5" ""; hashAlgo = "md5"; toHashFormat = "base32"; }`)
	evalText(s, `[ (builtins.tryEval <x>) (builtins.tryEval <y>) ]`)
	want := "trace: { a = 1; }\ntrace: text\nevaluation warning: careful\n                    really\n" +
		"warning: \"base32\" is a deprecated alias for hash format \"nix32\".\n" +
		"warning: Nix search path entry '/none' does not exist, ignoring\n"
	if got := out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOrVariable warns of or as a variable where it would be an argument or an
// element of its own if it were a name as any other.
func TestOrVariable(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // places and expressions
	}{
		{`[ {}.a or 1 ({ or = 1; }.or) ]`, nil},
		{`let or = x: x; in (x: [ (1 or) ]) or`, nil},
		{`let or = 1; f = x: x; in [ (f or) ]`, nil},
		{`let or = 1; f = x: x; in [ f or ]`, []string{"1:28", "f or"}},
		{`let or = 1; f = x: y: 2; in f 3 or 4`, []string{"1:31", "3 or"}},
		{`let or = 1; f = x: 2; in { }.a or f or`, []string{"1:35", "f or"}},
		{"let or = 1;\nin [ [ 1\r\n  2 ] or ]", []string{"2:6", "[ 1\n  2 ] or"}},
		{`let or = 1; in [ [ 1 or ] or 2 or ]`, []string{"1:20", "1 or", "1:18", "[ 1 or ] or", "1:30", "2 or"}},
	} {
		var out strings.Builder
		if v, err := newState(t, func(o *eval.Options) { o.Trace = &out }).EvalString(c.text, "/", "x"); err != nil {
			t.Errorf("%s: %v, %v", c.text, v, err)
		}
		want := ""
		for i := 0; i < len(c.want); i += 2 {
			want += "warning: at x:" + c.want[i] + ": This expression uses `or` as an identifier in a way that will change in a future Nix release.\n" +
				"Wrap this entire expression in parentheses to preserve its current meaning:\n    (" + c.want[i+1] + ")\n" +
				"Give feedback at https://github.com/NixOS/nix/pull/11121\n"
		}
		if got := out.String(); got != want {
			t.Errorf("%s: got %s\nwant %s", c.text, got, want)
		}
	}
}

func TestMaxDepth(t *testing.T) {
	s := newState(t, func(o *eval.Options) { o.MaxDepth = 50 })
	const deep = `let f = n: if n == 0 then 0 else 1 + f (n - 1); in f `
	if got := evalText(s, deep+"40"); got != "40" {
		t.Errorf("40 calls: %s", got)
	}
	if got, want := evalText(s, deep+"60"), "error: stack overflow; max-call-depth exceeded"; got != want {
		t.Errorf("60 calls: %s, want %s", got, want)
	}
}

// TestDeepChain makes sure that recursion that is not calls ends in an error
// and not in the end of the process.
func TestDeepChain(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a large stack")
	}
	s := newState(t)
	got := evalText(s, `(builtins.foldl' (a: i: { v = 1 + a.v; }) { v = 0; } (builtins.genList (i: i) 450000)).v`)
	if want := "error: stack overflow (possible infinite recursion)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRenderShort(t *testing.T) {
	s := newState(t)
	_, err := s.EvalString(`
		let f = x: builtins.head [ (builtins.elemAt [ (builtins.toString (builtins.tail (throw "deep"))) ] 0) ];
		in f 5`, "/", "«string»")
	got := s.RenderError(err, false, false)
	if n := strings.Count(got, "…"); n != 2 {
		t.Errorf("%d frames:\n%s", n, got)
	}
	for _, want := range []string{"error:\n", "(stack trace truncated; use '--show-trace' to show the full, detailed trace)", "\n       error: deep"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "from call site") {
		t.Errorf("calls in a short trace:\n%s", got)
	}
	if got := s.RenderError(err, false, true); !strings.HasPrefix(got, "\x1b[31;1merror:\x1b[0m") {
		t.Errorf("no colour: %q", got)
	} else if !strings.Contains(got, " \x1b[31;1m^\x1b[0m\n") {
		t.Errorf("no coloured caret: %q", got)
	}
}

// TestRenderShortLasting checks what a short trace has nevertheless: what the
// expression says about its errors, and where a wrong call is.
func TestRenderShortLasting(t *testing.T) {
	s := newState(t)
	_, err := s.EvalString(`let f = n: builtins.addErrorContext "at ${toString n}" (if n == 0 then ({ a }: a) { } else f (n - 1)); in f 9`, "/", "«string»")
	got := s.RenderError(err, false, false)
	for _, want := range []string{"… at 9\n", "… at 0\n", "(stack trace truncated;"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	for _, text := range []string{"({ a }: a) { }", "({ a }: a) 1", `({ a }: a) (throw "x")`, "({ a }: a) (({ a }: a) 1)"} {
		_, err = s.EvalString(text, "/", "«string»")
		if got := s.RenderError(err, false, false); strings.Count(got, "… from call site\n         at «string»:1:1:") != 1 {
			t.Errorf("%s: the call is not shown:\n%s", text, got)
		}
	}
	_, err = s.EvalString(`(derivation { name = "a"; system = "s"; builder = x: x; }).outPath`, "/", "«string»")
	if got := s.RenderError(err, false, false); strings.Contains(got, "while evaluating derivation 'a'") {
		t.Errorf("more than the outermost frames:\n%s", got)
	}
}
