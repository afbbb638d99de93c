package network

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonix/cmd/internal/process"
	"gonix/derivation/fetch"
)

// aptMirrors are the repositories that the host's package manager is set up
// with: likely near, and allowed by whoever runs the machine.
func aptMirrors() map[string][]string {
	files, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	id := osReleaseID()
	if id == "" {
		return nil
	}
	var urls []string
	for _, name := range append([]string{"/etc/apt/sources.list"}, files...) {
		if !strings.HasSuffix(name, ".list") && !strings.HasSuffix(name, ".sources") {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		for _, u := range fetch.AptSources(f) {
			// Other vendors' repositories lie beside the distribution's.
			if strings.Contains(u, id) {
				urls = append(urls, u)
			}
		}
		f.Close()
	}
	return map[string][]string{id: urls}
}

// osReleaseID is ID of os-release(5): debian, ubuntu; "" where there is none.
func osReleaseID() string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
			return strings.Trim(id, `"'`)
		}
	}
	return ""
}

// mirrorOverride returns what reads NIX_MIRRORS_<name>: addresses separated by spaces.
func mirrorOverride(w *process.World) func(name string) []string {
	return func(name string) []string { return strings.Fields(w.Getenv("NIX_MIRRORS_" + name)) }
}
