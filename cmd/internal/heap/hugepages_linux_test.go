package heap

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// TestPreferHugePages: what is allocated afterwards lies where the kernel was
// asked for huge pages. A new release of Go may change where that is.
func TestPreferHugePages(t *testing.T) {
	if !hugePagesOnRequest() || !plentyOfAddresses() {
		t.Skip("the kernel does not hand out huge pages on request")
	}
	preferHugePages()
	block := make([]byte, 100<<20)
	middle := uintptr(unsafe.Pointer(&block[len(block)/2]))
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	var start, end uintptr
	for line := range strings.Lines(string(text)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			start, end = from, to
		}
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && start <= middle && middle < end {
			if !strings.Contains(flags, " hg") {
				t.Errorf("the heap at %x has the flags%s", middle, flags)
			}
			return
		}
	}
	t.Error("the heap is nowhere")
}
