//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errContinue lets the system answer.
var errContinue = errors.New("let the system answer")

// question is one system call that a program waits in.
type question struct {
	r        *recorder
	n        *notification
	listener int
	mem      int // the program's memory, once it is open
}

func (q *question) close() {
	if q.mem >= 0 {
		unix.Close(q.mem)
	}
}

// keep is the id that leaves an owner as it is.
const keep = 0xffffffff

// answer returns the call's result, an errno, or errContinue. The registers of
// narrow arguments may hold anything in their upper half.
func (q *question) answer() (int64, error) {
	a, c := &q.n.args, &machineCalls[0]
	switch nr := uint32(q.n.nr); nr {
	case c.statx:
		if len(q.r.entries) == 0 {
			return 0, errContinue
		}
		return q.statx(target{dirfd: int32(a[0]), path: a[1], flags: a[2]}, uint32(a[3]), a[4])
	case c.stat, c.lstat, c.fstat, c.fstatat:
		if len(q.r.entries) == 0 {
			return 0, errContinue
		}
		switch nr {
		case c.fstat:
			return q.stat(target{dirfd: int32(a[0]), bare: true}, a[1])
		case c.fstatat:
			return q.stat(target{dirfd: int32(a[0]), path: a[1], flags: a[3]}, a[2])
		case c.lstat:
			return q.stat(target{dirfd: unix.AT_FDCWD, path: a[0], flags: unix.AT_SYMLINK_NOFOLLOW}, a[1])
		}
		return q.stat(target{dirfd: unix.AT_FDCWD, path: a[0]}, a[1])
	case c.chown:
		return q.chown(target{dirfd: unix.AT_FDCWD, path: a[0]}, uint32(a[1]), uint32(a[2]))
	case c.lchown:
		return q.chown(target{dirfd: unix.AT_FDCWD, path: a[0], flags: unix.AT_SYMLINK_NOFOLLOW}, uint32(a[1]), uint32(a[2]))
	case c.fchown:
		return q.chown(target{dirfd: int32(a[0]), bare: true}, uint32(a[1]), uint32(a[2]))
	case c.fchownat:
		return q.chown(target{dirfd: int32(a[0]), path: a[1], flags: a[4]}, uint32(a[2]), uint32(a[3]))
	case c.mknod:
		return q.mknod(target{dirfd: unix.AT_FDCWD, path: a[0]}, uint32(a[1]), uint32(a[2]))
	case c.mknodat:
		return q.mknod(target{dirfd: int32(a[0]), path: a[1]}, uint32(a[2]), uint32(a[3]))
	}
	return q.setID()
}

// setID answers setuid and its kind.
func (q *question) setID() (int64, error) {
	ids := 1
	switch q.n.nr {
	case unix.SYS_SETGROUPS:
		return 0, nil
	case unix.SYS_SETREUID, unix.SYS_SETREGID:
		ids = 2
	case unix.SYS_SETRESUID, unix.SYS_SETRESGID:
		ids = 3
	}
	for _, id := range q.n.args[:ids] {
		if id := uint32(id); id != 0 && id != keep {
			q.r.note("a program wanted to become user or group %d; that is refused, because files it makes would keep belonging to root", id)
			return 0, unix.EPERM
		}
	}
	return 0, nil
}

// stat answers stat for a file of which something is recorded.
func (q *question) stat(t target, buf uint64) (int64, error) {
	fd, sx, o, err := q.recorded(t)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	st.Uid, st.Gid = o.UID, o.GID
	if o.Type != 0 {
		st.Mode = uint32(sx.Mode)&^unix.S_IFMT | o.Type
		st.Rdev = o.Rdev
	}
	return 0, q.write(buf, statBytes(&st))
}

// statx answers statx for a file of which something is recorded.
func (q *question) statx(t target, mask uint32, buf uint64) (int64, error) {
	fd, sx, o, err := q.recorded(t)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if mask != unix.STATX_BASIC_STATS|unix.STATX_BTIME {
		if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, int(mask), sx); err != nil {
			return 0, err
		}
	}
	sx.Uid, sx.Gid = o.UID, o.GID
	if o.Type != 0 {
		sx.Mode = sx.Mode&^unix.S_IFMT | uint16(o.Type)
		sx.Rdev_major, sx.Rdev_minor = unix.Major(o.Rdev), unix.Minor(o.Rdev)
	}
	return 0, q.write(buf, statxBytes(sx))
}

// recorded opens the target if something is recorded of it; else the system
// shall answer.
func (q *question) recorded(t target) (int, *unix.Statx_t, Owner, error) {
	fd, err := q.open(t)
	if err != nil {
		return -1, nil, Owner{}, errContinue
	}
	var sx unix.Statx_t
	if err := statx(fd, "", &sx); err == nil {
		if o, ok := q.r.find(&sx); ok {
			return fd, &sx, o, nil
		}
	}
	unix.Close(fd)
	return -1, nil, Owner{}, errContinue
}

// chown writes down an owner.
func (q *question) chown(t target, uid, gid uint32) (int64, error) {
	fd, err := q.open(t)
	if err != nil {
		return 0, errContinue // which tells what is wrong
	}
	var sx unix.Statx_t
	if err := statx(fd, "", &sx); err != nil {
		unix.Close(fd)
		return 0, err
	}
	var fsys unix.Statfs_t
	if err := unix.Fstatfs(fd, &fsys); err == nil && fsys.Flags&unix.ST_RDONLY != 0 {
		unix.Close(fd)
		return 0, unix.EROFS
	}
	if err := dropPrivileges(fd, &sx); err != nil {
		unix.Close(fd)
		return 0, err
	}
	o, ok := q.r.find(&sx)
	if !ok {
		o = Owner{UID: sx.Uid, GID: sx.Gid}
	}
	if uid != keep {
		o.UID = uid
	}
	if gid != keep {
		o.GID = gid
	}
	q.r.record(fd, &sx, o)
	return 0, nil
}

// dropPrivileges does what a change of owner does besides: a program that ran
// with its owner's rights must not come to run with those of another one.
func dropPrivileges(fd int, sx *unix.Statx_t) error {
	mode := uint32(sx.Mode)
	if mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	// Files other than programs do not have it, and it is no matter then.
	_ = unix.Removexattr(procFD(fd), "security.capability")
	kill := uint32(unix.S_ISUID)
	if mode&unix.S_IXGRP != 0 {
		kill |= unix.S_ISGID
	}
	if mode&kill == 0 {
		return nil
	}
	return unix.Chmod(procFD(fd), mode&0o7777&^kill)
}

// mknod writes down a device. The system makes all other kinds of files.
func (q *question) mknod(t target, mode, dev uint32) (int64, error) {
	typ := mode & unix.S_IFMT
	if typ != unix.S_IFCHR && typ != unix.S_IFBLK {
		return 0, errContinue
	}
	path, err := q.string(t.path)
	if err != nil {
		return 0, err
	}
	above, name := path, ""
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		above, name = path[:i+1], path[i+1:]
	} else {
		above, name = ".", path
	}
	if name == "" || name == "." || name == ".." {
		return 0, unix.EEXIST
	}
	umask, err := q.umask()
	if err != nil {
		return 0, err
	}
	dir, err := q.resolve(t.dirfd, above, true)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dir)
	perm := mode & 0o7777 &^ umask
	if err := unix.Mknodat(dir, name, unix.S_IFREG|perm, 0); err != nil {
		return 0, err
	}
	// The recorder has an umask, too.
	if err := unix.Fchmodat(dir, name, perm, 0); err != nil {
		return 0, err
	}
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	var sx unix.Statx_t
	if err := statx(fd, "", &sx); err != nil {
		unix.Close(fd)
		return 0, err
	}
	q.r.record(fd, &sx, Owner{Type: typ, Rdev: uint64(dev)})
	return 0, nil
}

// umask is the program's, which the recorder does not share.
func (q *question) umask() (uint32, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", q.n.pid))
	if err != nil {
		return 0, unix.EPERM
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "Umask:"); ok {
			m, err := strconv.ParseUint(strings.TrimSpace(rest), 8, 32)
			if err != nil {
				return 0, unix.EPERM
			}
			return uint32(m), nil
		}
	}
	return 0, unix.EPERM
}

// memory opens the program's memory. Once it is open it stays this program's,
// and asking afterwards whether the program still waits makes sure that it was
// not another one's with the same number from the start.
func (q *question) memory() (int, error) {
	if q.mem >= 0 {
		return q.mem, nil
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/mem", q.n.pid), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, unix.EPERM
	}
	if !valid(q.listener, q.n.id) {
		unix.Close(fd)
		return -1, unix.ESRCH
	}
	q.mem = fd
	return fd, nil
}

// string reads text up to a zero byte.
func (q *question) string(addr uint64) (string, error) {
	mem, err := q.memory()
	if err != nil {
		return "", err
	}
	var text []byte
	buf := make([]byte, 512)
	for len(text) < unix.PathMax {
		// Not over the end of a page, for the next one may not exist.
		part := buf[:min(len(buf), int(4096-addr%4096))]
		n, err := unix.Pread(mem, part, int64(addr))
		if err != nil || n <= 0 {
			return "", unix.EFAULT
		}
		if i := bytes.IndexByte(part[:n], 0); i >= 0 {
			return string(append(text, part[:i]...)), nil
		}
		text = append(text, part[:n]...)
		addr += uint64(n)
	}
	return "", unix.ENAMETOOLONG
}

func (q *question) write(addr uint64, data []byte) error {
	mem, err := q.memory()
	if err != nil {
		return err
	}
	if n, err := unix.Pwrite(mem, data, int64(addr)); err != nil || n != len(data) {
		return unix.EFAULT
	}
	return nil
}
