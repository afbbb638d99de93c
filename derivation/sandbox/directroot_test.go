//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"gonix/derivation/build"
)

// machine is a kind of machine that programs of images run on as root.
type machine struct {
	name    string
	flags   uintptr // namespaces in which the test is to run
	devices bool    // mknod works
	drop    bool    // there is no CAP_SYS_ADMIN
	asked   bool    // somebody else is asked on behalf of programs already
}

var machines = []machine{
	{name: "root", devices: true},
	{name: "container", devices: true, drop: true},
	{name: "supervised", devices: true, drop: true, asked: true},
	{name: "inner", flags: syscall.CLONE_NEWUSER, drop: true}, // and user namespaces are forbidden
}

const (
	machineVar = "GONIX_TEST_MACHINE"
	stageVar   = "GONIX_TEST_STAGE"
)

// TestDirectInRoot runs the same steps in sandboxes and on other machines, and
// compares what comes of them.
func TestDirectInRoot(t *testing.T) {
	if os.Getenv(machineVar) != "" {
		onMachine(t)
		return
	}
	needRoot(t)
	needSandbox(t)
	onMachines(t)
}

// onMachines runs the test in a process on each machine.
func onMachines(t *testing.T, env ...string) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := t.Name()
	for _, m := range machines {
		t.Run(m.name, func(t *testing.T) {
			cmd := exec.Command(exe, "-test.run=^"+name+"$", "-test.v")
			cmd.Env = append(append(os.Environ(), machineVar+"="+m.name, stageVar+"=1"), env...)
			if m.flags != 0 {
				all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
				cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: m.flags, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true}
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can run programs in a root directory without a sandbox")
	}
	have, err := capabilities()
	if err != nil || have&(1<<unix.CAP_MKNOD) == 0 || have&(1<<unix.CAP_SYS_ADMIN) == 0 {
		t.Skipf("this root has the capabilities %x only (%v)", have, err)
	}
}

// enterMachine turns the process into one on the machine that it is meant for.
func enterMachine(t *testing.T) machine {
	t.Helper()
	name := os.Getenv(machineVar)
	m := machines[slices.IndexFunc(machines, func(m machine) bool { return m.name == name })]
	if m.drop && os.Getenv(stageVar) == "1" {
		// What a process executes has the capabilities that are left.
		runtime.LockOSThread()
		if m.flags != 0 {
			if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
		if m.asked {
			listener, err := install(answer(retAllow), true)
			if err != nil {
				t.Fatal(err)
			}
			// There can be no other one as long as this one is open.
			if _, err := unix.FcntlInt(uintptr(listener), unix.F_SETFD, 0); err != nil {
				t.Fatal(err)
			}
		}
		os.Setenv(stageVar, "2")
		t.Fatal(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	}
	return m
}

func onMachine(t *testing.T) {
	m := enterMachine(t)
	if m.flags != 0 {
		if err := Check(t.Context()); err == nil || !strings.Contains(err.Error(), wayOut) {
			t.Fatalf("without namespaces: %v", err)
		}
	}
	for _, forReal := range []bool{false, true} {
		t.Run(fmt.Sprintf("real=%v", forReal), func(t *testing.T) {
			d := direct{t, forReal}
			d.compare(m.flags == 0 && !m.asked, m.devices || !forReal)
			d.restores()
			d.cancelled()
			d.fails()
		})
	}
	root, binds := directRoot(t)
	if log, _, err := (direct{t, false}).run(t.Context(), root, binds, nil, "chown 999 0 /before"); err != nil {
		t.Error(err, log)
	}
	if info, err := os.Stat(root + "/before"); err != nil || (info.Sys().(*syscall.Stat_t).Uid == 999) != m.asked {
		t.Errorf("given away for real: %v, %v", info.Sys(), err)
	}
	if !m.devices {
		root, binds := directRoot(t)
		log, _, err := direct{t, false}.run(t.Context(), root, binds, nil, "ls /dev", "write /dev/null x")
		if err != nil || !strings.Contains(log, "warning: the machine allows no devices (mknod: operation not permitted)") {
			t.Errorf("%v: %s", err, log)
		}
	}
}

// directRoot is a directory tree with the test binary at /tool.
func directRoot(t *testing.T) (string, []Bind) {
	t.Helper()
	root := t.TempDir() + "/root"
	for _, d := range []string{"/etc", "/dev", "/nix/store/old"} {
		if err := os.MkdirAll(root+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"/before", "/untouched", "/spare", "/dev/own", "/nix/store/old/file"} {
		if err := os.WriteFile(root+f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root+"/untouched", 0o755|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return root, append(libraries(t), Bind{exe, "/tool"})
}

func directOwners(t *testing.T, root string) OwnerTable {
	return OwnerTable{
		inode(t, root+"/before"):    {UID: 5, GID: 6},
		inode(t, root+"/untouched"): {UID: 8, GID: 9},
		inode(t, root+"/spare"):     {GID: 4, Type: unix.S_IFBLK, Rdev: unix.Mkdev(7, 1)},
		{1, 2}:                      {UID: 1, GID: 1},
	}
}

type direct struct {
	t       *testing.T
	forReal bool
}

func (d direct) run(ctx context.Context, root string, binds []Bind, owners OwnerTable, steps ...string) (string, OwnerTable, error) {
	d.t.Helper()
	var log bytes.Buffer
	table, err := d.command(ctx, RootCommand{
		Root: root, Binds: binds, Args: append([]string{"/tool", "steps"}, steps...),
		Env: []string{"HOME=/root"}, Log: &log, Owners: owners,
	})
	return log.String(), table, err
}

// command is DirectInRoot, or what that does without a recorder.
func (d direct) command(ctx context.Context, c RootCommand) (OwnerTable, error) {
	if !d.forReal {
		return DirectInRoot(ctx, c)
	}
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	p.Direct, p.NoRecorder = true, true
	out, err := runDirect(ctx, p, c.Log)
	if err != nil {
		return nil, err
	}
	return c.finish(out)
}

// compare runs steps here, and in a sandbox if there can be one; else what came
// of them in one is known.
func (d direct) compare(sandbox, devices bool) {
	t := d.t
	steps := []string{
		"id", "stat /before", "chown 999 -1 /before", "stat /before",
		"mkdir /data", "chown 999 998 /data", "stat /data", "stat /etc",
		"write /data/f x", "chown 999 998 /data/f", "append /data/f y", "stat /data/f",
		"write /open x", "fchown 3 4 /open", "stat /open",
		"symlink /data /link", "lchown 7 8 /link", "stat /link",
		"write /gone x", "chown 1 1 /gone", "rm /gone", "write /fresh x", "stat /fresh",
		"cd /data", "chown 5 5 f", "stat f", "stat ../before", "stat /data/../data/f",
		"try chown 5 5 /none", "try setuid 999", "try setuid 0", "try setgroups", "id",
		"write /suid x", "chmod 6755 /suid", "chown 1 1 /suid", "stat /suid", "chmod 4711 /suid",
		"write /data/root x", "mkdir /jail", "write /jail/file x", "mkfifo /fifo", "chown 2 2 /fifo",
		"cat /nix/store/00000000000000000000000000000000-x/text", "stat /nix/store/00000000000000000000000000000000-x/text",
		"stat /nix/store/00000000000000000000000000000000-x/link", "ls /nix/store",
	}
	if devices {
		steps = append(steps, "mknod 666 /data/null 1 3", "chown 0 5 /data/null", "stat /data/null",
			"cd /jail", "mknod 600 big 300 70000", "stat big", "try mknod 600 big 1 1")
	}
	steps = append(steps, "chroot /jail", "chown 1 1 /file", "stat /file")
	run := func(f func(root string, binds []Bind, owners OwnerTable) (string, OwnerTable, error)) []string {
		root, binds := directRoot(t)
		source := t.TempDir()
		os.WriteFile(source+"/text", []byte("from the store"), 0o444)
		os.Symlink("text", source+"/link")
		os.Chtimes(source+"/text", time.Unix(1, 0), time.Unix(1, 0))
		binds = append(binds, Bind{source, "/nix/store/00000000000000000000000000000000-x"})
		log, table, err := f(root, binds, directOwners(t, root))
		if err != nil {
			t.Fatal(err, log)
		}
		var lines []string
		for line := range strings.Lines(log) {
			if !strings.HasPrefix(line, "warning: ") {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		return append(lines, describe(t, root, table)...)
	}
	got := run(func(root string, binds []Bind, owners OwnerTable) (string, OwnerTable, error) {
		return d.run(t.Context(), root, binds, owners, steps...)
	})
	if !sandbox {
		want := []string{"/before 100644 999:6 0,0 \"\"", "/spare 60644 0:4 7,1 \"\"", "/untouched 104755 8:9 0,0 \"\"", "/data/f 100644 5:5 0,0 \"xy\"", "/suid 104711 1:1 0,0 \"x\"", "/dev/own 100644 0:0 0,0 \"\""}
		if devices {
			want = append(want, "/jail/big 20600 0:0 300,70000 \"\"")
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("there is no %q in %q", line, got)
			}
		}
		return
	}
	want := run(func(root string, binds []Bind, owners OwnerTable) (string, OwnerTable, error) {
		return runSteps(t, root, binds, owners, steps...)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sandbox - direct +\n%s", diff)
	}
}

// describe lists the files of a root as an image would have them.
func describe(t *testing.T, root string, table OwnerTable) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		o := table[Ino{uint64(st.Dev), st.Ino}]
		content, mode := "", st.Mode
		switch mode & unix.S_IFMT {
		case unix.S_IFREG:
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(text)
		case unix.S_IFLNK:
			content, _ = os.Readlink(path)
		}
		if o.Type != 0 {
			mode = mode&^unix.S_IFMT | o.Type
		}
		lines = append(lines, fmt.Sprintf("%s %o %d:%d %d,%d %q", strings.TrimPrefix(path, root), mode, o.UID, o.GID, unix.Major(o.Rdev), unix.Minor(o.Rdev), content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// restores has the program damage what is only there for the run.
func (d direct) restores() {
	t := d.t
	root, binds := directRoot(t)
	source := t.TempDir()
	os.WriteFile(source+"/text", []byte("original"), 0o444)
	store := "/nix/store/00000000000000000000000000000000-x"
	binds = append(binds, Bind{source, store})
	before := describe(t, root, nil)
	log, table, err := d.run(t.Context(), root, binds, nil,
		"append "+store+"/text y", "chmod 644 "+store+"/text", "chown 1 1 "+store+"/text", "rm "+store+"/text",
		"write /nix/store/new x", "write /dev/null x", "chmod 700 /dev/null", "write /dev/shm/x x", "ls /dev", "rm /dev/fd")
	if err != nil {
		t.Fatal(err, log)
	}
	if !strings.Contains(log, " null ") || strings.Contains(log, "own") {
		t.Errorf("/dev is %s", log)
	}
	if diff := cmp.Diff(before, describe(t, root, table)); diff != "" || len(table) != 0 {
		t.Errorf("table %v\n%s", table, diff)
	}
	info, err := os.Stat(source + "/text")
	text, _ := os.ReadFile(source + "/text")
	if err != nil || info.Mode() != 0o444 || string(text) != "original" {
		t.Errorf("the store has %q, %v, %v", text, info, err)
	}
	var st unix.Stat_t
	if err := unix.Stat("/dev/null", &st); err != nil || st.Mode != unix.S_IFCHR|0o666 {
		t.Errorf("the machine's /dev/null has the mode %o, %v", st.Mode, err)
	}
	left, _ := os.ReadDir(filepath.Dir(root))
	if len(left) != 1 {
		t.Errorf("left beside the root: %v", left)
	}
	_, _, err = d.run(t.Context(), root, binds, nil, "rename /nix/store /nix/moved")
	if err == nil || !strings.Contains(err.Error(), "the program replaced /nix/store") {
		t.Errorf("error %v", err)
	}
}

// cancelled ends a program that has left another one running.
func (d direct) cancelled() {
	t := d.t
	root, binds := directRoot(t)
	before := describe(t, root, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 1000 {
			if _, err := os.Stat(root + "/asleep"); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	_, _, err := d.run(ctx, root, binds, nil, "background 611", "write /asleep x", "sleep 612")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	noneLeft(t, "sleep 611")
	noneLeft(t, "sleep 612")
	os.Remove(root + "/asleep")
	if diff := cmp.Diff(before, describe(t, root, nil)); diff != "" {
		t.Error(diff)
	}
}

func (d direct) fails() {
	t := d.t
	root, binds := directRoot(t)
	log, _, err := d.run(t.Context(), root, binds, nil, "echo output", "exit 3")
	var exit *build.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || !strings.Contains(log, "output\n") {
		t.Errorf("error %v, log %s", err, log)
	}
	if _, _, err := d.run(t.Context(), root+"/none", binds, nil, "echo x"); err == nil {
		t.Error("a program ran in a root that does not exist")
	}
	os.Remove(root + "/proc")
	os.Symlink("/etc", root+"/proc")
	if _, _, err := d.run(t.Context(), root, binds, nil, "echo x"); err == nil || !strings.Contains(err.Error(), "/proc in the root directory is not a directory") {
		t.Errorf("error %v", err)
	}
	// Links of the image lead nowhere else.
	outside := t.TempDir()
	root, binds = directRoot(t)
	os.RemoveAll(root + "/nix")
	os.Symlink("../../../../../../../../"+outside, root+"/nix")
	os.MkdirAll(root+outside, 0o755)
	if log, _, err := d.run(t.Context(), root, binds, nil, "ls /nix/store"); err != nil {
		t.Error(err, log)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 0 {
		t.Errorf("written outside of the root: %v, %v", entries, err)
	}
}

// TestDirectInRootNeedsRoot runs as somebody else.
func TestDirectInRootNeedsRoot(t *testing.T) {
	if os.Geteuid() == 0 {
		needRoot(t)
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		// The executable may lie where only root can go.
		text, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "gonix-other-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755)
		if err := os.WriteFile(dir+"/test", text, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(dir+"/test", "-test.run=^TestDirectInRootNeedsRoot$", "-test.v")
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	_, err := DirectInRoot(t.Context(), RootCommand{Root: "/", Args: []string{"/x"}})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("needs root, and this is user %d", os.Geteuid())) {
		t.Errorf("error %v", err)
	}
}
