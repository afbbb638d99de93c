package nar

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// node is a tree written down: a map is a directory, a string a file, an
// executable or link is spelled by its type.
type (
	directory  map[string]any
	executable string
	link       string
)

func plant(t testing.TB, path string, node any) {
	t.Helper()
	var err error
	switch n := node.(type) {
	case directory:
		if err = os.Mkdir(path, 0o755); err == nil {
			for name, child := range n {
				plant(t, filepath.Join(path, name), child)
			}
		}
	case string:
		err = os.WriteFile(path, []byte(n), 0o644)
	case executable:
		err = os.WriteFile(path, []byte(n), 0o755)
	case link:
		err = os.Symlink(string(n), path)
	default:
		t.Fatalf("node of type %T", node)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// trees have the SHA-256 of what `nix-store --dump` prints for them.
var trees = []struct {
	name   string
	root   any
	sha256 string
}{
	{"empty file", "", "77ac62e2629d8e45f624589c0c8bf99e24b3a722349bf1e79bc186008534e246"},
	{"file", "hello\n", "1c37d01af40be2e80691de3cc3df44377a699afbb17c68f080964b2fd071fc13"},
	{"aligned file", "12345678", ""},
	{"executable", executable("#!/bin/sh\n"), "6283c1668260f903d1a895c0cd6b822fa4b68762bb0b17cedef2d39d97e26554"},
	{"link", link("../no where"), "dc480ee176f75baeb684bb3d6aac2f305357731045ad5036403854733664aa11"},
	{"empty directory", directory{}, "a50a5ab6d992f5598edd92105059fae9acfc192981e08bd88534c2167e92526a"},
	{"large file", strings.Repeat("0123456789", 100_000), ""},
	{"order by bytes", directory{
		"a": "1", "a.b": "2", "a b": "3", "B": "4", "é": "5", "_": "6", "a-": directory{"x": ""}, "Z": link("a"), "~": executable("x"),
		"\xff\xfe": "not UTF-8",
	}, "3cf3b5a3c1d3b04360c0a217aa77038b0017481a56f82a4a5e0fd331cec7bd3f"},
	{"nested", directory{"bin": directory{"sh": executable("x"), "bash": link("sh")}, "share": directory{"doc": directory{}}}, ""},
}

func dump(t testing.TB, path string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Dump(&b, path); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir+"/a", tree.root)
			first := dump(t, dir+"/a")
			if tree.sha256 != "" {
				if sum := sha256.Sum256(first); hex.EncodeToString(sum[:]) != tree.sha256 {
					t.Errorf("sha256 %x, want %s", sum, tree.sha256)
				}
			}
			if err := Restore(bytes.NewReader(first), dir+"/b"); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(dump(t, dir+"/b"), first) {
				t.Error("the restored tree is another one")
			}
			if err := Restore(bytes.NewReader(first), dir+"/b"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("restore over a tree: %v", err)
			}
			if !bytes.Equal(rewrite(t, first), first) {
				t.Error("Writer and Reader disagree")
			}
		})
	}
}

// rewrite sends an archive through Reader and Writer.
func rewrite(t testing.TB, archive []byte) []byte {
	t.Helper()
	out, err := tryRewrite(archive)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryRewrite(archive []byte) ([]byte, error) {
	var out, tee bytes.Buffer
	r, w := NewTeeReader(bytes.NewReader(archive), &tee), NewWriter(&out)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if h.Type == Regular {
			if _, err := io.Copy(w, r); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(archive, tee.Bytes()) || !bytes.Equal(archive[tee.Len():], r.Buffered()) {
		return nil, errors.New("the tee did not get the archive")
	}
	return out.Bytes(), nil
}

func TestDumpAgainstNix(t *testing.T) {
	program, err := exec.LookPath("nix-store")
	if err != nil || os.Getenv("GONIX_TEST_FULL") != "1" {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs nix-store and GONIX_TEST_FULL=1")
	}
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir+"/a", tree.root)
			t.Setenv("HOME", t.TempDir())
			want, err := exec.Command(program, "--dump", dir+"/a").Output()
			if err != nil {
				t.Fatal(err)
			}
			got := dump(t, dir+"/a")
			if !bytes.Equal(got, want) {
				t.Error("nix-store --dump writes something else")
			}
			cmd := exec.Command(program, "--restore", dir+"/b")
			cmd.Stdin = bytes.NewReader(got)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("nix-store --restore: %v\n%s", err, out)
			}
			if !bytes.Equal(dump(t, dir+"/b"), want) {
				t.Error("nix-store --restore made something else")
			}
		})
	}
}

func TestFilter(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir+"/a", directory{"keep": "1", "drop": "2", "sub": directory{"drop": "3", "keep": "4"}, "l": link("x")})
	plant(t, dir+"/want", directory{"keep": "1", "sub": directory{"keep": "4"}, "l": link("x")})
	var asked []string
	var b bytes.Buffer
	err := DumpFS(&b, OS{}, dir+"/a", func(path, typ string) (bool, error) {
		asked = append(asked, strings.TrimPrefix(path, dir)+" "+typ)
		return filepath.Base(path) != "drop", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), dump(t, dir+"/want")) {
		t.Error("wrong choice")
	}
	want := "[/a/drop regular /a/keep regular /a/l symlink /a/sub directory /a/sub/drop regular /a/sub/keep regular]"
	if got := fmt.Sprint(asked); got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	boom := errors.New("boom")
	if err := DumpFS(io.Discard, OS{}, dir+"/a", func(string, string) (bool, error) { return false, boom }); err != boom {
		t.Errorf("error of the filter: %v", err)
	}
}

func TestUnsupported(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	err := Dump(io.Discard, dir)
	if !errors.Is(err, ErrUnsupported) || err.Error() != "file '"+dir+"/pipe' has an unsupported type" {
		t.Errorf("error %v", err)
	}
}

// shrinking is a file system whose files are shorter than it says.
type shrinking struct{ OS }

func (shrinking) Open(string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("short")), nil
}

func TestShrinkingFile(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir+"/f", "longer than that")
	if err := DumpFS(io.Discard, shrinking{}, dir+"/f", nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

// tokens spells an archive.
func tokens(words ...string) []byte {
	var b bytes.Buffer
	e := newEncoder(&b)
	e.strings(words...)
	e.flush()
	return b.Bytes()
}

func file(name string) []string {
	return []string{"entry", "(", "name", name, "node", "(", "type", "regular", "contents", "", ")", ")"}
}

func dirOf(entries ...[]string) []byte {
	words := []string{magic, "(", "type", "directory"}
	for _, e := range entries {
		words = append(words, e...)
	}
	return tokens(append(words, ")")...)
}

func TestHostile(t *testing.T) {
	cases := []struct {
		name    string
		archive []byte
		want    string
	}{
		{"empty", nil, "doesn't look like a Nix archive"},
		{"other format", []byte("PK\x03\x04 some zip file, longer than a word"), "doesn't look like a Nix archive"},
		{"other version", tokens("nix-archive-2", "(", ")"), "doesn't look like a Nix archive"},
		{"dot dot", dirOf(file("..")), "invalid file name '..'"},
		{"dot", dirOf(file(".")), "invalid file name '.'"},
		{"empty name", dirOf(file("")), "invalid file name ''"},
		{"slash", dirOf(file("a/../../b")), "invalid file name 'a/../../b'"},
		{"absolute", dirOf(file("/etc/passwd")), "invalid file name '/etc/passwd'"},
		{"null", dirOf(file("a\x00b")), "invalid file name"},
		{"long name", dirOf(file(strings.Repeat("x", 5000))), "string is too long"},
		{"duplicate", dirOf(file("a"), file("a")), "not sorted"},
		{"unsorted", dirOf(file("b"), file("a")), "not sorted"},
		{"link then file", dirOf(
			[]string{"entry", "(", "name", "a", "node", "(", "type", "symlink", "target", "/etc", ")", ")"}, file("a")), "not sorted"},
		{"link with null", tokens(magic, "(", "type", "symlink", "target", "a\x00", ")"), "null byte"},
		{"link to nothing", tokens(magic, "(", "type", "symlink", "target", "", ")"), "target is empty"},
		{"unknown type", tokens(magic, "(", "type", "device", ")"), "unknown file type 'device'"},
		{"two types", tokens(magic, "(", "type", "regular", "type"), "expected tag 'contents', got 'type'"},
		{"executable value", tokens(magic, "(", "type", "regular", "executable", "yes"), "non-empty value"},
		{"no contents", tokens(magic, "(", "type", "regular", ")"), "expected tag 'contents', got ')'"},
		{"truncated", dirOf(file("a"), file("b"))[:200], "unexpected EOF"},
		{"huge string", append(tokens(magic, "("), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "string is too long"},
		{"huge file", append(tokens(magic, "(", "type", "regular", "contents"), 0, 0, 0, 0, 0, 1, 0, 0, 'x'), "unexpected EOF"},
		{"negative file", append(tokens(magic, "(", "type", "regular", "contents"), 0, 0, 0, 0, 0, 0, 0, 0x80, 'x'), "file of 9223372036854775808 bytes"},
		{"padding", append(tokens(magic, "(", "type", "regular", "contents"), 1, 0, 0, 0, 0, 0, 0, 0, 'x', 0, 0, 0, 0, 0, 0, 1), "non-zero padding"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			err := Restore(bytes.NewReader(c.archive), dir+"/out")
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrFormat) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			names, err := os.ReadDir(dir)
			if err != nil || len(names) > 1 || len(names) == 1 && names[0].Name() != "out" {
				t.Errorf("left behind: %v, %v", names, err)
			}
		})
	}
}

func TestDeep(t *testing.T) {
	words := []string{magic}
	for range 3000 {
		words = append(words, "(", "type", "directory", "entry", "(", "name", "d", "node")
	}
	_, err := tryRewrite(tokens(words...))
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "a path is longer than 4096 bytes") {
		t.Errorf("error %v", err)
	}
}

func TestWriterRefuses(t *testing.T) {
	d := func(p string) *Header { return &Header{Path: p, Type: Directory} }
	f := func(p string) *Header { return &Header{Path: p, Type: Regular} }
	cases := []struct {
		name    string
		entries []*Header
	}{
		{"no root", []*Header{f("a")}},
		{"two roots", []*Header{f(""), f("")}},
		{"entry after a file", []*Header{f(""), f("a")}},
		{"unsorted", []*Header{d(""), f("b"), f("a")}},
		{"duplicate", []*Header{d(""), d("a"), f("a")}},
		{"no directory", []*Header{d(""), f("a/b")}},
		{"closed directory", []*Header{d(""), d("a"), f("b"), f("a/c")}},
		{"dot dot", []*Header{d(""), f("..")}},
		{"file as directory", []*Header{d(""), f("a"), f("a/b")}},
		{"link without target", []*Header{{Type: Symlink}}},
		{"missing content", []*Header{d(""), {Path: "a", Type: Regular, Size: 1}, f("b")}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := NewWriter(io.Discard)
			for i, h := range c.entries {
				err := w.WriteHeader(h)
				if last := i == len(c.entries)-1; last != (err != nil) {
					t.Errorf("entry %q: %v", h.Path, err)
				}
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, tree := range trees {
		dir := f.TempDir()
		plant(f, dir+"/a", tree.root)
		if archive := dump(f, dir+"/a"); len(archive) < 1<<16 {
			f.Add(archive)
		}
	}
	f.Add(dirOf(file("a"), file("b")))
	f.Fuzz(func(t *testing.T, archive []byte) {
		out, err := tryRewrite(archive)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("error is not about the format: %v", err)
			}
			return
		}
		// There is one spelling only: what was accepted comes out as it was.
		if !bytes.HasPrefix(archive, out) {
			t.Fatal("the archive was accepted but is not canonical")
		}
		dir := t.TempDir()
		if err := Restore(bytes.NewReader(archive), dir+"/out"); err == nil {
			if !bytes.Equal(dump(t, dir+"/out"), out) {
				t.Fatal("the restored tree is another one")
			}
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) > 1 {
			t.Fatalf("left its directory: %v, %v", names, err)
		}
	})
}

func BenchmarkDump(b *testing.B) {
	dir := b.TempDir()
	plant(b, dir+"/a", directory{})
	for i := range 200 {
		plant(b, fmt.Sprintf("%s/a/%d", dir, i), strings.Repeat("x", i*1000))
	}
	b.SetBytes(int64(len(dump(b, dir+"/a"))))
	for b.Loop() {
		if err := Dump(io.Discard, dir+"/a"); err != nil {
			b.Fatal(err)
		}
	}
}
