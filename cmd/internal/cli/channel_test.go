package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	nixpkgslite "gonix/nixpkgs-lite"

	"github.com/ulikunitz/xz"
)

// channels is the web of one loopback server: what https://channels.nixos.org and
// https://releases.nixos.org serve, for whoever uses it as a proxy and trusts its
// certificate, and files.
type channels struct {
	*httptest.Server
	certificate string // file
	mu          sync.Mutex
	asked       []string // URLs
}

// conns is a net.Listener that accepts connections which others have made.
type conns chan net.Conn

func (c conns) Accept() (net.Conn, error) {
	if conn, ok := <-c; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (c conns) Close() error   { close(c); return nil }
func (c conns) Addr() net.Addr { return &net.TCPAddr{} }

func newChannels(t *testing.T, files map[string][]byte) *channels {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"channels.nixos.org", "releases.nixos.org"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c := &channels{certificate: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(c.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked = append(c.asked, r.Host+r.URL.Path)
		c.mu.Unlock()
		switch name := strings.TrimPrefix(r.URL.Path, "/"); {
		case r.Host == "channels.nixos.org" && name == "test-25.11/nixexprs.tar.xz":
			http.Redirect(w, r, "https://releases.nixos.org/test/25.11/nixexprs.tar.xz", http.StatusFound)
		case r.Host == "releases.nixos.org" && name == "test/25.11/nixexprs.tar.xz":
			w.Header().Set("ETag", `"1"`)
			w.Write(files["set.tar.xz"])
		case r.Host != "channels.nixos.org" && files[name] != nil:
			w.Write(files[name])
		default:
			http.NotFound(w, r)
		}
	})
	inner := make(conns)
	secure := &http.Server{Handler: serve}
	go secure.Serve(tls.NewListener(inner, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			serve(w, r)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
			inner <- conn
		}
	}))
	t.Cleanup(func() { c.Server.Close(); secure.Close() })
	return c
}

// count says how often a URL was asked for.
func (c *channels) count(url string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, a := range c.asked {
		if a == url {
			n++
		}
	}
	return n
}

// smallSet is a set of packages with the shape of nixpkgs: a fixed point with
// overlays, its own library and standard environment.
const smallSet = `{ overlays ? [ ], system ? builtins.currentSystem }:
let
  lib = import ./lib;
  base = final: prev: {
    inherit lib;
    stdenv.hostPlatform = { inherit system; };
    callPackage = lib.callPackageWith final;
    make = name: text: derivation { inherit name system; builder = ./actor; args = [ "write" text ]; };
    libc = final.make "libc" "a library";
    hello = final.callPackage ({ make, libc }: make "hello" "hello by ${libc}") { };
    dockerTools = { buildImage = throw "this one needs KVM"; examples.kept = true; };
  };
in
lib.fix (lib.foldl' (below: overlay: lib.extends overlay below) (final: { }) ([ base ] ++ overlays))
`

// packageSet writes smallSet, its library and its builder to a folder.
func packageSet(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	lib, err := fs.Sub(nixpkgslite.FS, "lib")
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "lib"), lib)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "default.nix"), []byte(smallSet), 0o644)
	}
	if err == nil {
		err = exec.Command("cp", buildActor(t), filepath.Join(dir, "actor")).Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// folderTar returns the tar of a folder, with top as the one folder in it.
func folderTar(t *testing.T, dir, top string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, file)
		w.WriteHeader(&tar.Header{Name: top + "/" + filepath.ToSlash(name), Mode: int64(info.Mode().Perm()), Size: int64(len(data)), ModTime: time.Unix(1e9, 0)})
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

func compressed(t *testing.T, data []byte, with func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := with(&b)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// TestSetsFromElsewhere takes a package set from a folder, from archives and from
// a channel, lays the image packer over it, and builds: all are the same.
func TestSetsFromElsewhere(t *testing.T) {
	needSandbox(t)
	set := packageSet(t)
	data := folderTar(t, set, "test-25.11")
	packed := compressed(t, data, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
	web := newChannels(t, map[string][]byte{
		"set.tar.xz": packed,
		"set.tar.gz": compressed(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"cut.tar.xz": packed[:len(packed)/2],
	})
	dir := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "gonix"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "gonix.conf"), []byte("substituters =\ndownload-attempts = 1\n"), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "image.nix"), []byte(`
let pkgs = import <nixpkgs> { overlays = [ (import <gonix/dockertools>) (final: prev: { hello = final.make "mine" "mine by ${prev.libc}"; }) ]; };
in assert pkgs.dockerTools.examples.kept; {
  one = pkgs.dockerTools.buildImage { name = "one"; config.Cmd = [ pkgs.hello ]; };
  many = pkgs.dockerTools.buildLayeredImage { name = "many"; tag = "1"; config.Cmd = [ pkgs.hello ]; };
}`), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := func(program string, env []string, args ...string) (stdout, stderr string, err error) {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
			return strings.HasPrefix(v, "NIX_") || strings.HasPrefix(v, "XDG_") || strings.Contains(strings.ToLower(v), "_proxy=")
		}), "HOME="+dir)
		cmd.Env = append(cmd.Env, env...)
		var o, e bytes.Buffer
		cmd.Stdout, cmd.Stderr = &o, &e
		err = cmd.Run()
		return strings.TrimSpace(o.String()), e.String(), err
	}
	trust := "SSL_CERT_FILE=" + web.certificate
	gonix := func(args ...string) (string, string, error) {
		return run(filepath.Join(dir, "gonix"), []string{"NIX_CONF_DIR=" + dir, "HTTPS_PROXY=" + web.URL, trust}, args...)
	}
	must := func(args ...string) string {
		t.Helper()
		out, text, err := gonix(args...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, text)
		}
		return out
	}

	var first string
	for _, place := range []string{set, web.URL + "/set.tar.xz", web.URL + "/set.tar.gz", "channel:test-25.11"} {
		args := []string{"build", "--no-out-link", "-I", "nixpkgs=" + place, "image.nix"}
		switch out := must(args...); {
		case first == "":
			first = out
		case out != first:
			t.Errorf("from %s: %s, not %s", place, out, first)
		}
	}
	if n := web.count("channels.nixos.org/test-25.11/nixexprs.tar.xz"); n != 1 {
		t.Errorf("the channel was asked %d times", n)
	}
	images := strings.Fields(first)
	if len(images) != 2 {
		t.Fatalf("built %q", first)
	}
	if out := must("image", "ls", images[0]); !strings.Contains(out, "-libc") || !strings.Contains(out, "-mine") {
		t.Errorf("in the layered image:\n%s", out)
	}

	// Within the language, and as the file that is evaluated.
	fetched := must("instantiate", "--eval", "--raw", "-E", fmt.Sprintf(`fetchTarball "%s/set.tar.gz"`, web.URL))
	for _, expr := range []string{`fetchTarball "` + web.URL + `/set.tar.xz"`, `fetchTarball "channel:test-25.11"`, "toString <nixpkgs>"} {
		if out := must("instantiate", "-I", "nixpkgs=channel:test-25.11", "--eval", "--raw", "-E", expr); out != fetched {
			t.Errorf("%s is %s, not %s", expr, out, fetched)
		}
	}
	hello := must("instantiate", "channel:test-25.11", "-A", "hello")
	if out := must("instantiate", set, "-A", "hello"); out != hello {
		t.Errorf("hello is %s or %s", hello, out)
	}

	// What cannot be had.
	for _, c := range []struct{ place, want string }{
		{"channel:gone", "channels.nixos.org/gone/nixexprs.tar.xz"},
		{web.URL + "/gone.tar.xz", "HTTP error 404"},
		{web.URL + "/cut.tar.xz", "cut.tar.xz"},
	} {
		_, text, err := gonix("instantiate", "--eval", "-E", `fetchTarball "`+c.place+`"`)
		if err == nil || !strings.Contains(text, c.want) {
			t.Errorf("fetchTarball %s: %v: %s", c.place, err, text)
		}
		// As in Nix, the search goes on.
		_, text, err = gonix("instantiate", "--eval", "-I", "elsewhere="+c.place, "-E", "<elsewhere>")
		if err == nil || !strings.Contains(text, "Nix search path entry '"+c.place+"' cannot be downloaded, ignoring: ") || !strings.Contains(text, c.want) {
			t.Errorf("-I elsewhere=%s: %v: %s", c.place, err, text)
		}
	}
	// The authorities that are trusted, in Nix's three ways.
	for _, c := range []struct{ env, file, want string }{
		{"NIX_SSL_CERT_FILE=" + web.certificate, "", ""},
		{"NIX_SSL_CERT_FILE=" + dir + "/none", web.certificate, ""},
		{"NIX_SSL_CERT_FILE=", "", "certificate signed by unknown authority"},
		{"NIX_SSL_CERT_FILE=" + dir + "/none", "", "certificates of 'ssl-cert-file'"},
		{"NIX_SSL_CERT_FILE=", dir + "/image.nix", "has no certificate"},
	} {
		trust = c.env
		_, text, err := gonix("instantiate", "--option", "tarball-ttl", "0", "--option", "ssl-cert-file", c.file, "--eval", "-E", `fetchTarball "channel:test-25.11"`)
		if !strings.Contains(text, c.want) || c.want == "" && (err != nil || strings.Contains(text, "warning")) {
			t.Errorf("%s, ssl-cert-file %q: %v: %s", c.env, c.file, err, text)
		}
	}
	if err := verifyStore(filepath.Join(dir, ".local/share/gonix")); err != nil {
		t.Error(err)
	}

	needNix(t)
	env := []string{"NIX_CONFIG=build-users-group =\nsubstitute = false", "NIX_REMOTE=" + filepath.Join(dir, "nix")}
	for _, place := range []string{"set.tar.xz", "set.tar.gz"} {
		url := web.URL + "/" + place
		out, text, err := run(cxxNix, env, "-I", "nixpkgs="+url, "--eval", "--strict", "-E", `[ "${fetchTarball "`+url+`"}" "${<nixpkgs>}" ]`)
		if err != nil || strings.Count(out, filepath.Base(fetched)) != 2 {
			t.Errorf("C++ Nix, %s: %v: %s%s; expected %s", place, err, out, text, fetched)
		}
		out, text, err = run(cxxNix, env, "-I", "nixpkgs="+url, "<nixpkgs>", "-A", "hello")
		if err != nil || filepath.Base(out) != filepath.Base(hello) {
			t.Errorf("C++ Nix, %s: hello is %s, %v%s; expected %s", place, out, err, text, hello)
		}
	}
}
