// Package heap sets up the memory of a process that evaluates once and ends.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap of a process that evaluates once and ends. What an evaluation makes it
// mostly keeps, so collecting often finds little. Many end before anything is
// collected; a first collection while little is alive takes little time and finds
// the syntax trees.
const (
	firstHeap = 56 << 20 // grows so far before anything is collected
	quietHeap = 98 << 20 // and so far before it is collected again
	growth    = 110      // then by so many per cent of what is alive
	minimum   = 4 << 20  // of Go's, at 100 per cent
)

// Tune trades memory for time. Settings of the user's win.
func Tune() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	preferHugePages()
	debug.SetGCPercent(firstHeap / minimum * 100)
	adjustAfterCollection()
}

// adjustAfterCollection sets the size at which the next collection starts
// whenever one has ended, which a finalizer tells.
func adjustAfterCollection() {
	type sentinel struct{ self *sentinel }
	runtime.SetFinalizer(new(sentinel), func(*sentinel) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		if live := sample[0].Value.Uint64(); live > 0 {
			debug.SetGCPercent(int(max(growth, quietHeap*100/live-min(100, quietHeap*100/live))))
		}
		adjustAfterCollection()
	})
}
