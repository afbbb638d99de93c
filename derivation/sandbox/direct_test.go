//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/store"
)

// TestDirect runs its second half in a process that is root of a machine with
// nothing at /nix yet and without any namespaces to be had.
func TestDirect(t *testing.T) {
	if os.Getenv("GONIX_TEST_DIRECT") != "" {
		testDirect(t)
		return
	}
	needSandbox(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("", "gonix-direct-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	cmd := exec.Command(exe, "-test.run=^TestDirect$", "-test.v")
	cmd.Env = append(os.Environ(), "GONIX_TEST_DIRECT="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// bareMachine changes the root to one that has all of the machine but /nix.
func bareMachine(t *testing.T, root string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	check(unix.Mount("tmpfs", root, "tmpfs", 0, "size=256m"))
	entries, err := os.ReadDir("/")
	check(err)
	for _, e := range entries {
		from, to := "/"+e.Name(), root+"/"+e.Name()
		switch {
		case e.Name() == "nix":
		case e.Type()&os.ModeSymlink != 0:
			target, err := os.Readlink(from)
			check(err)
			check(os.Symlink(target, to))
		case e.IsDir():
			check(os.Mkdir(to, 0o755))
			check(unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""))
		}
	}
	check(os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644))
	check(unix.Chroot(root))
	check(os.Chdir("/"))
}

func testDirect(t *testing.T) {
	bareMachine(t, os.Getenv("GONIX_TEST_DIRECT"))
	err := Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "user.max_user_namespaces is 0") || !strings.Contains(err.Error(), "--store / --option sandbox false") {
		t.Errorf("without namespaces: %v", err)
	}
	l := openLab(t, "/")
	direct := l.opts
	direct.Builders = map[string]build.Builder{"": Direct{}}

	// A build that needs a sandbox fails before anything is built.
	_, err = build.Run(t.Context(), l.store, []build.Goal{{Drv: l.drv(derivation.Derivation{Name: "boxed"}, "write $out x")}}, l.opts)
	var be *build.Error
	if err == nil || errors.As(err, &be) || !strings.Contains(err.Error(), "max_user_namespaces") {
		t.Errorf("error %v", err)
	}

	l.opts = direct
	d := derivation.Derivation{Name: "two", Outputs: map[string]derivation.Output{"out": {}, "dev": {}}}
	two := l.drv(d, "env", "mkdir $out", "write $out/text $out", "symlink $out/text $out/link", "write $dev for $out", "daemon")
	if err := l.build(two); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"env NIX_BUILD_TOP=/nix/var/nix/builds/nix-build-two.drv-0\n", "env HOME=/homeless-shelter\n"} {
		if !strings.Contains(l.log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, &l.log)
		}
	}
	noneLeft(t, "sleep 600")
	l.clean()

	// Outputs that are valid stay what they are, and are compared.
	l.opts.Check = true
	if err := l.build(two); err != nil {
		t.Errorf("check: %v", err)
	}
	l.clean()
	l.opts.Check = false
	drv, err := l.store.ReadDerivation(t.Context(), two)
	if err != nil {
		t.Fatal(err)
	}
	before, err := l.store.Info(t.Context(), drv.Outputs["dev"].Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.store.Delete(t.Context(), before.Path); err != nil {
		t.Fatal(err)
	}
	if err := l.build(two); err != nil {
		t.Fatal(err)
	}
	after, err := l.store.Info(t.Context(), before.Path)
	if err != nil || !after.NarHash.Equal(before.NarHash) || !slices.Equal(after.References, before.References) {
		t.Errorf("built again: %+v, want %+v (%v)", after, before, err)
	}
	l.clean()

	bad := l.drv(derivation.Derivation{Name: "bad"}, "write $out half", "exit 9")
	if err := l.build(bad); err == nil || !strings.Contains(err.Error(), "failed with exit code 9") {
		t.Errorf("error %v", err)
	}
	l.clean()

	ctx, cancel := context.WithCancel(t.Context())
	l.opts.Events = func(e build.Event) {
		if e.Text == "asleep" {
			cancel()
		}
	}
	long := l.drv(derivation.Derivation{Name: "long"}, "daemon", "write $out x", "echo asleep", "sleep 600")
	if _, err := build.Run(ctx, l.store, []build.Goal{{Drv: long}}, l.opts); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	noneLeft(t, "sleep 600")
	l.clean()
}

func TestDirectNeedsItsStore(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = Direct{}.Build(t.Context(), &build.Job{Store: s})
	if err == nil || !strings.Contains(err.Error(), "'--store /'") {
		t.Errorf("error %v", err)
	}
}

// TestRewriter cuts a stream at every place.
func TestRewriter(t *testing.T) {
	from, to := strings.Repeat("a", 32), strings.Repeat("b", 32)
	text := "x" + from + "y" + from[:31] + "z" + from + from
	want := strings.ReplaceAll(text, from, to)
	for i := range text {
		var b strings.Builder
		w := &rewriter{w: &b, replacer: strings.NewReplacer(from, to)}
		io.WriteString(w, text[:i])
		io.WriteString(w, text[i:])
		if err := w.flush(); err != nil || b.String() != want {
			t.Fatalf("cut at %d: %q, %v", i, b.String(), err)
		}
	}
	// Names of files are rewritten, too.
	dir := t.TempDir()
	os.MkdirAll(dir+"/in/d", 0o755)
	os.WriteFile(dir+"/in/d/"+from, []byte(text), 0o755)
	if err := rewriteTree(dir+"/in", dir+"/out", strings.NewReplacer(from, to)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "out/d", to))
	if err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}
