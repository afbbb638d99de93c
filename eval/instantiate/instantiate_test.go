package instantiate

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonix/derivation/fetch/flakeref"
	"gonix/derivation/nar"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/eval/symbol"
	"gonix/eval/value"
	"gonix/parser/source"
)

// bench is a State with an empty store, and a thread to call builtins on.
type bench struct {
	t      *testing.T
	th     *value.Thread
	state  *State
	memory *store.Memory
	warned []string
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, memory: new(store.Memory)}
	b.reset(Options{})
	return b
}

func (b *bench) reset(opt Options) {
	if opt.Store == nil {
		opt.Store = b.memory
	}
	opt.Warn = func(msg string) { b.warned = append(b.warned, msg) }
	b.state = New(b.t.Context(), opt)
	b.th = &value.Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), Paths: b.state, MaxDepth: value.DefaultMaxDepth}
}

// call applies the builtin called name.
func (b *bench) call(name string, args ...value.Value) (value.Value, error) {
	b.t.Helper()
	for _, f := range b.state.Builtins() {
		if f.Name == name {
			return b.th.Apply(source.NoPos, f, args...)
		}
	}
	b.t.Fatalf("no builtin %s", name)
	return nil, nil
}

// str is call for a result that must be a string.
func (b *bench) str(name string, args ...value.Value) *value.String {
	b.t.Helper()
	v, err := b.call(name, args...)
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	s, ok := v.(*value.String)
	if !ok {
		b.t.Fatalf("%s: %s", name, value.TypeName(v))
	}
	return s
}

// attr is one attribute of a set to be made.
type attr struct {
	name string
	val  value.Value
}

func (b *bench) set(attrs ...attr) *value.Attrs {
	out := value.NewBuilder(len(attrs))
	for _, a := range attrs {
		out.Add(b.th.Symbols.Intern(a.name), source.NoPos, a.val)
	}
	return out.Finish()
}

func text(s string) value.Value { return value.NewString(s) }

func texts(list ...string) value.Value {
	out := &value.List{}
	for _, s := range list {
		out.Elems = append(out.Elems, text(s))
	}
	return out
}

// drv is the smallest set of attributes; more are laid over it.
func (b *bench) drv(more ...attr) *value.Attrs {
	base := b.set(attr{"name", text("x")}, attr{"system", text("s")}, attr{"builder", text("b")})
	return value.Update(base, b.set(more...))
}

// wantError checks the message and the frames, outermost last.
func wantError(t *testing.T, err error, want string, frames ...string) {
	t.Helper()
	var e *value.Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, want) {
		t.Fatalf("error %v, want %q", err, want)
	}
	var got []string
	for _, f := range e.Frames {
		got = append(got, f.Msg)
	}
	for i, f := range frames {
		if i >= len(got) || !strings.Contains(got[i], f) {
			t.Fatalf("frames %q, want %q", got, frames)
		}
	}
}

func TestDerivationErrors(t *testing.T) {
	thrown := func(b *bench) value.Value {
		return b.th.Lazy(source.NoPos, func(th *value.Thread) (value.Value, error) {
			return nil, th.Errorf(source.NoPos, value.Throw, "thrown")
		})
	}
	for _, c := range []struct {
		name   string
		attrs  func(b *bench) []attr
		want   string
		frames []string
	}{
		{"name", func(b *bench) []attr { return []attr{{"name", text("a b")}} },
			"invalid derivation name: name 'a b' contains illegal character ' '. Please pass a different 'name'.",
			[]string{"while evaluating derivation 'a b'\n  whose name attribute is located at «none»:0"}},
		{"empty name", func(b *bench) []attr { return []attr{{"name", text("")}} }, "invalid derivation name: name must not be empty", nil},
		{"name type", func(b *bench) []attr { return []attr{{"name", value.Int(1)}} }, "expected a string but found an integer: 1",
			[]string{"while evaluating the `name` attribute passed to builtins.derivationStrict", "while evaluating the derivation attribute 'name'"}},
		{"drv name", func(b *bench) []attr { return []attr{{"name", text("a.drv")}} }, "derivation names are allowed to end in '.drv' only if", nil},
		{"builder", func(b *bench) []attr { return []attr{{"builder", text("")}} }, "required attribute 'builder' missing", nil},
		{"system", func(b *bench) []attr { return []attr{{"system", text("")}} }, "required attribute 'system' missing", nil},
		{"attribute", func(b *bench) []attr { return []attr{{"foo", thrown(b)}} }, "thrown",
			[]string{"while evaluating attribute 'foo' of derivation 'x'", "while evaluating derivation 'x'"}},
		{"set", func(b *bench) []attr { return []attr{{"foo", value.EmptyAttrs}} }, "cannot coerce a set to a string: { }", nil},
		{"args", func(b *bench) []attr { return []attr{{"args", text("a")}} }, "expected a list but found a string", nil},
		{"twice", func(b *bench) []attr { return []attr{{"outputs", texts("out", "out")}} }, "duplicate derivation output 'out'", nil},
		{"drvPath", func(b *bench) []attr { return []attr{{"outputs", texts("drvPath")}} }, "invalid derivation output name 'drvPath'", nil},
		{"no outputs", func(b *bench) []attr { return []attr{{"outputs", texts()}} }, "derivation cannot have an empty set of outputs", nil},
		{"output name", func(b *bench) []attr { return []attr{{"outputs", texts("a/b")}} }, "name 'x-a/b' contains illegal character '/'", nil},
		{"fixed outputs", func(b *bench) []attr {
			return []attr{{"outputs", texts("out", "dev")}, {"outputHash", text("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")}}
		}, "multiple outputs are not supported in fixed-output derivations", nil},
		{"fixed dev", func(b *bench) []attr {
			return []attr{{"outputs", texts("dev")}, {"outputHash", text("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")}}
		}, "multiple outputs are not supported", nil},
		{"no algorithm", func(b *bench) []attr { return []attr{{"outputHash", text("abc")}} }, "hash 'abc' does not include a type", nil},
		{"empty hash", func(b *bench) []attr { return []attr{{"outputHash", text("")}} }, "empty hash requires explicit hash algorithm", nil},
		{"short hash", func(b *bench) []attr { return []attr{{"outputHash", text("abc")}, {"outputHashAlgo", text("sha1")}} }, "hash 'abc' has wrong length for hash algorithm 'sha1'", nil},
		{"other algorithm", func(b *bench) []attr {
			return []attr{{"outputHash", text("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")}, {"outputHashAlgo", text("md5")}}
		}, "should have type 'md5'", nil},
		{"mode", func(b *bench) []attr { return []attr{{"outputHashMode", text("deep")}} }, "invalid value 'deep' for 'outputHashMode' attribute", nil},
		{"text mode", func(b *bench) []attr { return []attr{{"outputHashMode", text("text")}} }, "experimental Nix feature 'dynamic-derivations' is disabled (text-hashed derivation 'x', outputHashMode = \"text\"); add", nil},
		{"content-addressed", func(b *bench) []attr { return []attr{{"__contentAddressed", value.Bool(true)}} }, "experimental Nix feature 'ca-derivations' is disabled; add '--extra-experimental-features ca-derivations' to enable it", nil},
		{"impure", func(b *bench) []attr { return []attr{{"__impure", value.Bool(true)}} }, "experimental Nix feature 'impure-derivations' is disabled", nil},
		{"structured flag", func(b *bench) []attr { return []attr{{"__structuredAttrs", text("yes")}} }, "expected a Boolean but found a string",
			[]string{"while evaluating the `__structuredAttrs` attribute passed to builtins.derivationStrict"}},
		{"structured outputs", func(b *bench) []attr {
			return []attr{{"__structuredAttrs", value.Bool(true)}, {"outputs", text("out")}}
		}, "expected a list but found a string", nil},
		{"structured builder", func(b *bench) []attr {
			return []attr{{"__structuredAttrs", value.Bool(true)}, {"builder", value.Path("/no/such/file")}}
		}, "path '/no/such/file' does not exist", nil},
		{"structured function", func(b *bench) []attr {
			return []attr{{"__structuredAttrs", value.Bool(true)}, {"f", b.state.Builtins()[0]}}
		}, "cannot convert the built-in function 'derivationStrict' to JSON", nil},
		{"missing source", func(b *bench) []attr { return []attr{{"src", value.Path("/no/such/file")}} }, "path '/no/such/file' does not exist", nil},
		{"not in the store", func(b *bench) []attr {
			return []attr{{"src", &value.String{S: "x", Ctx: value.NewContext(value.ContextElem{Path: "/tmp/x"})}}}
		}, "path '/tmp/x' is not in the Nix store", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			v, err := b.call("derivationStrict", b.drv(c.attrs(b)...))
			if err == nil {
				t.Fatalf("%s: no error", b.th.Show(v))
			}
			wantError(t, err, c.want, c.frames...)
			if all := b.memory.All(); len(all) > 0 {
				t.Errorf("left in the store: %v", all)
			}
		})
	}
	t.Run("feature not here", func(t *testing.T) {
		b := newBench(t)
		b.reset(Options{Feature: func(name string) bool { return name == "ca-derivations" }})
		_, err := b.call("derivationStrict", b.drv(attr{"__contentAddressed", value.Bool(true)}))
		wantError(t, err, "it needs the experimental Nix feature 'ca-derivations', which gonix does not have")
	})
	t.Run("no name", func(t *testing.T) {
		b := newBench(t)
		_, err := b.call("derivationStrict", b.set())
		wantError(t, err, "attribute 'name' missing", "in the attrset passed as argument to builtins.derivationStrict")
	})
}

func TestWarnings(t *testing.T) {
	b := newBench(t)
	for _, set := range []*value.Attrs{
		b.drv(attr{"outputHash", text("")}, attr{"outputHashAlgo", text("sha256")}),
		b.drv(attr{"__json", text("{}")}),
		b.drv(attr{"__structuredAttrs", value.Bool(true)}, attr{"allowedReferences", texts()}),
	} {
		if _, err := b.call("derivationStrict", set); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"found empty hash, assuming 'sha256-AAAA", "setting structured attributes via '__json' is deprecated", "disables the effect of the derivation attribute 'allowedReferences'"}
	if len(b.warned) != len(want) {
		t.Fatalf("warnings %q", b.warned)
	}
	for i, w := range want {
		if !strings.Contains(b.warned[i], w) {
			t.Errorf("warning %q, want %q", b.warned[i], w)
		}
	}
}

func TestToFileErrors(t *testing.T) {
	b := newBench(t)
	_, err := b.call("toFile", text("a/b"), text(""))
	wantError(t, err, "name 'a/b' contains illegal character '/'")
	ctx := value.NewContext(value.ContextElem{Kind: value.Built, Path: "/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-d.drv", Output: "out"})
	_, err = b.call("toFile", text("f"), &value.String{S: "x", Ctx: ctx})
	wantError(t, err, "files created by builtins.toFile may not reference derivations, but f references !out!0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-d.drv")
	_, err = b.call("toFile", &value.String{S: "f", Ctx: ctx}, text(""))
	wantError(t, err, "is not allowed to refer to a store path", "while evaluating the first argument passed to builtins.toFile")
}

func TestPathErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	p := attr{"path", value.Path(file)}
	for _, c := range []struct {
		attrs []attr
		want  string
	}{
		{nil, "missing required 'path' attribute in the first argument to 'builtins.path'"},
		{[]attr{p, {"what", value.Null{}}}, "unsupported argument 'what' to 'builtins.path'"},
		{[]attr{p, {"filter", text("f")}}, "expected a function but found a string"},
		{[]attr{p, {"recursive", text("f")}}, "expected a Boolean but found a string"},
		{[]attr{p, {"sha256", text("f")}}, "hash 'f' has wrong length"},
		{[]attr{p, {"sha256", text(nixhash.Sum(nixhash.SHA256, nil).Base32())}}, "store path mismatch in (possibly filtered) path added from '" + file + "'"},
		{[]attr{p, {"name", text("a b")}}, "name 'a b' contains illegal character ' '"},
		{[]attr{{"path", value.Path(file + "/none")}}, "does not exist"},
		{[]attr{{"path", value.Path(loop)}}, "infinite symlink recursion in path '" + loop + "'"},
		{[]attr{{"path", text("relative")}}, "string 'relative' doesn't represent an absolute path"},
	} {
		_, err := b.call("path", b.set(c.attrs...))
		wantError(t, err, c.want)
	}
	// Whoever knows the hash of something that is there need not have the file.
	sum := nixhash.Sum(nixhash.SHA256, []byte("x")).SRI()
	with := func(path string) *value.Attrs {
		return b.set(attr{"path", value.Path(path)}, attr{"name", text("n")}, attr{"recursive", value.Bool(false)}, attr{"sha256", text(sum)})
	}
	first := b.str("path", with(file))
	if again := b.str("path", with(file+"-gone")); again.S != first.S {
		t.Errorf("%s and %s", first.S, again.S)
	}
}

func TestStorePath(t *testing.T) {
	b := newBench(t)
	f := b.str("toFile", text("f"), text("content"))
	got := b.str("storePath", text(f.S+"/sub/file"))
	if got.S != f.S+"/sub/file" || got.Ctx.Elems()[0].Path != f.S {
		t.Errorf("storePath = %s %v", got.S, got.Ctx.Elems())
	}
	_, err := b.call("storePath", text("/etc"))
	wantError(t, err, "path '/etc' is not in the Nix store")
	_, err = b.call("storePath", text("/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-none"))
	wantError(t, err, "path '/nix/store/0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-none' is not valid")
	b.reset(Options{Pure: true})
	_, err = b.call("storePath", text(f.S))
	wantError(t, err, "'builtins.storePath' is not allowed in pure evaluation mode")
}

// fakeFetcher answers every request with the text that is its URL.
type fakeFetcher struct {
	memory *store.Memory
	trees  []flakeref.Input
}

func (f *fakeFetcher) FetchFile(ctx context.Context, url, name string) (storepath.Path, nixhash.Hash, error) {
	p, err := f.memory.AddText(ctx, name, url, nil)
	return p, nixhash.Sum(nixhash.SHA256, []byte(url)), err
}

func (f *fakeFetcher) FetchTree(ctx context.Context, in flakeref.Input) (flakeref.Tree, error) {
	f.trees = append(f.trees, in)
	p, err := f.memory.AddText(ctx, in.Name(), in.Text("url"), nil)
	return flakeref.Tree{Path: p, Input: in.With("lastModified", flakeref.Number(1600000000))}, err
}

func TestFetch(t *testing.T) {
	b := newBench(t)
	const url = "https://example.org/d/f-1.tar.gz"
	_, err := b.call("fetchurl", text(url))
	wantError(t, err, "has no access to the network")

	f := &fakeFetcher{memory: b.memory}
	b.reset(Options{Fetcher: f})
	if got := b.str("fetchurl", text(url)); !strings.HasSuffix(got.S, "-f-1.tar.gz") || got.Ctx.Elems()[0].Path != got.S {
		t.Errorf("fetchurl = %s", got.S)
	}
	if got := b.str("fetchTarball", text("channel:nixos-25.11")); !strings.HasSuffix(got.S, "-source") {
		t.Errorf("fetchTarball = %s", got.S)
	}
	if in := f.trees[0]; in.Text("url") != "https://channels.nixos.org/nixos-25.11/nixexprs.tar.xz" || in.Type() != "tarball" {
		t.Errorf("input %s", in)
	}
	zero := text("sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	for _, c := range []struct {
		arg  value.Value
		want string
	}{
		{b.set(attr{"url", text(url)}, attr{"sha256", zero}), "hash mismatch in file downloaded from '" + url + "':\n  specified: sha256:0000000000000000000000000000000000000000000000000000\n  got:       sha256:"},
		{b.set(attr{"url", text(url)}, attr{"hash", zero}), "unsupported argument 'hash' to 'fetchurl'"},
		{b.set(), "'url' argument required"},
		{text("https://example.org/?a b"), "invalid store path name when fetching URL 'https://example.org/?a b': name '?a b' contains illegal character ' '. Please pass an attribute set with 'url' and 'name' attributes to 'fetchurl'"},
		{b.set(attr{"url", text(url)}, attr{"name", text("..")}), "Please change the value for the 'name' attribute"},
		{value.Int(1), "expected a string but found an integer"},
	} {
		_, err := b.call("fetchurl", c.arg)
		wantError(t, err, c.want)
	}
	b.reset(Options{Fetcher: f, Pure: true})
	_, err = b.call("fetchurl", text(url))
	wantError(t, err, "in pure evaluation mode, 'fetchurl' requires a 'sha256' argument")
}

// A chain in which each derivation uses the one before it twice must be hashed
// in linear time, on a store that keeps nothing too.
func TestLongChain(t *testing.T) {
	for _, s := range []Store{new(store.Memory), ReadOnly(nil)} {
		b := newBench(t)
		b.reset(Options{Store: s})
		prev := text("none")
		var drvPath value.Value
		for range 300 {
			v, err := b.call("derivationStrict", b.drv(attr{"outputs", texts("out", "dev")}, attr{"a", prev}, attr{"b", prev}))
			if err != nil {
				t.Fatal(err)
			}
			out, _ := v.(*value.Attrs).Get(b.th.Symbols.Intern("out"))
			drv, _ := v.(*value.Attrs).Get(symbol.DrvPath)
			prev, drvPath = out.Val, drv.Val
		}
		if _, err := b.call("derivationStrict", b.drv(attr{"deep", drvPath})); err != nil {
			t.Fatal(err)
		}
	}
}

// Today's C++ Nix writes floats in structured attributes so that they read
// back as floats.
func TestStructuredFloat(t *testing.T) {
	b := newBench(t)
	v, err := b.call("derivationStrict", b.drv(attr{"__structuredAttrs", value.Bool(true)}, attr{"y", value.Float(1)}))
	if err != nil {
		t.Fatal(err)
	}
	drv, _ := v.(*value.Attrs).Get(symbol.DrvPath)
	got, _ := b.memory.Text(storepath.MustParse(drv.Val.(*value.String).S))
	if want := `{\"builder\":\"b\",\"name\":\"x\",\"system\":\"s\",\"y\":1.0}`; !strings.Contains(got, want) {
		t.Errorf("%s, want %s in it", got, want)
	}
}

func BenchmarkDerivationStrict(b *testing.B) {
	state := New(b.Context(), Options{Store: ReadOnly(nil)})
	th := &value.Thread{Symbols: symbol.NewTable(), Sources: source.NewSet(), Paths: state, MaxDepth: value.DefaultMaxDepth}
	attrs := value.NewBuilder(40)
	for _, name := range []string{"name", "system", "builder"} {
		attrs.Add(th.Symbols.Intern(name), source.NoPos, text(name))
	}
	for i := range 37 {
		attrs.Add(th.Symbols.Intern("attribute"+strings.Repeat("x", i)), source.NoPos, text(strings.Repeat("value ", 20)))
	}
	set := attrs.Finish()
	in, err := state.derivationStrict(th, source.NoPos, []value.Value{set})
	if err != nil {
		b.Fatal(err)
	}
	out, _ := in.(*value.Attrs).Get(th.Symbols.Intern("out"))
	n := 0
	for b.Loop() {
		n++
		more := value.NewBuilder(2)
		more.Add(th.Symbols.Intern("input"), source.NoPos, out.Val)
		more.Add(th.Symbols.Intern("n"), source.NoPos, value.Int(n))
		if _, err := state.derivationStrict(th, source.NoPos, []value.Value{value.Update(set, more.Finish())}); err != nil {
			b.Fatal(err)
		}
	}
}

// movedStore shows a directory as the store; there is no /nix.
type movedStore struct {
	nar.OS
	dir string
}

func (m movedStore) real(p string) string {
	if rest, ok := strings.CutPrefix(p, storepath.Dir+"/"); ok {
		return filepath.Join(m.dir, rest)
	}
	if strings.HasPrefix(p, "/nix") {
		return "/no/such/directory"
	}
	return p
}

func (m movedStore) Lstat(p string) (fs.FileInfo, error)  { return m.OS.Lstat(m.real(p)) }
func (m movedStore) Open(p string) (io.ReadCloser, error) { return m.OS.Open(m.real(p)) }
func (m movedStore) ReadDir(p string) ([]string, error)   { return m.OS.ReadDir(m.real(p)) }
func (m movedStore) Readlink(p string) (string, error)    { return m.OS.Readlink(m.real(p)) }

// Sources in the store, also behind links, are read wherever the store is; and
// derivations of an earlier evaluation are found there.
func TestMovedStore(t *testing.T) {
	dir := t.TempDir()
	const object = "0dy94x9pc9h2j4bmhwf8gp8wy4jn4zi5-tree"
	if err := os.MkdirAll(filepath.Join(dir, object, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, object, "sub", "f"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(storepath.Dir+"/"+object, link); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.reset(Options{Files: movedStore{dir: dir}})
	direct := b.str("path", b.set(attr{"path", value.Path(storepath.Dir + "/" + object + "/sub")}))
	linked := b.str("path", b.set(attr{"path", value.Path(link + "/sub")}))
	copied, err := b.state.CopyToStore(b.th, link+"/sub")
	if err != nil || direct.S != linked.S || direct.S != copied {
		t.Errorf("%s, %s, %s, %v", direct.S, linked.S, copied, err)
	}

	first, err := b.call("derivationStrict", b.drv())
	if err != nil {
		t.Fatal(err)
	}
	out, _ := first.(*value.Attrs).Get(b.th.Symbols.Intern("out"))
	drv, _ := first.(*value.Attrs).Get(symbol.DrvPath)
	user := func() string {
		b.t.Helper()
		v, err := b.call("derivationStrict", b.drv(attr{"in", out.Val}, attr{"deep", drv.Val}))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := v.(*value.Attrs).Get(symbol.DrvPath)
		return p.Val.(*value.String).S
	}
	want := user()
	p := storepath.MustParse(drv.Val.(*value.String).S)
	content, _ := b.memory.Text(p)
	b.reset(Options{Store: ReadOnly(nil), Files: movedStore{dir: dir}})
	_, err = b.call("derivationStrict", b.drv(attr{"in", out.Val}))
	wantError(t, err, "read derivation '"+p.String()+"'")
	if err := os.WriteFile(filepath.Join(dir, p.Base()), []byte(content), 0o444); err != nil {
		t.Fatal(err)
	}
	if got := user(); got != want {
		t.Errorf("%s after a new start, %s before", got, want)
	}
}
