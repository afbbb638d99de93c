//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gonix/derivation/build"
)

// rootDir is a directory tree with the test binary at /tool.
func rootDir(t *testing.T) (string, []Bind) {
	t.Helper()
	needSandbox(t)
	root := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(root+"/etc", 0o755); err != nil {
		t.Fatal(err)
	}
	return root, append(libraries(t), Bind{exe, "/tool"})
}

func inode(t *testing.T, path string) Ino {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return Ino{uint64(st.Dev), st.Ino}
}

func runSteps(t *testing.T, root string, binds []Bind, owners OwnerTable, steps ...string) (string, OwnerTable, error) {
	t.Helper()
	var log bytes.Buffer
	table, err := RunInRoot(t.Context(), RootCommand{
		Root: root, Binds: binds, Args: append([]string{"/tool", "steps"}, steps...),
		Env: []string{"HOME=/root"}, Log: &log, Owners: owners,
	})
	return log.String(), table, err
}

func TestRecordOwners(t *testing.T) {
	root, binds := rootDir(t)
	os.WriteFile(root+"/before", nil, 0o644)
	os.WriteFile(root+"/untouched", nil, 0o644)
	owners := OwnerTable{
		inode(t, root+"/before"):    {UID: 5, GID: 6},
		inode(t, root+"/untouched"): {UID: 8, GID: 9},
		{1, 2}:                      {UID: 1, GID: 1},
	}
	log, table, err := runSteps(t, root, binds, owners,
		"id", "hostname",
		"stat /before", "chown 999 -1 /before", "stat /before",
		"mkdir /data", "chown 999 998 /data", "stat /data", "stat /etc",
		"write /data/f x", "chown 999 998 /data/f", "append /data/f y", "stat /data/f",
		"write /open x", "fchown 3 4 /open", "stat /open",
		"symlink /data /link", "lchown 7 8 /link", "stat /link",
		"write /gone x", "chown 1 1 /gone", "rm /gone", "write /fresh x", "stat /fresh",
		"cd /data", "chown 5 5 f", "stat f", "stat ../before", "stat /data/../data/f",
		"try chown 5 5 /none", "try chown 5 5 /proc/self/fd/99",
		"try setuid 999", "try setuid 0", "try setgroups", "id",
		"write /data/root x", "chown 0 0 /data",
	)
	if err != nil {
		t.Fatal(err, log)
	}
	for _, want := range []string{
		"id 0 0\n", "hostname localhost\n",
		"/before: 5:6 100644 0,0\n", "/before: 999:6 100644 0,0\n", "/data: 999:998 40755 0,0\n", "/etc: 0:0 40755 0,0\n",
		"/data/f: 999:998 100644 0,0\n", "/open: 3:4 100644 0,0\n", "/link: 7:8 120777 0,0\n", "/fresh: 0:0 100644 0,0\n",
		"f: 5:5 100644 0,0\n../before: 999:6 100644 0,0\n/data/../data/f: 5:5 100644 0,0\n",
		"chown: ENOENT\nchown: ENOENT\nsetuid: EPERM\nsetuid: ok\nsetgroups: ok\nid 0 0\n",
		"warning: a program wanted to become user or group 999",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
	want := map[string]Owner{
		"/before": {UID: 999, GID: 6}, "/untouched": {UID: 8, GID: 9},
		"/data/f": {UID: 5, GID: 5}, "/open": {UID: 3, GID: 4}, "/link": {UID: 7, GID: 8},
	}
	for path, o := range want {
		if got := table[inode(t, root+path)]; got != o {
			t.Errorf("%s belongs to %+v, want %+v", path, got, o)
		}
	}
	if len(table) != len(want) {
		t.Errorf("the table has %d rows, want %d: %v", len(table), len(want), table)
	}
}

func TestRecordModes(t *testing.T) {
	root, binds := rootDir(t)
	log, table, err := runSteps(t, root, binds, nil,
		"write /suid x", "chmod 4755 /suid", "stat /suid", "chown 1 1 /suid", "stat /suid", "chmod 6755 /suid",
		"write /sgid x", "chmod 2640 /sgid", "chown 2 2 /sgid", "stat /sgid",
		"mkdir /dir", "chmod 2755 /dir", "chown 3 3 /dir", "stat /dir",
	)
	if err != nil {
		t.Fatal(err, log)
	}
	for _, want := range []string{
		"/suid: 0:0 104755 0,0\n/suid: 1:1 100755 0,0\n", "/sgid: 2:2 102640 0,0\n", "/dir: 3:3 42755 0,0\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	info, err := os.Stat(root + "/suid")
	if err != nil || info.Mode() != 0o755|fs.ModeSetuid|fs.ModeSetgid || len(table) != 3 {
		t.Errorf("mode %v, %v, table %v", info.Mode(), err, table)
	}
}

func TestRecordDevices(t *testing.T) {
	root, binds := rootDir(t)
	log, table, err := runSteps(t, root, binds, nil,
		"mkdir /d", "mknod 666 /d/null 1 3", "stat /d/null", "chown 0 5 /d/null", "stat /d/null",
		"cd /d", "mknod 600 big 300 70000", "stat big", "try mknod 600 big 1 1", "try mknod 600 /none/x 1 1", "mkfifo fifo", "stat fifo",
	)
	if err != nil {
		t.Fatal(err, log)
	}
	for _, want := range []string{
		"/d/null: 0:0 20644 1,3\n/d/null: 0:5 20644 1,3\n", "big: 0:0 20600 300,70000\n", "mknod: EEXIST\nmknod: ENOENT\n", "fifo: 0:0 10644 0,0\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	want := Owner{GID: 5, Type: unix.S_IFCHR, Rdev: unix.Mkdev(1, 3)}
	if got := table[inode(t, root+"/d/null")]; got != want || len(table) != 2 {
		t.Errorf("/d/null is %+v, want %+v; table %v", got, want, table)
	}
}

// TestRecordInChroot has the program change its root, with links that mean
// another file there.
func TestRecordInChroot(t *testing.T) {
	root, binds := rootDir(t)
	os.MkdirAll(root+"/jail/sub", 0o755)
	os.WriteFile(root+"/file", nil, 0o644)
	os.WriteFile(root+"/jail/file", nil, 0o644)
	os.Symlink("/file", root+"/jail/sub/link")
	log, table, err := runSteps(t, root, binds, nil,
		"cd /jail/sub", "chroot /jail", "chown 1 1 /file", "stat /file", "chown 2 -1 link", "stat ../file", "stat ../../../file",
	)
	if err != nil {
		t.Fatal(err, log)
	}
	if want := "/file: 1:1 100644 0,0\n../file: 2:1 100644 0,0\n../../../file: 2:1 100644 0,0\n"; !strings.Contains(log, want) {
		t.Errorf("the log lacks %q: %s", want, log)
	}
	want := Owner{UID: 2, GID: 1}
	if got := table[inode(t, root+"/jail/file")]; got != want || len(table) != 1 {
		t.Errorf("the file belongs to %+v, want %+v; table %v", got, want, table)
	}
}

// TestRecordReusedInode makes the file system use numbers again.
func TestRecordReusedInode(t *testing.T) {
	root, binds := rootDir(t)
	log, table, err := runSteps(t, root, binds, nil, "churn 500")
	if err != nil || len(table) != 0 {
		t.Errorf("%v %s, table %v", err, log, table)
	}
}

func TestRootIsConfined(t *testing.T) {
	root, binds := rootDir(t)
	// What a hostile image may hold in the place of mount points.
	outside := t.TempDir()
	os.Symlink("../../../../../../../../"+outside, root+"/nix")
	os.MkdirAll(root+outside, 0o755)
	source := t.TempDir()
	os.WriteFile(source+"/text", []byte("from the store"), 0o644)
	binds = append(binds, Bind{source, "/nix/store/00000000000000000000000000000000-x"})
	log, _, err := runSteps(t, root, binds, nil,
		"cat /nix/store/00000000000000000000000000000000-x/text", "ls /nix/store", "ls /dev/pts",
		"try write /nix/store/00000000000000000000000000000000-x/text y", "try write /nix/store/y y",
		"try chown 1 1 /nix/store/00000000000000000000000000000000-x/text",
		"try unmount /proc/sys", "try write /proc/sys/kernel/core_pattern x", "try chmod 0 /dev/null", "write /dev/null x",
		"interfaces",
	)
	if err != nil {
		t.Fatal(err, log)
	}
	for _, want := range []string{
		"from the store\n", "write: EROFS\nwrite: EROFS\nchown: EROFS\n", "unmount: EPERM\nwrite: EROFS\nchmod: EROFS\n", "interface lo true\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	os.Symlink(outside, root+"/proc")
	if _, _, err := runSteps(t, root, binds, nil, "ls /"); err == nil || !strings.Contains(err.Error(), "/proc in the root directory is not a directory") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 0 {
		t.Errorf("the sandbox wrote outside of its root: %v, %v", entries, err)
	}
}

// TestMountPointsGo checks that a run leaves nothing in the root.
func TestMountPointsGo(t *testing.T) {
	root, binds := rootDir(t)
	os.MkdirAll(root+"/dev/shm", 0o755) // the image's own
	if log, _, err := runSteps(t, root, append(binds, Bind{t.TempDir(), "/nix/store/x"}), nil, "write /new x"); err != nil {
		t.Fatal(err, log)
	}
	var got []string
	filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
		}
		got = append(got, strings.TrimPrefix(path, root))
		return nil
	})
	if want := " /dev /dev/shm /etc /new"; strings.Join(got, " ") != want {
		t.Errorf("the root has %q, want %q", strings.Join(got, " "), want)
	}
}

func TestRunInRootFails(t *testing.T) {
	root, binds := rootDir(t)
	log, _, err := runSteps(t, root, binds, nil, "echo output", "exit 3")
	var exit *build.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || !strings.Contains(log, "output\n") {
		t.Errorf("error %v, log %s", err, log)
	}
	_, err = RunInRoot(t.Context(), RootCommand{Root: root, Args: []string{"/none"}, Log: io.Discard})
	if !errors.As(err, &exit) {
		t.Errorf("error %v", err)
	}
	if _, err = RunInRoot(t.Context(), RootCommand{Root: root, Args: []string{"none"}, Log: io.Discard}); err == nil {
		t.Error("a relative program was run")
	}
	if _, err = RunInRoot(t.Context(), RootCommand{Root: root + "/none", Args: []string{"/x"}, Log: io.Discard}); err == nil {
		t.Error("a program ran in a root that does not exist")
	}
}

func BenchmarkRecordedStat(b *testing.B) {
	if err := Check(b.Context()); err != nil {
		b.Skip(err)
	}
	root := b.TempDir()
	exe, _ := os.Executable()
	os.WriteFile(root+"/f", nil, 0o644)
	for b.Loop() {
		_, err := RunInRoot(b.Context(), RootCommand{
			Root: root, Binds: append(libraries(b), Bind{exe, "/tool"}), Log: os.Stderr,
			Args: []string{"/tool", "steps", "chown 1 1 /f", "statmany 10000 /f"},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// TestShadowTools runs the machine's own tools for users as an image would.
func TestShadowTools(t *testing.T) {
	root, _ := rootDir(t)
	var binds []Bind
	for _, d := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/login.defs", "/etc/pam.d", "/etc/alternatives"} {
		real, err := filepath.EvalSymlinks(d)
		if err == nil {
			binds = append(binds, Bind{real, d})
		}
	}
	for _, tool := range []string{"/usr/sbin/groupadd", "/usr/sbin/useradd", "/bin/sh", "/bin/busybox"} {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("this machine lacks a tool: %v", err)
		}
	}
	for name, text := range map[string]string{
		"passwd": "root:x:0:0::/root:/bin/sh\n", "group": "root:x:0:\n", "shadow": "root:!x:::::::\n", "gshadow": "root:x::\n",
	} {
		os.WriteFile(root+"/etc/"+name, []byte(text), 0o644)
	}
	os.Mkdir(root+"/home", 0o755)
	var log bytes.Buffer
	table, err := RunInRoot(t.Context(), RootCommand{
		Root: root, Binds: binds, Log: &log, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		Args: []string{"/bin/sh", "-exc", `
			groupadd -r -g 999 redis
			useradd -r -u 998 -g redis redis
			useradd -m -u 1234 bob
			mkdir /data
			chown redis:redis /data
			touch /data/dynamic /data/static
			chown redis /data/dynamic
			busybox chown redis:redis /data/static
			[ "$(stat -c %U:%G /data)" = redis:redis ]
			[ "$(busybox stat -c %U:%G /data/static)" = redis:redis ]
			cp -a /data /copy
			install -d -o redis -m 750 /installed
			tar -C / -cf /t.tar copy
			mkdir /unpacked
			tar -C /unpacked --same-owner -xf /t.tar
			mknod /data/null c 1 3
			if su redis -s /bin/sh -c true; then exit 1; fi
		`},
	})
	if err != nil {
		t.Fatal(err, log.String())
	}
	for path, want := range map[string]Owner{
		"/data": {UID: 998, GID: 999}, "/data/dynamic": {UID: 998}, "/data/static": {UID: 998, GID: 999},
		"/copy": {UID: 998, GID: 999}, "/copy/static": {UID: 998, GID: 999}, "/unpacked/copy/dynamic": {UID: 998},
		"/installed": {UID: 998}, "/home/bob": {UID: 1234, GID: 1234},
		"/data/null": {Type: unix.S_IFCHR, Rdev: unix.Mkdev(1, 3)},
	} {
		if got := table[inode(t, root+path)]; got != want {
			t.Errorf("%s belongs to %+v, want %+v", path, got, want)
		}
	}
	if t.Failed() {
		t.Log(log.String())
	}
}
