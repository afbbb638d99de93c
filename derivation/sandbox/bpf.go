//go:build linux && (amd64 || arm64)

package sandbox

import (
	"golang.org/x/sys/unix"
)

// Offsets into struct seccomp_data, and what filters answer.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16

	retAllow  = unix.SECCOMP_RET_ALLOW
	retNotify = unix.SECCOMP_RET_USER_NOTIF
)

func retErrno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// argLow is the offset of the low half of argument i; both machines are little
// endian.
func argLow(i int) uint32 { return dataArgs + 8*uint32(i) }

// program assembles a seccomp filter for classic BPF.
type program []unix.SockFilter

func (p *program) add(code uint16, jt, jf uint8, k uint32) {
	*p = append(*p, unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k})
}

// load puts the 32 bits at offset into the accumulator.
func (p *program) load(offset uint32) { p.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, offset) }

// ret ends the filter with an answer.
func (p *program) ret(answer uint32) { p.add(unix.BPF_RET|unix.BPF_K, 0, 0, answer) }

// ifEqual runs then if the accumulator equals k.
func (p *program) ifEqual(k uint32, then program) { p.branch(unix.BPF_JEQ, k, then, false) }

// unlessEqual runs then if the accumulator differs from k.
func (p *program) unlessEqual(k uint32, then program) { p.branch(unix.BPF_JEQ, k, then, true) }

// ifAtLeast runs then if the accumulator is k or more.
func (p *program) ifAtLeast(k uint32, then program) { p.branch(unix.BPF_JGE, k, then, false) }

// ifAnyBit runs then if the accumulator has one of the bits of k.
func (p *program) ifAnyBit(k uint32, then program) { p.branch(unix.BPF_JSET, k, then, false) }

// branch appends a conditional jump around then. A long then needs an
// unconditional jump, for conditional ones reach 255 instructions only.
func (p *program) branch(op uint16, k uint32, then program, negate bool) {
	code := unix.BPF_JMP | unix.BPF_K | op
	n := len(then)
	switch {
	case n > 255 && negate:
		p.add(code, 0, 1, k)
		p.add(unix.BPF_JMP|unix.BPF_JA, 0, 0, uint32(n))
	case n > 255:
		p.add(code, 1, 0, k)
		p.add(unix.BPF_JMP|unix.BPF_JA, 0, 0, uint32(n))
	case negate:
		p.add(code, uint8(n), 0, k)
	default:
		p.add(code, 0, uint8(n), k)
	}
	*p = append(*p, then...)
}

// answer is the program that only answers.
func answer(a uint32) program {
	var p program
	p.ret(a)
	return p
}

// perArch makes a filter out of one program for each kind of system call that
// the machine takes. The programs start with the number of the call in the
// accumulator; calls of any other kind do not exist.
func perArch(programs map[uint32]program, order []uint32) program {
	var p program
	p.load(dataArch)
	for _, arch := range order {
		var body program
		body.load(dataNr)
		body = append(body, programs[arch]...)
		body.ret(retAllow)
		p.ifEqual(arch, body)
	}
	p.ret(retErrno(unix.ENOSYS))
	return p
}
