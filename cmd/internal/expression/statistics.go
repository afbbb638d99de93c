package expression

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"gonix/eval"
	"gonix/eval/value"
)

// ShowStatistics prints the counters of the evaluation under Nix's names, to
// standard error or to the file NIX_SHOW_STATS_PATH, if NIX_SHOW_STATS asks for
// them.
func (e *Evaluator) ShowStatistics(s *eval.State) error {
	if on := e.World.Getenv("NIX_SHOW_STATS"); on == "" || on == "0" {
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
	st, size := s.Stats(), value.Sizes
	names := 0
	for _, name := range s.Symbols().Names() {
		names += len(name)
	}
	type object map[string]any
	text, err := json.MarshalIndent(object{
		"cpuTime":                cpu,
		"time":                   object{"cpu": cpu, "gc": pause, "gcFraction": mem.GCCPUFraction},
		"envs":                   object{"number": st.Frames, "elements": st.Slots, "bytes": st.Frames*size.Frame + st.Slots*size.Value},
		"list":                   object{"number": st.Lists, "elements": st.ListElems, "bytes": st.ListElems * size.Value, "concats": st.Concats},
		"values":                 object{"number": st.Thunks, "bytes": st.Thunks * size.Thunk},
		"sets":                   object{"number": st.Sets, "elements": st.SetElems, "bytes": st.Sets*size.Attrs + st.SetElems*size.Attr},
		"symbols":                object{"number": s.Symbols().Len(), "bytes": names},
		"sizes":                  object{"Env": size.Frame, "Value": size.Value, "Bindings": size.Attrs, "Attr": size.Attr},
		"nrExprs":                st.Exprs,
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
	if file := e.World.Getenv("NIX_SHOW_STATS_PATH"); file != "" && file != "-" {
		return os.WriteFile(file, text, 0o666)
	}
	_, err = e.World.Stderr.Write(text)
	return err
}
