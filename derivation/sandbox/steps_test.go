//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be three things: the tests, the processes of a
// sandbox, and, called with "steps" as its first argument, the program that runs
// in there. So the tests need no program but themselves.
func TestMain(m *testing.M) {
	Main()
	var steps []string
	switch {
	case len(os.Args) > 1 && os.Args[1] == "steps":
		steps = os.Args[2:]
	case len(os.Args) == 3 && os.Args[1] == "script": // a file whose first line says that it is for us
		text, err := os.ReadFile(os.Args[2])
		if err != nil {
			panic(err)
		}
		steps = strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	}
	if steps != nil {
		for _, s := range steps {
			if err := step(strings.Fields(os.ExpandEnv(s))); err != nil {
				fmt.Printf("%s: %v\n", s, err)
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// step is one command of a small language. Commands print what they find out.
func step(w []string) error {
	num := func(i, base int) int {
		n, err := strconv.ParseInt(w[i], base, 64)
		if err != nil {
			panic(err)
		}
		return int(n)
	}
	errno := func(what string, err error) error {
		var text string
		if e, ok := err.(syscall.Errno); ok {
			text = unix.ErrnoName(e)
		} else if err != nil {
			text = err.Error()
		} else {
			text = "ok"
		}
		_, err = fmt.Printf("%s: %s\n", what, text)
		return err
	}
	switch w[0] {
	case "try": // a step whose errno is printed
		err := step(w[1:])
		for {
			u, ok := err.(interface{ Unwrap() error })
			if !ok {
				break
			}
			err = u.Unwrap()
		}
		return errno(w[1], err)
	case "write":
		return os.WriteFile(w[1], []byte(strings.Join(w[2:], " ")), 0o644)
	case "append":
		f, err := os.OpenFile(w[1], os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(strings.Join(w[2:], " "))
			f.Close()
		}
		return err
	case "cat":
		text, err := os.ReadFile(w[1])
		fmt.Printf("%s\n", strings.TrimSuffix(string(text), "\n"))
		return err
	case "echo":
		fmt.Println(strings.Join(w[1:], " "))
	case "ls":
		entries, err := os.ReadDir(w[1])
		for _, e := range entries {
			fmt.Print(e.Name(), " ")
		}
		fmt.Println()
		return err
	case "mkdir":
		return os.Mkdir(w[1], 0o755)
	case "rm":
		return os.Remove(w[1])
	case "symlink":
		return os.Symlink(w[1], w[2])
	case "env":
		for _, v := range os.Environ() {
			fmt.Println("env", v)
		}
	case "id":
		fmt.Println("id", os.Getuid(), os.Getgid())
	case "pids":
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		fmt.Println("pids", len(dirs))
	case "hostname":
		h, err := os.Hostname()
		fmt.Println("hostname", h)
		return err
	case "caps":
		status, err := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(status)) {
			if strings.HasPrefix(line, "CapEff") || strings.HasPrefix(line, "NoNewPrivs") {
				fmt.Print(strings.Join(strings.Fields(line), " "), "\n")
			}
		}
		return err
	case "interfaces":
		list, err := net.Interfaces()
		for _, i := range list {
			fmt.Println("interface", i.Name, i.Flags&net.FlagUp != 0)
		}
		return err
	case "loopback":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err
	case "chmod":
		return syscall.Chmod(w[2], uint32(num(1, 8)))
	case "fchmodat2":
		// With a flag, this is what the library uses.
		err := unix.Fchmodat(unix.AT_FDCWD, w[2], uint32(num(1, 8)), unix.AT_SYMLINK_NOFOLLOW)
		if err == unix.EOPNOTSUPP {
			return unix.EPERM // before Linux 6.6
		}
		return err
	case "create":
		fd, err := unix.Open(w[2], unix.O_CREAT|unix.O_WRONLY, uint32(num(1, 8)))
		unix.Close(fd)
		return err
	case "setxattr":
		return unix.Setxattr(w[1], "user.test", []byte("x"), 0)
	case "mount":
		return unix.Mount("tmpfs", w[1], "tmpfs", 0, "")
	case "unmount":
		return unix.Unmount(w[1], unix.MNT_DETACH)
	case "chown":
		return os.Chown(w[3], num(1, 10), num(2, 10))
	case "lchown":
		return os.Lchown(w[3], num(1, 10), num(2, 10))
	case "fchown":
		f, err := os.Open(w[3])
		if err == nil {
			err = f.Chown(num(1, 10), num(2, 10))
			f.Close()
		}
		return err
	case "mknod":
		return unix.Mknod(w[2], unix.S_IFCHR|uint32(num(1, 8)), int(unix.Mkdev(uint32(num(3, 10)), uint32(num(4, 10)))))
	case "mkfifo":
		return unix.Mkfifo(w[1], 0o644)
	case "setuid":
		_, _, e := unix.RawSyscall(unix.SYS_SETUID, uintptr(num(1, 10)), 0, 0)
		if e != 0 {
			return e
		}
	case "setgroups":
		_, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0)
		if e != 0 {
			return e
		}
	case "chroot":
		return unix.Chroot(w[1])
	case "cd":
		return os.Chdir(w[1])
	case "stat":
		var st unix.Stat_t
		if err := unix.Lstat(w[1], &st); err != nil {
			return err
		}
		var sx unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, w[1], unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, &sx); err != nil {
			return err
		}
		if sx.Uid != st.Uid || sx.Gid != st.Gid || uint32(sx.Mode) != st.Mode || unix.Mkdev(sx.Rdev_major, sx.Rdev_minor) != st.Rdev {
			return fmt.Errorf("stat says %+v, statx says %+v", st, sx)
		}
		fmt.Printf("%s: %d:%d %o %d,%d\n", w[1], st.Uid, st.Gid, st.Mode, unix.Major(st.Rdev), unix.Minor(st.Rdev))
	case "inode":
		var st unix.Stat_t
		if err := unix.Lstat(w[1], &st); err != nil {
			return err
		}
		fmt.Println("inode", st.Ino)
	case "churn": // make, chown and delete files, then make one more: its number may be an old one
		for i := range num(1, 10) {
			name := fmt.Sprintf("/churn%d", i)
			if err := os.WriteFile(name, nil, 0o644); err != nil {
				return err
			}
			if err := os.Chown(name, 7, 7); err != nil {
				return err
			}
			if err := os.Remove(name); err != nil {
				return err
			}
			if err := os.WriteFile("/new", nil, 0o644); err != nil {
				return err
			}
			var st unix.Stat_t
			if err := unix.Lstat("/new", &st); err != nil || st.Uid != 0 {
				return fmt.Errorf("round %d: a new file belongs to %d (%v)", i, st.Uid, err)
			}
			os.Remove("/new")
		}
	case "statmany":
		for range num(1, 10) {
			var st unix.Stat_t
			if err := unix.Lstat(w[2], &st); err != nil {
				return err
			}
		}
	case "rename":
		return os.Rename(w[1], w[2])
	case "background": // leave something running, in a root without /proc
		cmd := exec.Command("/tool", "steps", "sleep "+w[1])
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	case "daemon": // leave something running that holds the log open
		signal.Ignore(syscall.SIGHUP)
		cmd := exec.Command("/proc/self/exe", "steps", "sleep 600")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd.Start()
	case "sleep":
		time.Sleep(time.Duration(num(1, 10)) * time.Second)
	case "kill":
		return syscall.Kill(os.Getpid(), syscall.Signal(num(1, 10)))
	case "exit":
		os.Exit(num(1, 10))
	case "fill":
		f, err := os.Create(w[1])
		if err != nil {
			return err
		}
		defer f.Close()
		buf := make([]byte, 1<<20)
		for range num(2, 10) {
			if _, err := f.Write(buf); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("no such step")
	}
	return nil
}
