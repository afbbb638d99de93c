//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// evaluate runs a filter on one system call, as the kernel does.
func evaluate(t *testing.T, p program, arch, nr uint32, args ...uint64) uint32 {
	t.Helper()
	data := make([]byte, 64)
	binary.LittleEndian.PutUint32(data[dataNr:], nr)
	binary.LittleEndian.PutUint32(data[dataArch:], arch)
	for i, a := range args {
		binary.LittleEndian.PutUint64(data[dataArgs+8*i:], a)
	}
	var acc uint32
	for pc := 0; pc < len(p); pc++ {
		in := p[pc]
		taken := false
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = binary.LittleEndian.Uint32(data[in.K:])
			continue
		case unix.BPF_RET | unix.BPF_K:
			return in.K
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(in.K)
			continue
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ:
			taken = acc == in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JGE:
			taken = acc >= in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JSET:
			taken = acc&in.K != 0
		default:
			t.Fatalf("instruction %+v", in)
		}
		if taken {
			pc += int(in.Jt)
		} else {
			pc += int(in.Jf)
		}
	}
	t.Fatal("the filter has no end")
	return 0
}

// high is set in the upper half of arguments that have 32 bits.
const high = 0xabcd << 32

func TestBuilderFilter(t *testing.T) {
	p := builderFilter()
	eperm, enotsup, enosys := retErrno(unix.EPERM), retErrno(unix.ENOTSUP), retErrno(unix.ENOSYS)
	for _, c := range machineCalls {
		for _, x := range []struct {
			name string
			nr   uint32
			args []uint64
			want uint32
		}{
			{"chmod 755", c.chmod, []uint64{0, high | 0o755}, retAllow},
			{"chmod 4755", c.chmod, []uint64{0, high | 0o4755}, eperm},
			{"fchmod 2755", c.fchmod, []uint64{0, 0o2755}, eperm},
			{"fchmod 1777", c.fchmod, []uint64{0, 0o1777}, retAllow},
			{"fchmodat 6755", c.fchmodat, []uint64{0, 0, 0o6755}, eperm},
			{"fchmodat2 4000", c.fchmodat2, []uint64{0, 0, 0o4000}, eperm},
			{"open for reading", c.open, []uint64{0, 0, 0o4755}, retAllow},
			{"open 4755", c.open, []uint64{0, unix.O_CREAT, 0o4755}, eperm},
			{"openat 644", c.openat, []uint64{0, 0, unix.O_CREAT, 0o644}, retAllow},
			{"openat 4755", c.openat, []uint64{0, 0, unix.O_CREAT, 0o4755}, eperm},
			{"openat unnamed 2755", c.openat, []uint64{0, 0, oTmpfileBit, 0o2755}, eperm},
			{"creat 4755", c.creat, []uint64{0, 0o4755}, eperm},
			{"mknod 4755", c.mknod, []uint64{0, unix.S_IFREG | 0o4755}, eperm},
			{"mknodat fifo", c.mknodat, []uint64{0, 0, unix.S_IFIFO | 0o644}, retAllow},
			{"openat2", c.openat2, nil, enosys},
			{"io_uring", c.ioUringSetup, nil, enosys},
			{"xattr", c.xattrs[0], nil, enotsup},
			{"xattr", c.xattrs[len(c.xattrs)-1], nil, enotsup},
			{"another", 9999, nil, retAllow},
		} {
			if x.nr == 0 {
				continue
			}
			if got := evaluate(t, p, c.arch, x.nr, x.args...); got != x.want {
				t.Errorf("%s of %#x: %#x, want %#x", x.name, c.arch, got, x.want)
			}
		}
		if c.x32 {
			if got := evaluate(t, p, c.arch, 1<<30|c.chmod, 0, 0o755); got != enosys {
				t.Errorf("x32: %#x", got)
			}
		}
	}
	if got := evaluate(t, p, 0x12345678, 1); got != enosys {
		t.Errorf("unknown machine: %#x", got)
	}
}

func TestRecorderFilter(t *testing.T) {
	p := recorderFilter()
	for i, c := range machineCalls {
		change, look := retErrno(unix.EPERM), uint32(retAllow)
		if i == 0 {
			change, look = retNotify, retNotify
		}
		for _, nr := range append([]uint32{c.chown, c.lchown, c.fchown, c.fchownat, c.mknod, c.mknodat}, append(c.setID, c.chown16...)...) {
			if nr == 0 {
				continue
			}
			if got := evaluate(t, p, c.arch, nr); got != change {
				t.Errorf("call %d of %#x: %#x, want %#x", nr, c.arch, got, change)
			}
		}
		for _, nr := range []uint32{c.stat, c.lstat, c.fstat, c.fstatat, c.statx} {
			if nr == 0 {
				continue
			}
			if got := evaluate(t, p, c.arch, nr); got != look {
				t.Errorf("call %d of %#x: %#x, want %#x", nr, c.arch, got, look)
			}
		}
		if got := evaluate(t, p, c.arch, c.fchmod); got != retAllow {
			t.Errorf("fchmod of %#x: %#x", c.arch, got)
		}
	}
}

// TestLongJump needs more than the 255 instructions that a branch can skip.
func TestLongJump(t *testing.T) {
	var long, p program
	for range 300 {
		long.load(dataNr)
	}
	long.ret(1)
	p.load(dataNr)
	p.ifEqual(7, long)
	p.unlessEqual(8, long)
	p.ret(2)
	for nr, want := range map[uint32]uint32{7: 1, 8: 2, 9: 1} {
		if got := evaluate(t, p, 0, nr); got != want {
			t.Errorf("%d: %d, want %d", nr, got, want)
		}
	}
}
