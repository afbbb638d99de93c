package heap

import (
	"math/bits"
	"os"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	arena = 64 << 20  // what the runtime reserves at a time, aligned to it
	ahead = 4 * arena // as far as the heap is likely to grow
)

// wide is an argument of a function that needs a stack of the size ahead: the
// power of two that is next to twice the argument, which the compiler copies on
// the way.
type wide [ahead / 8 * 3]byte

// preferHugePages asks the kernel to back the heap by huge pages as far as it is
// likely to grow: small ones take a fifth of the time of an evaluation to be
// handed out. The runtime does not ask by itself.
//
// What the heap has not grown into yet is mapped anew when it does, and then the
// kernel has forgotten what it was asked. So something large is allocated, which
// nobody touches, and given back; the heap will grow into its place. It is the
// stack of a goroutine: unlike a block, that is given back at once, without a
// collection, which would be half of the time that a small command takes.
func preferHugePages() {
	if bits.UintSize < 64 || !hugePagesOnRequest() || !plentyOfAddresses() {
		return
	}
	var done sync.WaitGroup
	done.Go(func() {
		var top byte
		reach(&top, nil)
	})
	done.Wait()
}

// reach asks for huge pages where its stack is, which is large for an argument
// that it never passes on, and ends a little above top.
//
//go:noinline
func reach(top *byte, never *wide) byte {
	if never != nil {
		return take(*never)
	}
	end := uintptr(unsafe.Pointer(top))
	start := (end - ahead) &^ (arena - 1)
	unix.Syscall(unix.SYS_MADVISE, start, (end+arena-1)&^(arena-1)-start, unix.MADV_HUGEPAGE) // an error means small pages
	return *top
}

//go:noinline
func take(w wide) byte { return w[0] }

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
