//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gonix/derivation"
	"gonix/derivation/build"
	"gonix/derivation/nixhash"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// needSandbox skips tests where sandboxes are forbidden.
func needSandbox(t *testing.T) {
	t.Helper()
	if err := Check(t.Context()); err != nil {
		if os.Getenv("GONIX_TEST_FULL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// libraries are what the test binary needs to run, if it is not static.
func libraries(t testing.TB) []Bind {
	t.Helper()
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var binds []Bind
	add := func(path string) bool {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			binds = append(binds, Bind{real, path})
		}
		return err == nil
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			text, _ := io.ReadAll(p.Open())
			add(strings.TrimRight(string(text), "\x00"))
		}
	}
	libs, _ := f.ImportedLibraries()
	for _, lib := range libs {
		dirs := []string{"/lib/x86_64-linux-gnu/", "/lib/aarch64-linux-gnu/", "/lib64/", "/lib/", "/usr/lib/"}
		if !slices.ContainsFunc(dirs, func(d string) bool { return add(d + lib) }) {
			t.Skipf("the test binary needs %s, which is in none of %v; run with CGO_ENABLED=0", lib, dirs)
		}
	}
	return binds
}

// lab is a store with the test binary in it.
type lab struct {
	t     *testing.T
	store *store.Local
	tool  storepath.Path
	opts  build.Options
	log   bytes.Buffer
}

func newLab(t *testing.T) *lab {
	t.Helper()
	needSandbox(t)
	return openLab(t, t.TempDir())
}

func openLab(t *testing.T, root string) *lab {
	t.Helper()
	s, err := store.Open(root, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		store.RemoveTree(s.Dir())
		store.RemoveTree(s.StateDir())
	})
	l := &lab{t: t, store: s}
	exe, err := os.Executable()
	if err == nil {
		l.tool, err = s.AddPath(t.Context(), "tool", exe, store.Ingestion{})
	}
	if err != nil {
		t.Fatal(err)
	}
	l.opts = build.Options{
		Builders: map[string]build.Builder{"": &Builder{Extra: libraries(t)}},
		Events: func(e build.Event) {
			if e.Kind == build.LogLine {
				fmt.Fprintln(&l.log, e.Text)
			}
		},
	}
	return l
}

// drv adds a derivation whose builder runs steps.
func (l *lab) drv(d derivation.Derivation, steps ...string) storepath.Path {
	l.t.Helper()
	d.Platform = map[string]string{"amd64": "x86_64-linux", "arm64": "aarch64-linux"}[runtime.GOARCH]
	if d.Builder == "" {
		d.Builder = l.tool.String()
	}
	d.Args = append([]string{"steps"}, steps...)
	d.AddSource(l.tool)
	if d.Outputs == nil {
		d.Outputs = map[string]derivation.Output{"out": {}}
	}
	if err := d.FillOutputPaths(derivation.NewResolver(func(p storepath.Path) (*derivation.Derivation, error) {
		return l.store.ReadDerivation(l.t.Context(), p)
	})); err != nil {
		l.t.Fatal(err)
	}
	p, err := l.store.WriteDerivation(l.t.Context(), &d)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

func (l *lab) build(drv storepath.Path) error {
	l.log.Reset()
	_, err := build.Run(l.t.Context(), l.store, []build.Goal{{Drv: drv}}, l.opts)
	return err
}

// output builds and returns what the builder wrote to its log.
func (l *lab) output(d derivation.Derivation, steps ...string) string {
	l.t.Helper()
	if err := l.build(l.drv(d, append(steps, "write $out done")...)); err != nil {
		l.t.Fatal(err)
	}
	return l.log.String()
}

// clean checks that nothing is left of builds, on disk or running.
func (l *lab) clean() {
	l.t.Helper()
	for _, pattern := range []string{l.store.Dir() + "/*.chroot", l.store.StateDir() + "/builds/*"} {
		left, _ := filepath.Glob(pattern)
		for _, f := range left {
			l.t.Errorf("left: %s", f)
		}
	}
	all, err := l.store.All(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	entries, _ := os.ReadDir(l.store.Dir())
	for _, e := range entries {
		p, err := storepath.FromBase(e.Name())
		if e.Name() != ".links" && (err != nil || !slices.Contains(all, p)) {
			l.t.Errorf("left in the store: %s", e.Name())
		}
	}
}

func TestBuild(t *testing.T) {
	l := newLab(t)
	d := l.drv(derivation.Derivation{Name: "hello"}, "mkdir $out", "write $out/text $out and "+l.tool.String(), "symlink text $out/link")
	if err := l.build(d); err != nil {
		t.Fatal(err)
	}
	drv, err := l.store.ReadDerivation(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	out := drv.Outputs["out"].Path
	text, err := os.ReadFile(l.store.RealPath(out) + "/link")
	if want := out.String() + " and " + l.tool.String(); err != nil || string(text) != want {
		t.Errorf("output %q, %v", text, err)
	}
	info, err := l.store.Info(t.Context(), out)
	if err != nil || len(info.References) != 2 {
		t.Errorf("registered %+v, %v", info, err)
	}
	l.clean()
}

func TestWhatBuildersSee(t *testing.T) {
	l := newLab(t)
	got := l.output(derivation.Derivation{Name: "see", Env: map[string]string{"attr": "value"}},
		"id", "hostname", "pids", "caps", "interfaces", "loopback", "env",
		"ls /", "ls /build", "ls /dev", "ls /etc", "cat /etc/passwd", "ls /tmp",
		"echo store", "ls /nix/store", "cat /proc/self/cwd/../etc/group",
		"try write /file x", "try write /etc/file x", "try write /homeless-shelter x", "try write /proc/sys/kernel/hostname x",
		"try write /dev/null x", "try write /tmp/file x", "try write /dev/shm/file x", "try write "+l.tool.String()+" x",
		"try chmod 777 /dev/null", "try chmod 777 "+l.tool.String(), "try mount /tmp", "try unmount /proc")
	for _, want := range []string{
		"id 1000 100\n", "hostname localhost\n", "pids 2\n", "CapEff: 0000000000000000\n", "NoNewPrivs: 1\n", "interface lo true\n",
		"env attr=value\n", "env PATH=/path-not-set\n", "env HOME=/homeless-shelter\n", "env NIX_STORE=/nix/store\n",
		"env NIX_BUILD_TOP=/build\n", "env PWD=/build\n", "env TMPDIR=/build\n", "env TEMP=/build\n", "env NIX_LOG_FD=2\n", "env TERM=xterm-256color\n",
		"\nbuild dev etc ", "fd full null ptmx pts random shm stderr stdin stdout ", "group hosts passwd \n", "nixbld:x:1000:100:",
		"store\n" + l.tool.Base() + " \n",
		"write: EROFS\nwrite: EROFS\nwrite: EROFS\nwrite: EROFS\n" + "write: ok\nwrite: ok\nwrite: ok\nwrite: EROFS\n",
		"chmod: EROFS\nchmod: EROFS\nmount: EPERM\nunmount: EPERM\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the builder's log lacks %q", want)
		}
	}
	if strings.Count(got, "interface ") != 1 {
		t.Error("there are other interfaces than lo")
	}
	if t.Failed() {
		t.Log(got)
	}
	l.clean()
}

func TestSetuidAndAttributes(t *testing.T) {
	l := newLab(t)
	got := l.output(derivation.Derivation{Name: "modes"},
		"write f x", "try chmod 4755 f", "try chmod 2755 f", "try chmod 1755 f", "try fchmodat2 4755 f",
		"try create 4755 g", "try create 755 h", "try setxattr f", "mkdir d", "try chmod 2755 d")
	want := "chmod: EPERM\nchmod: EPERM\nchmod: ok\nfchmodat2: EPERM\ncreate: EPERM\ncreate: ok\nsetxattr: EOPNOTSUPP\nchmod: EPERM\n"
	if !strings.Contains(strings.ReplaceAll(got, "ENOTSUP\n", "EOPNOTSUPP\n"), want) {
		t.Errorf("got %s", got)
	}
}

func TestShell(t *testing.T) {
	l := newLab(t)
	// The test binary serves as shell, through a link in the store.
	link, err := l.store.AddPath(t.Context(), "shells", linkTo(t, l.tool.String()), store.Ingestion{})
	if err != nil {
		t.Fatal(err)
	}
	d := derivation.Derivation{Name: "sh", Builder: "/bin/sh", Env: map[string]string{"sandboxShell": link.String() + "/sh"}}
	d.AddSource(link)
	if got := l.output(d, "echo from the shell"); !strings.Contains(got, "from the shell\n") {
		t.Errorf("got %s", got)
	}
	// Without one there is none.
	err = l.build(l.drv(derivation.Derivation{Name: "nosh", Builder: "/bin/sh"}, "echo x"))
	if err == nil || !strings.Contains(err.Error(), "executing '/bin/sh': no such file or directory") {
		t.Errorf("error %v", err)
	}
	// It must be an input.
	d = derivation.Derivation{Name: "sh2", Env: map[string]string{"sandboxShell": "/nix/store/00000000000000000000000000000000-x/sh"}}
	if err := l.build(l.drv(d, "echo x")); err == nil || !strings.Contains(err.Error(), "not among the inputs") {
		t.Errorf("error %v", err)
	}
	// The host's may be used as well.
	exe, _ := os.Executable()
	l.opts.Builders[""] = &Builder{Shell: exe, Extra: libraries(t)}
	if got := l.output(derivation.Derivation{Name: "sh3", Builder: "/bin/sh"}, "echo host shell"); !strings.Contains(got, "host shell") {
		t.Errorf("got %s", got)
	}
}

// linkTo makes a directory with a link named sh.
func linkTo(t *testing.T, target string) string {
	dir := t.TempDir()
	if err := os.Symlink(target, dir+"/sh"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFailingBuilder(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct{ step, want string }{
		{"exit 7", "failed with exit code 7."},
		{"kill 9", "failed due to signal 9 (Killed)."},
		{"nonsense", "> nonsense: no such step\n"},
	} {
		d := l.drv(derivation.Derivation{Name: "bad"}, "echo before", "write $out half", c.step)
		err := l.build(d)
		if err == nil || !strings.HasPrefix(err.Error(), "Cannot build '"+d.String()+"'.\nReason: builder ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.step, err)
		}
		l.clean()
	}
}

// TestDaemon leaves a process running that holds the log open.
func TestDaemon(t *testing.T) {
	l := newLab(t)
	start := time.Now()
	l.output(derivation.Derivation{Name: "daemon"}, "daemon")
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("the build took %v", d)
	}
	l.clean()
}

func TestCancel(t *testing.T) {
	l := newLab(t)
	d := l.drv(derivation.Derivation{Name: "long"}, "daemon", "write $out x", "echo asleep", "sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	l.opts.Events = func(e build.Event) {
		if e.Kind == build.LogLine && e.Text == "asleep" {
			cancel()
		}
	}
	if _, err := build.Run(ctx, l.store, []build.Goal{{Drv: d}}, l.opts); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	l.clean()
	noneLeft(t, d.HashPart())
}

// noneLeft checks that no process mentions text on its command line.
func noneLeft(t *testing.T, text string) {
	t.Helper()
	var left []string
	for range 100 {
		left = nil
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range lines {
			line, err := os.ReadFile(f)
			if err == nil && strings.Contains(string(line), text) && f != fmt.Sprintf("/proc/%d/cmdline", os.Getpid()) {
				left = append(left, string(line))
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("still running: %q", left)
}

func TestFixedOutputNetwork(t *testing.T) {
	l := newLab(t)
	h := nixhash.Sum(nixhash.SHA256, []byte("done"))
	d := derivation.Derivation{
		Name: "fixed", Env: map[string]string{"impureEnvVars": "http_proxy other"},
		Outputs: map[string]derivation.Output{"out": {HashAlgo: "sha256", Hash: h.Base16()}},
	}
	l.opts.LookupEnv = func(name string) (string, bool) {
		v, ok := map[string]string{"http_proxy": "PROXY"}[name]
		return v, ok
	}
	got := l.output(d, "env", "ls /etc", "hostname")
	for _, want := range []string{"env http_proxy=PROXY\n", "env other=\n", "env NIX_OUTPUT_CHECKED=1\n", "nsswitch.conf", "hostname localhost\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the builder's log lacks %q: %s", want, got)
		}
	}
}

func TestCheckMode(t *testing.T) {
	l := newLab(t)
	d := l.drv(derivation.Derivation{Name: "same"}, "write $out same")
	if err := l.build(d); err != nil {
		t.Fatal(err)
	}
	l.opts.Check = true
	if err := l.build(d); err != nil {
		t.Fatal(err)
	}
	l.clean()
}

// TestKill kills a process in the middle of a build; the next one cleans up.
func TestKill(t *testing.T) {
	if root := os.Getenv("GONIX_TEST_KILL"); root != "" {
		l := openLab(t, root)
		d := l.drv(derivation.Derivation{Name: "killed"}, "write $out x", "echo asleep", "sleep 600")
		l.opts.Events = func(e build.Event) {
			if e.Text == "asleep" {
				fmt.Println("ASLEEP")
			}
		}
		l.build(d)
		return
	}
	l := newLab(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), "GONIX_TEST_KILL="+l.store.Root())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4096)
	for seen := ""; !strings.Contains(seen, "ASLEEP"); {
		n, err := out.Read(text)
		if seen += string(text[:n]); err != nil {
			t.Fatalf("the other process ended: %s", seen)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	noneLeft(t, l.tool.Base())
	left, _ := filepath.Glob(l.store.Dir() + "/*.chroot")
	if len(left) != 1 {
		t.Errorf("the killed process left %v", left)
	}
	if err := l.build(l.drv(derivation.Derivation{Name: "next"}, "write $out x")); err != nil {
		t.Fatal(err)
	}
	l.clean()
}

// TestDiskFull builds in a store on a small file system.
func TestDiskFull(t *testing.T) {
	needSandbox(t)
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	defer unix.Unmount(root, unix.MNT_DETACH)
	l := openLab(t, root)
	big := l.drv(derivation.Derivation{Name: "big"}, "fill $out 100")
	err := l.build(big)
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(err.Error(), "note: build failure may have been caused by lack of free disk space") {
		t.Errorf("error %v", err)
	}
	l.clean()
	if err := l.build(l.drv(derivation.Derivation{Name: "small"}, "fill $out 1")); err != nil {
		t.Error(err)
	}
	l.clean()
}

// TestOtherUser runs the tests of this package as an ordinary user.
func TestOtherUser(t *testing.T) {
	needSandbox(t)
	if os.Geteuid() != 0 || os.Getenv("GONIX_TEST_USER") != "" {
		t.Skip("root only: the tests run as an ordinary user already")
	}
	dir, err := os.MkdirTemp("", "gonix-user-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(exe)
	if err == nil {
		err = os.WriteFile(dir+"/test", text, 0o755)
	}
	if err == nil {
		err = os.Mkdir(dir+"/tmp", 0o777)
	}
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.Chown(dir+"/tmp", 12345, 12345))
	}
	if err != nil {
		t.Fatal(err)
	}
	// C++ Nix refuses to work for a user without a name.
	cmd := exec.Command(dir+"/test", "-test.v", "-test.skip=TestOtherUser|TestForbidden|TestAgainstNix")
	cmd.Dir = dir + "/tmp"
	cmd.Env = []string{"GONIX_TEST_USER=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir + "/tmp", "TMPDIR=" + dir + "/tmp", "GONIX_TEST_FULL=" + os.Getenv("GONIX_TEST_FULL")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "--- SKIP") {
			t.Log("as an ordinary user: ", strings.TrimSpace(line))
		}
	}
}

// TestForbidden looks at the words for each way in which sandboxes are forbidden.
func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		err   *setupError
		is    circumstances
		want  string
	}{
		{"debian", map[string]string{"kernel/unprivileged_userns_clone": "0\n"}, &setupError{"start", unix.EPERM}, circumstances{},
			"kernel.unprivileged_userns_clone is 0"},
		{"debian root", map[string]string{"kernel/unprivileged_userns_clone": "0\n"}, &setupError{"start", unix.EPERM}, circumstances{root: true, filtered: true},
			"seccomp filter"},
		{"limit", map[string]string{"user/max_user_namespaces": "0\n"}, &setupError{"start", unix.ENOSPC}, circumstances{root: true},
			"sysctl -w user.max_user_namespaces=15000"},
		{"ubuntu", map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1\n", "kernel/unprivileged_userns_clone": "1\n"},
			&setupError{"make mounts private", unix.EACCES}, circumstances{}, "kernel.apparmor_restrict_unprivileged_userns is 1"},
		{"masked", nil, &setupError{"mount /proc for a new pid namespace", unix.EPERM}, circumstances{root: true, filtered: true}, "systempaths=unconfined"},
		{"unknown", nil, &setupError{"start", unix.EPERM}, circumstances{}, "security module or a chroot"},
		{"container", nil, &setupError{"start: fork/exec /proc/self/exe: operation not permitted", unix.EPERM}, circumstances{filtered: true},
			"seccomp=unconfined --security-opt systempaths=unconfined"},
		{"chroot", nil, &setupError{"start: fork/exec /proc/self/exe: operation not permitted", unix.EPERM}, circumstances{chrooted: true}, "pivot_root"},
		{"old", nil, &setupError{"open", unix.ENOSYS}, circumstances{}, "Linux 5.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sys := t.TempDir()
			for name, text := range c.files {
				os.MkdirAll(filepath.Dir(sys+"/"+name), 0o755)
				os.WriteFile(sys+"/"+name, []byte(text), 0o644)
			}
			got := forbidden(c.err, sys, c.is).Error()
			if !strings.Contains(got, c.want) || !strings.Contains(got, "--store / --option sandbox false") {
				t.Errorf("message %q lacks %q", got, c.want)
			}
		})
	}
}

// BenchmarkBuild is what a build costs that does nothing.
func BenchmarkBuild(b *testing.B) {
	if err := Check(b.Context()); err != nil {
		b.Skip(err)
	}
	for b.Loop() {
		root := b.TempDir()
		_, err := run(b.Context(), &plan{Root: root, UID: buildUID, GID: buildGID, Probe: true, Dir: "/"}, io.Discard)
		if err != nil {
			b.Fatal(err)
		}
	}
}
