package heap

import (
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// preferHugePages asks the kernel to back the heap by huge pages as far as it is
// likely to grow: small ones take a fifth of the time of an evaluation to be
// handed out. The runtime does not ask by itself.
//
// There is no heap yet to speak of; so one block is allocated, which nobody
// touches, and given back. The heap will grow into its place.
func preferHugePages() {
	const (
		arena = 64 << 20 // what the runtime reserves at a time, aligned to it
		size  = 4 * arena
	)
	if !hugePagesOnRequest() || !plentyOfAddresses() {
		return
	}
	block := make([]byte, size)
	start := uintptr(unsafe.Pointer(unsafe.SliceData(block))) &^ (arena - 1)
	unix.Syscall(unix.SYS_MADVISE, start, size, unix.MADV_HUGEPAGE) // an error means small pages
	runtime.KeepAlive(block)
	runtime.GC()
}

// hugePagesOnRequest reports whether the kernel hands out huge pages to those who
// ask, and not to all or to nobody.
func hugePagesOnRequest() bool {
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && strings.Contains(string(mode), "[madvise]")
}

// plentyOfAddresses reports whether memory that is not used costs nothing: no
// limit on addresses, no kernel that promises only what it has.
func plentyOfAddresses() bool {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &limit) != nil || limit.Cur != unix.RLIM_INFINITY {
		return false
	}
	overcommit, err := os.ReadFile("/proc/sys/vm/overcommit_memory")
	return err == nil && strings.TrimSpace(string(overcommit)) != "2"
}
