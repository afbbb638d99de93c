//go:build linux && (amd64 || arm64)

package dockertools

import (
	"bytes"
	"context"
	"debug/elf"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gonix/derivation/sandbox"
	"gonix/derivation/storepath"
	"gonix/dockertools/rootfs"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// sandboxed runs scripts for real.
func sandboxed(ctx context.Context, c RootCommand) (rootfs.Owners, error) {
	in := sandbox.RootCommand{Root: c.Root, Args: c.Args, Env: c.Env, Dir: c.Dir, Log: c.Log, Owners: sandbox.OwnerTable{}}
	for _, b := range c.Binds {
		in.Binds = append(in.Binds, sandbox.Bind{Source: b.Source, Target: b.Target})
	}
	for inode, o := range c.Owners {
		in.Owners[sandbox.Ino(inode)] = sandbox.Owner(o)
	}
	after, err := sandbox.RunInRoot(ctx, in)
	if err != nil {
		return nil, err
	}
	out := rootfs.Owners{}
	for inode, o := range after {
		out[rootfs.Inode(inode)] = rootfs.Owner(o)
	}
	return out, nil
}

// busybox adds a static busybox to the store; without one, or without
// namespaces, the test is skipped.
func busybox(t *testing.T, s *testStore) storepath.Path {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("GONIX_TEST_FULL") == "1" {
		skip = t.Fatalf
	}
	data, err := os.ReadFile("/bin/busybox")
	if err != nil {
		skip("no busybox: %v", err)
	}
	// The sandbox starts its own executable where no library can be found.
	for _, name := range []string{"/bin/busybox", "/proc/self/exe"} {
		program, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		program.Close()
		for _, p := range program.Progs {
			if p.Type == elf.PT_INTERP {
				skip("%s is not linked statically", name)
			}
		}
	}
	if err := sandbox.Check(t.Context()); err != nil {
		skip("no sandbox: %v", err)
	}
	f := files{}
	for _, name := range []string{"sh", "adduser", "addgroup", "mkdir", "chown", "chmod", "ls", "cat", "rm", "touch", "ln", "stat", "pwd", "mknod", "mv"} {
		f["bin/"+name] = "-> busybox"
	}
	f["bin/busybox"] = "#!" + string(data)
	p := made("busybox")
	f.write(t, s.RealPath(p))
	if err := os.WriteFile(s.RealPath(p)+"/bin/busybox", data, 0o755); err != nil {
		t.Fatal(err)
	}
	return s.register(p)
}

func TestRunAsRootForReal(t *testing.T) {
	s := redis(t)
	bb := busybox(t, s)
	b := &Builder{Run: sandboxed}
	var log bytes.Buffer
	job := s.job(attrs{
		"imageName": "redis", "imageTag": "7", "contents": []string{made("server").String()},
		"shell": bb.String() + "/bin/sh", "path": bb.String() + "/bin",
		"runAsRoot": "#!" + bb.String() + `/bin/sh
set -ex
mkdir -p /etc
echo root:x:0:0::/root:/bin/sh > /etc/passwd
echo root:x:0: > /etc/group
echo redis:x:999:999::/data:/bin/sh >> /etc/passwd
echo redis:x:999: >> /etc/group
mkdir /data
chown redis:redis /data
ls -ld /data
chmod 4755 /bin/redis-server
mknod /spare c 1 3
rm /share/doc
touch /etc/passwd-
`,
		"extraCommands": "pwd; chmod 0700 data; ln -s data d; echo " + made("entry").String() + " > used",
		"config":        attrs{"WorkingDir": "/data"},
	}, made("server"), made("entry"), bb)
	job.Log = &log
	if err := b.Build(t.Context(), job); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	out := job.Dest["out"]
	validate(t, out)
	var got []string
	for _, l := range short(layerListing(t, out), "libc", "server", "busybox", "entry") {
		if !strings.Contains(l, " nix/") {
			got = append(got, l)
		}
	}
	want := []string{
		"5 0555 0:0 bin/",
		"2 0777 0:0 bin/redis -> redis-server",
		"0 4755 0:0 bin/redis-server",
		"2 0777 0:0 d -> data",
		"5 0700 999:999 data/",
		"5 0755 0:0 etc/",
		"0 0644 0:0 etc/group",
		"0 0644 0:0 etc/passwd",
		"5 0555 0:0 share/",
		"3 0644 0:0 spare",
		"5 1777 0:0 tmp/",
		"0 0644 0:0 used",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s\n%s", d, log.String())
	}
	sum, err := Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("image %s", sum.Digest)
	var paths []string
	for _, p := range sum.StorePaths {
		paths = append(paths, p.Path[44:])
	}
	for _, want := range []string{"libc", "server", "entry"} {
		if !strings.Contains(strings.Join(paths, " "), want) {
			t.Errorf("%s is not in the image: %q", want, paths)
		}
	}
	if strings.Contains(strings.Join(paths, " "), "busybox") {
		t.Errorf("the shell of the script is in the image: %q", paths)
	}
}

func TestExtraCommandsForReal(t *testing.T) {
	s := redis(t)
	bb := busybox(t, s)
	out := s.build(&Builder{Run: sandboxed}, attrs{
		"imageName": "x", "contents": []string{made("server").String()}, "uid": 1000, "gid": 100,
		"shell": bb.String() + "/bin/sh", "path": bb.String() + "/bin",
		"extraCommands": "mkdir data; mv share/doc data/; chmod 600 bin/redis-server",
	}, made("server"), bb)
	var got []string
	for _, l := range short(layerListing(t, out), "libc") {
		if !strings.Contains(l, " nix/") {
			got = append(got, l)
		}
	}
	want := []string{
		"5 0755 1000:100 ./",
		"5 0555 1000:100 bin/",
		"2 0777 1000:100 bin/redis -> redis-server",
		"0 0600 1000:100 bin/redis-server",
		"5 0755 1000:100 data/",
		"0 0444 1000:100 data/doc",
		"5 0555 1000:100 share/",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFailingScript(t *testing.T) {
	s := redis(t)
	bb := busybox(t, s)
	for _, c := range []struct{ attribute, script, want string }{
		{"runAsRoot", "echo some words; false; true", "run runAsRoot: "},
		{"extraCommands", "cat nowhere", "run extraCommands: "},
		{"runAsRoot", "#!/nowhere/sh\n", "run runAsRoot: "},
	} {
		got := s.fail(&Builder{Run: sandboxed}, attrs{"imageName": "x", "shell": bb.String() + "/bin/sh", "path": bb.String() + "/bin", c.attribute: c.script}, bb)
		if !strings.Contains(got, c.want) {
			t.Errorf("error %s", got)
		}
		t.Log(got)
	}
}

// TestScriptIsRepeatable builds an image with a script twice.
func TestScriptIsRepeatable(t *testing.T) {
	var first []byte
	for range 2 {
		s := redis(t)
		bb := busybox(t, s)
		out := s.build(&Builder{Run: sandboxed}, attrs{
			"imageName": "x", "shell": bb.String() + "/bin/sh", "path": bb.String() + "/bin", "compressor": "none",
			"runAsRoot": "mkdir -p /a/b; echo x > /a/b/c; chown 7:8 /a/b/c; ln /a/b/c /a/d",
		}, bb)
		f, err := os.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		} else if !bytes.Equal(first, data) {
			t.Error("two builds differ")
		}
	}
}
