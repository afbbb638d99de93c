//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// root builds the file system that the payload will see. Targets are paths in
// it and resolved so that no link in it leads out of it.
type root struct {
	fd     int
	dev    uint64   // of the file system that the root itself is on
	made   []string // mount points made on that file system, outermost first
	mounts []string // what is mounted where, in that order
}

// mountFlags are the flags that a remount must repeat, for they are locked in a
// user namespace.
var mountFlags = []struct{ stat, mount uint64 }{
	{unix.ST_NOSUID, unix.MS_NOSUID},
	{unix.ST_NODEV, unix.MS_NODEV},
	{unix.ST_NOEXEC, unix.MS_NOEXEC},
	{unix.ST_NOATIME, unix.MS_NOATIME},
	{unix.ST_NODIRATIME, unix.MS_NODIRATIME},
	{unix.ST_RELATIME, unix.MS_RELATIME},
}

// openRoot makes the root directory a mount of its own.
func openRoot(p *plan) (*root, error) {
	if p.InPlace {
		if err := unix.Mount(p.Root, p.Root, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return nil, fmt.Errorf("bind mount %s: %w", p.Root, err)
		}
	} else if err := unix.Mount("tmpfs", p.Root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
		return nil, fmt.Errorf("mount a tmpfs on %s: %w", p.Root, err)
	}
	fd, err := unix.Open(p.Root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Root, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("stat %s: %w", p.Root, err)
	}
	return &root{fd: fd, dev: uint64(st.Dev)}, nil
}

// open returns an O_PATH descriptor of a file below the root, links resolved
// inside the root.
func (r *root) open(path string) (int, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err := unix.Openat2(r.fd, path, &how)
		if err != unix.EAGAIN && err != unix.EINTR {
			return fd, err
		}
	}
}

// parent opens the directory of path, which it makes if need be.
func (r *root) parent(path string) (fd int, name string, err error) {
	above, name := filepath.Split(strings.TrimSuffix(path, "/"))
	above = filepath.Clean(above)
	fd, err = r.open(above)
	if errors.Is(err, unix.ENOENT) && above != "/" {
		if err := r.mkdir(above, 0o755); err != nil {
			return -1, "", err
		}
		fd, err = r.open(above)
	}
	if err != nil {
		return -1, "", fmt.Errorf("open %s: %w", above, err)
	}
	return fd, name, nil
}

// mkdir makes a directory and those above it; one that exists is left alone.
func (r *root) mkdir(path string, mode uint32) error {
	fd, name, err := r.parent(path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	switch err := unix.Mkdirat(fd, name, mode); {
	case errors.Is(err, unix.EEXIST):
		return nil
	case err != nil:
		return fmt.Errorf("create %s: %w", path, err)
	}
	r.note(fd, path)
	// The process's umask does not count.
	if err := unix.Fchmodat(fd, name, mode, 0); err != nil {
		return fmt.Errorf("chmod %s: %w", path, err)
	}
	return nil
}

// note remembers a mount point that was made in the directory parent, if that
// belongs to the root itself and not to something mounted on it.
func (r *root) note(parent int, path string) {
	var st unix.Stat_t
	if unix.Fstat(parent, &st) == nil && uint64(st.Dev) == r.dev {
		r.made = append(r.made, path)
	}
}

func (r *root) write(f file) error {
	fd, name, err := r.parent(f.Path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	out, err := unix.Openat(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("create %s: %w", f.Path, err)
	}
	r.note(fd, f.Path)
	w := os.NewFile(uintptr(out), f.Path)
	_, err = w.WriteString(f.Content)
	return errors.Join(err, w.Close())
}

func (r *root) symlink(l link) error {
	fd, name, err := r.parent(l.Path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Symlinkat(l.Target, fd, name); err != nil {
		return fmt.Errorf("create the link %s: %w", l.Path, err)
	}
	return nil
}

// mount mounts something on a directory of the root.
func (r *root) mount(source, target, fstype string, flags uintptr, data string) error {
	fd, err := r.open(target)
	if err != nil {
		return fmt.Errorf("open %s: %w", target, err)
	}
	defer unix.Close(fd)
	if err := unix.Mount(source, procFD(fd), fstype, flags, data); err != nil {
		what := source
		if fstype != "" {
			what = fstype
		}
		return fmt.Errorf("mount %s on %s in the sandbox: %w", what, target, err)
	}
	r.mounts = append(r.mounts, target)
	return nil
}

// bind makes m.Source visible at m.Target. A symbolic link is copied, for it
// cannot be bound.
func (r *root) bind(m mount) error {
	info, err := os.Lstat(m.Source)
	if errors.Is(err, os.ErrNotExist) && m.Optional {
		return nil
	}
	if err != nil {
		return fmt.Errorf("bind mount: %w", err)
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0 && !m.Devices:
		target, err := os.Readlink(m.Source)
		if err != nil {
			return fmt.Errorf("bind mount: %w", err)
		}
		return r.symlink(link{m.Target, target})
	case info.IsDir():
		err = r.mkdir(m.Target, 0o755)
	default:
		if err = r.write(file{Path: m.Target}); errors.Is(err, unix.EEXIST) {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	if err := r.mount(m.Source, m.Target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	var extra uint64 = unix.MS_NOSUID
	if !m.Devices {
		extra |= unix.MS_NODEV
	}
	if !m.Writable {
		extra |= unix.MS_RDONLY
	}
	return r.restrict(m.Target, extra)
}

// restrict adds flags to the mount at target.
func (r *root) restrict(target string, flags uint64) error {
	fd, err := r.open(target)
	if err != nil {
		return fmt.Errorf("open %s: %w", target, err)
	}
	defer unix.Close(fd)
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return fmt.Errorf("statfs %s: %w", target, err)
	}
	for _, f := range mountFlags {
		if uint64(st.Flags)&f.stat != 0 {
			flags |= f.mount
		}
	}
	if err := unix.Mount("", procFD(fd), "", uintptr(flags)|unix.MS_BIND|unix.MS_REMOUNT, ""); err != nil {
		return fmt.Errorf("remount %s in the sandbox: %w", target, err)
	}
	return nil
}

// devices are the device files of the machine that everybody may use.
var devices = []string{"null", "zero", "full", "random", "urandom", "tty"}

// devLinks are the rest of a minimal /dev.
var devLinks = []link{
	{"/dev/fd", "/proc/self/fd"},
	{"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
	{"/dev/ptmx", "pts/ptmx"},
}

// maskedProc are the parts of /proc that are not the sandbox's own. Root of the
// machine could write some of them even from here, being their owner.
var maskedProc = []string{
	"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi", "/proc/driver", "/proc/mtrr",
}

// system mounts /proc and /dev.
func (r *root) system() error {
	for _, d := range []string{"/proc", "/dev"} {
		if err := r.mkdir(d, 0o755); err != nil {
			return err
		}
		// Programs could put another link in its place later.
		var st unix.Stat_t
		if err := unix.Fstatat(r.fd, d[1:], &st, unix.AT_SYMLINK_NOFOLLOW); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return fmt.Errorf("%s in the root directory is not a directory", d)
		}
	}
	if err := r.mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	for _, p := range maskedProc {
		fd, err := r.open(p)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", p, err)
		}
		err = unix.Mount(procFD(fd), procFD(fd), "", unix.MS_BIND|unix.MS_REC, "")
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("bind mount %s: %w", p, err)
		}
		if err := r.restrict(p, unix.MS_RDONLY); err != nil {
			return err
		}
	}
	if err := r.mount("tmpfs", "/dev", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755,size=64k"); err != nil {
		return err
	}
	for _, d := range devices {
		// Read-only still lets them be written to; it keeps their owner from
		// changing the machine's own file.
		m := mount{Source: "/dev/" + d, Target: "/dev/" + d, Devices: true, Optional: d == "tty"}
		if err := r.bind(m); err != nil {
			return err
		}
	}
	for _, d := range []string{"/dev/shm", "/dev/pts"} {
		if err := r.mkdir(d, 0o755); err != nil {
			return err
		}
	}
	if err := r.mount("tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return err
	}
	if err := r.mount("devpts", "/dev/pts", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,mode=0620,ptmxmode=0666"); err != nil {
		return err
	}
	for _, l := range devLinks {
		if err := r.symlink(l); err != nil {
			return err
		}
	}
	return nil
}

// enter makes r the root of every process in the mount namespace.
func (r *root) enter() error {
	if err := unix.Fchdir(r.fd); err != nil {
		return fmt.Errorf("enter the root of the sandbox: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change to the root of the sandbox: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the machine's root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("enter the root of the sandbox: %w", err)
	}
	return nil
}

// leave unmounts everything from a root that was there before and removes the
// mount points that were made in it, unless they are in use now.
func (r *root) leave() {
	for _, target := range slices.Backward(r.mounts) {
		// One that cannot be found any more goes with the namespace.
		_ = unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	for _, path := range slices.Backward(r.made) {
		switch info, err := os.Lstat(path); {
		case err != nil:
		case info.IsDir():
			_ = unix.Rmdir(path)
		case info.Mode().IsRegular() && info.Size() == 0:
			_ = unix.Unlink(path)
		}
	}
}

func procFD(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }
