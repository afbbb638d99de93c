//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"testing"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
	"gonix/dockertools"
	"gonix/dockertools/rootfs"
)

// imageDigest builds an image whose scripts run in the way of run, and returns
// the digest of the archive.
func imageDigest(t *testing.T, run func(context.Context, RootCommand) (OwnerTable, error)) string {
	t.Helper()
	if len(libraries(t)) > 0 {
		t.Skip("the test binary is not linked statically, so scripts cannot use it; run with CGO_ENABLED=0")
	}
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		s.Close()
		store.RemoveTree(s.Dir())
	}()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tool, err := s.AddPath(t.Context(), "tool", exe, store.Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	contents := t.TempDir()
	os.Mkdir(contents+"/etc", 0o755)
	os.WriteFile(contents+"/etc/motd", []byte("hello"), 0o644)
	from, err := s.AddPath(t.Context(), "contents", contents, store.Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	script := "#!" + tool.String() + " script\n"
	attrs, err := json.Marshal(map[string]any{
		"name": "image", "imageName": "image", "imageTag": "x", "contents": []string{from.String()}, "compressor": "none",
		"outputs": []string{"out"}, "shell": tool.String(),
		"runAsRoot":     script + "mkdir /data\nchown 999 998 /data\nwrite /data/f x\nchmod 4755 /data/f\nchown 999 998 /data/f\nchmod 4755 /data/f\nmkdir /dev/x\nmknod 600 /data/zero 1 5\nwrite /dev/null x\nappend /etc/motd y\n",
		"extraCommands": script + "chmod 700 /data\nsymlink f /data/l\nlchown 5 6 /data/l\nmkfifo /data/fifo\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	d := derivation.Derivation{
		Name: "image", Platform: "builtin", Builder: "builtin:docker-image",
		Outputs: map[string]derivation.Output{"out": {}}, Env: map[string]string{"__json": string(attrs)},
	}
	d.AddSource(tool)
	d.AddSource(from)
	if err := d.FillOutputPaths(derivation.NewResolver(func(storepath.Path) (*derivation.Derivation, error) { return nil, nil })); err != nil {
		t.Fatal(err)
	}
	p, err := s.WriteDerivation(t.Context(), &d)
	if err != nil {
		t.Fatal(err)
	}
	runner := func(ctx context.Context, c dockertools.RootCommand) (rootfs.Owners, error) {
		in := RootCommand{Root: c.Root, Args: c.Args, Env: c.Env, Dir: c.Dir, Log: c.Log, Owners: OwnerTable{}}
		for _, b := range c.Binds {
			in.Binds = append(in.Binds, Bind(b))
		}
		for ino, o := range c.Owners {
			in.Owners[Ino(ino)] = Owner(o)
		}
		after, err := run(ctx, in)
		out := rootfs.Owners{}
		for ino, o := range after {
			out[rootfs.Inode(ino)] = rootfs.Owner(o)
		}
		return out, err
	}
	results, err := build.Run(t.Context(), s, []build.Goal{{Drv: p}}, build.Options{
		Builders: map[string]build.Builder{"builtin:docker-image": &dockertools.Builder{Run: runner}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(s.RealPath(results[0].Outputs["out"]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digestVar holds the digest that the image of imageDigest has to have.
const digestVar = "GONIX_TEST_DIGEST"

// TestSameImage builds an image in the sandbox and on machines without one.
func TestSameImage(t *testing.T) {
	if os.Getenv(machineVar) == "" {
		needRoot(t)
		needSandbox(t)
		onMachines(t, digestVar+"="+imageDigest(t, RunInRoot))
		return
	}
	m := enterMachine(t)
	for _, forReal := range []bool{false, true} {
		if forReal && !m.devices {
			continue // mknod would fail
		}
		if got, want := imageDigest(t, direct{t, forReal}.command), os.Getenv(digestVar); got != want {
			t.Errorf("real=%v: the image is %s, in a sandbox it is %s", forReal, got, want)
		}
	}
}
