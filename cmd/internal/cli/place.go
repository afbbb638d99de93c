package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gonix/derivation/fetch"
)

// storeRoot is the folder that holds the physical store, from --store or from
// the environment.
func (w *world) storeRoot(flag string) (string, error) {
	switch {
	case flag == "auto" || flag == "":
	case strings.HasPrefix(flag, "local?root="):
		return w.abs(strings.TrimPrefix(flag, "local?root=")), nil
	case flag == "local":
		return "/", nil
	case strings.Contains(flag, "://"):
		return "", fmt.Errorf("'--store %s': only a folder of this machine can be the store that is built in", flag)
	default:
		return w.abs(flag), nil
	}
	if data := w.getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "gonix"), nil
	}
	home := w.getenv("HOME")
	if home == "" {
		return "", errors.New("where to keep the store? Neither XDG_DATA_HOME nor HOME is set; name a folder with --store")
	}
	return filepath.Join(home, ".local", "share", "gonix"), nil
}

func (w *world) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(w.cwd, path)
}

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

// mirrorOverride reads NIX_MIRRORS_<name>: addresses separated by spaces.
func (w *world) mirrorOverride(name string) []string {
	return strings.Fields(w.getenv("NIX_MIRRORS_" + name))
}
