//go:build linux && (amd64 || arm64)

package sandbox

import (
	"golang.org/x/sys/unix"
)

// calls are the numbers of the system calls that the filters know, for one kind
// of system calls; 0 where it does not have the call (no call of interest has
// the number 0).
type calls struct {
	arch uint32 // AUDIT_ARCH_...
	x32  bool   // numbers from 1<<30 on are another kind of calls, refused altogether

	open, creat, openat, openat2, mknod, mknodat uint32
	chmod, fchmod, fchmodat, fchmodat2           uint32
	ioUringSetup                                 uint32
	xattrs                                       []uint32

	// For the recorder.
	chown, lchown, fchown, fchownat uint32
	chown16                         []uint32 // with 16-bit ids
	stat, lstat, fstat, fstatat     uint32
	statx                           uint32
	setID                           []uint32
}

// setBits are the permission bits that no build may set: a program with them
// would run with the rights of whoever owns the store.
const setBits = unix.S_ISUID | unix.S_ISGID

// builderFilter keeps builders from making setuid and setgid programs (EPERM)
// and from using extended attributes (ENOTSUP), which the store cannot
// represent, as Nix does (LocalDerivationGoal, setupSeccomp). Two ways that go
// past the arguments do not exist: openat2 and io_uring.
func builderFilter() program {
	denyIf := func(arg int, bits uint32, then program) program {
		var p program
		p.load(argLow(arg))
		p.ifAnyBit(bits, then)
		p.ret(retAllow)
		return p
	}
	eperm := answer(retErrno(unix.EPERM))
	mode := func(arg int) program { return denyIf(arg, setBits, eperm) }
	open := func(flags, arg int) program {
		return denyIf(flags, unix.O_CREAT|oTmpfileBit, mode(arg))
	}
	programs := map[uint32]program{}
	var order []uint32
	for _, c := range machineCalls {
		var p program
		if c.x32 {
			p.ifAtLeast(1<<30, answer(retErrno(unix.ENOSYS)))
		}
		on := func(nr uint32, then program) {
			if nr != 0 {
				p.ifEqual(nr, then)
			}
		}
		on(c.chmod, mode(1))
		on(c.fchmod, mode(1))
		on(c.fchmodat, mode(2))
		on(c.fchmodat2, mode(2))
		on(c.mknod, mode(1))
		on(c.mknodat, mode(2))
		on(c.creat, mode(1))
		on(c.open, open(1, 2))
		on(c.openat, open(2, 3))
		on(c.openat2, answer(retErrno(unix.ENOSYS)))
		on(c.ioUringSetup, answer(retErrno(unix.ENOSYS)))
		for _, nr := range c.xattrs {
			on(nr, answer(retErrno(unix.ENOTSUP)))
		}
		programs[c.arch] = p
		order = append(order, c.arch)
	}
	return perArch(programs, order)
}

// oTmpfileBit is what O_TMPFILE has beyond O_DIRECTORY; the mode counts with it.
const oTmpfileBit = unix.O_TMPFILE &^ unix.O_DIRECTORY

// recorderFilter hands the calls that the recorder answers to it. Programs of
// another kind than the machine's own (32 bits) get EPERM for what would have
// to be recorded: better a visible failure than a wrong owner.
func recorderFilter() program {
	programs := map[uint32]program{}
	var order []uint32
	for i, c := range machineCalls {
		own := i == 0
		var p program
		if c.x32 {
			p.ifAtLeast(1<<30, answer(retErrno(unix.ENOSYS)))
		}
		on := func(then program, nrs ...uint32) {
			for _, nr := range nrs {
				if nr != 0 {
					p.ifEqual(nr, then)
				}
			}
		}
		act := answer(retErrno(unix.EPERM))
		if own {
			act = answer(retNotify)
			on(act, c.stat, c.lstat, c.fstat, c.fstatat, c.statx)
		}
		on(act, c.chown, c.lchown, c.fchown, c.fchownat, c.mknod, c.mknodat)
		on(act, c.chown16...)
		on(act, c.setID...)
		on(answer(retErrno(unix.ENOSYS)), c.ioUringSetup)
		programs[c.arch] = p
		order = append(order, c.arch)
	}
	return perArch(programs, order)
}
