//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file holds the system calls that golang.org/x/sys has no function for,
// and all that is unsafe in the package.

// install makes filter apply to the calling thread and what it executes. With
// listen, it returns the descriptor from which notifications are read.
func install(filter program, listen bool) (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return -1, fmt.Errorf("give up gaining privileges: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	var flags uintptr
	if listen {
		flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	fd, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	if e != 0 {
		return -1, fmt.Errorf("install the seccomp filter: %w", e)
	}
	return int(fd), nil
}

// notification is struct seccomp_notif: a system call that waits for an answer.
type notification struct {
	id    uint64
	pid   uint32 // of the thread, in the reader's namespace
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	val   int64
	errno int32 // negative
	flags uint32
}

// ioctlIDValid is SECCOMP_IOCTL_NOTIF_ID_VALID: _IOW('!', 2, __u64).
const ioctlIDValid = 0x40082102

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		switch e {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return e
	}
}

// receive waits for the next notification. ENOENT means that its process has
// gone away meanwhile.
func receive(listener int) (notification, error) {
	var n notification
	err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n))
	return n, err
}

// send answers a notification; an answer that comes too late is no matter.
func send(listener int, r response) error {
	return ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r))
}

// valid reports whether the process that waits for the answer to id still
// does, so that what was read of its memory was its own.
func valid(listener int, id uint64) bool {
	return ioctl(listener, ioctlIDValid, unsafe.Pointer(&id)) == nil
}

// statBytes and statxBytes are the memory of what programs get from stat.
func statBytes(st *unix.Stat_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(st)), unsafe.Sizeof(*st))
}

func statxBytes(st *unix.Statx_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(st)), unsafe.Sizeof(*st))
}

// loopbackUp switches the interface lo on.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(s)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, ifr); err != nil {
		return fmt.Errorf("switch on the loopback interface: %w", err)
	}
	return nil
}

// setPersonality sets the execution domain.
func setPersonality(p uintptr) error {
	if _, _, e := unix.RawSyscall(unix.SYS_PERSONALITY, p, 0, 0); e != 0 {
		return fmt.Errorf("set personality: %w", e)
	}
	return nil
}
