package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// showStatistics prints the counters of the evaluation under Nix's names, to
// standard error or to the file NIX_SHOW_STATS_PATH, if NIX_SHOW_STATS asks for
// them.
func (x *instantiation) showStatistics() error {
	if on := x.w.getenv("NIX_SHOW_STATS"); on == "" || on == "0" {
		return nil
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return fmt.Errorf("show statistics: %w", err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	cpu := time.Duration(usage.Utime.Nano()).Seconds()
	pause := time.Duration(mem.PauseTotalNs).Seconds()
	st := x.state.Stats()
	type object map[string]any
	text, err := json.MarshalIndent(object{
		"cpuTime":                cpu,
		"time":                   object{"cpu": cpu, "gc": pause, "gcFraction": mem.GCCPUFraction},
		"envs":                   object{"number": st.Frames, "elements": st.Slots},
		"list":                   object{"number": st.Lists, "elements": st.ListElems},
		"sets":                   object{"number": st.Sets, "elements": st.SetElems},
		"symbols":                object{"number": x.state.Symbols().Len()},
		"nrOpUpdates":            st.Updates,
		"nrOpUpdateValuesCopied": st.UpdatedValues,
		"nrThunks":               st.Thunks,
		"nrAvoided":              st.ThunksAvoided,
		"nrLookups":              st.Lookups,
		"nrPrimOpCalls":          st.BuiltinCalls,
		"nrFunctionCalls":        st.Calls,
		"gc":                     object{"heapSize": mem.HeapSys, "totalBytes": mem.TotalAlloc, "cycles": mem.NumGC},
		"maxResidentSize":        int64(usage.Maxrss) << 10,
	}, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if file := x.w.getenv("NIX_SHOW_STATS_PATH"); file != "" && file != "-" {
		return os.WriteFile(file, text, 0o666)
	}
	_, err = x.w.stderr.Write(text)
	return err
}
