package heap

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
)

// Limit is how many bytes a single value may take: a quarter of what the machine, its
// control group or GOMEMLIMIT allows the process; 0 if none of them says.
func Limit() int64 { return allowed() / 4 }

// Room returns what tells how many bytes are left of three quarters of that; nil if
// nothing bounds it. Garbage is collected before it says that there is little.
func Room() func() int64 {
	limit := allowed() / 4 * 3
	if limit == 0 {
		return nil
	}
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	left := func() int64 {
		metrics.Read(sample)
		return limit - int64(sample[0].Value.Uint64())
	}
	return func() int64 {
		if room := left(); room > limit/2 {
			return room
		}
		runtime.GC()
		return left()
	}
}

// allowed is how many bytes the machine, the control group or GOMEMLIMIT allow.
var allowed = sync.OnceValue(func() int64 {
	limit := int64(math.MaxInt64)
	if l := debug.SetMemoryLimit(-1); l > 0 {
		limit = min(limit, l)
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			limit = min(limit, n)
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) > 1 && words[0] == "MemTotal:" {
				if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
					limit = min(limit, n<<10)
				}
				break
			}
		}
	}
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
})
