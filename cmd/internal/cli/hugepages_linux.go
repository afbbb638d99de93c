package cli

import (
	"runtime"
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
	block := make([]byte, size)
	start := uintptr(unsafe.Pointer(unsafe.SliceData(block))) &^ (arena - 1)
	unix.Syscall(unix.SYS_MADVISE, start, size, unix.MADV_HUGEPAGE) // an error means small pages
	runtime.KeepAlive(block)
	runtime.GC()
}
