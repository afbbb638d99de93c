//go:build linux

package sandbox

import (
	"golang.org/x/sys/unix"
)

// machineCalls are the kinds of system calls of the machine, its own first.
var machineCalls = []calls{
	{
		arch: unix.AUDIT_ARCH_X86_64, x32: true,
		open: unix.SYS_OPEN, creat: unix.SYS_CREAT, openat: unix.SYS_OPENAT, openat2: unix.SYS_OPENAT2,
		mknod: unix.SYS_MKNOD, mknodat: unix.SYS_MKNODAT,
		chmod: unix.SYS_CHMOD, fchmod: unix.SYS_FCHMOD, fchmodat: unix.SYS_FCHMODAT, fchmodat2: unix.SYS_FCHMODAT2,
		ioUringSetup: unix.SYS_IO_URING_SETUP,
		xattrs: []uint32{unix.SYS_GETXATTR, unix.SYS_LGETXATTR, unix.SYS_FGETXATTR, unix.SYS_GETXATTRAT,
			unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_SETXATTRAT},
		chown: unix.SYS_CHOWN, lchown: unix.SYS_LCHOWN, fchown: unix.SYS_FCHOWN, fchownat: unix.SYS_FCHOWNAT,
		stat: unix.SYS_STAT, lstat: unix.SYS_LSTAT, fstat: unix.SYS_FSTAT, fstatat: unix.SYS_NEWFSTATAT, statx: unix.SYS_STATX,
		setID: []uint32{unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID,
			unix.SYS_SETRESGID, unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_SETGROUPS},
	},
	{ // programs for i386
		arch: unix.AUDIT_ARCH_I386,
		open: 5, creat: 8, openat: 295, openat2: 437, mknod: 14, mknodat: 297,
		chmod: 15, fchmod: 94, fchmodat: 306, fchmodat2: 452, ioUringSetup: 425,
		xattrs: []uint32{229, 230, 231, 464, 226, 227, 228, 463},
		chown:  212, lchown: 198, fchown: 207, fchownat: 298,
		chown16: []uint32{182, 16, 95},
		setID:   []uint32{23, 46, 70, 71, 138, 139, 164, 170, 81, 213, 214, 203, 204, 208, 210, 215, 216, 206},
	},
}
