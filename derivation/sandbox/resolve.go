//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// target says which file a system call means.
type target struct {
	dirfd int32
	bare  bool   // dirfd itself
	path  uint64 // address of the path
	flags uint64 // AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH
}

// selfLinks are paths that mean something else for each process.
var selfLinks = []struct{ path, own string }{
	{"/proc/self", ""},
	{"/proc/thread-self", ""},
	{"/dev/fd", "/fd"},
	{"/dev/stdin", "/fd/0"},
	{"/dev/stdout", "/fd/1"},
	{"/dev/stderr", "/fd/2"},
}

// open opens the file that the program means, with O_PATH.
func (q *question) open(t target) (int, error) {
	path := ""
	if !t.bare && t.path != 0 {
		var err error
		if path, err = q.string(t.path); err != nil {
			return -1, err
		}
	}
	if t.bare || path == "" {
		if !t.bare && t.flags&unix.AT_EMPTY_PATH == 0 {
			return -1, unix.ENOENT
		}
		return q.base(t.dirfd)
	}
	return q.resolve(t.dirfd, path, t.flags&unix.AT_SYMLINK_NOFOLLOW == 0)
}

// basePath is where the program's descriptor or working directory is found.
func (q *question) basePath(dirfd int32) string {
	if dirfd == unix.AT_FDCWD {
		return fmt.Sprintf("/proc/%d/cwd", q.n.pid)
	}
	return fmt.Sprintf("/proc/%d/fd/%d", q.n.pid, dirfd)
}

func (q *question) base(dirfd int32) (int, error) {
	fd, err := unix.Open(q.basePath(dirfd), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		err = unix.EBADF
	}
	return fd, err
}

// resolve opens path as the program would, with O_PATH. The recorder sees the
// same mounts; what may differ is the working directory, the root, and where
// /proc/self leads. Links that lead to the latter are not followed.
func (q *question) resolve(dirfd int32, path string, follow bool) (int, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_MAGICLINKS}
	if !follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	for _, l := range selfLinks {
		rest, ok := strings.CutPrefix(path, l.path)
		if ok && (rest == "" || rest[0] == '/') && (follow || rest != "") {
			path = fmt.Sprintf("/proc/%d%s%s", q.n.pid, l.own, rest)
			how.Resolve = 0
			break
		}
	}
	changed, err := q.changedRoot()
	if err != nil {
		return -1, err
	}
	at := unix.AT_FDCWD
	if changed {
		root := fmt.Sprintf("/proc/%d/root", q.n.pid)
		if at, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return -1, err
		}
		defer unix.Close(at)
		if !strings.HasPrefix(path, "/") {
			if path, err = q.absolute(root, dirfd, path); err != nil {
				return -1, err
			}
		}
		how.Resolve |= unix.RESOLVE_IN_ROOT
	} else if !strings.HasPrefix(path, "/") {
		if at, err = q.base(dirfd); err != nil {
			return -1, err
		}
		defer unix.Close(at)
	}
	for {
		fd, err := unix.Openat2(at, path, &how)
		if err != unix.EAGAIN && err != unix.EINTR {
			return fd, err
		}
	}
}

// changedRoot reports whether the program has another root than the recorder.
func (q *question) changedRoot() (bool, error) {
	var own, its unix.Stat_t
	if err := unix.Stat("/", &own); err != nil {
		return false, err
	}
	if err := unix.Stat(fmt.Sprintf("/proc/%d/root/.", q.n.pid), &its); err != nil {
		return false, err
	}
	return own.Dev != its.Dev || own.Ino != its.Ino, nil
}

// absolute makes a relative path absolute for a program with another root.
func (q *question) absolute(rootLink string, dirfd int32, path string) (string, error) {
	root, err := os.Readlink(rootLink)
	if err != nil {
		return "", unix.EPERM
	}
	base, err := os.Readlink(q.basePath(dirfd))
	if err != nil {
		return "", unix.EBADF
	}
	rest, ok := strings.CutPrefix(base, strings.TrimSuffix(root, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "", unix.EPERM // outside its root
	}
	return rest + "/" + path, nil
}
