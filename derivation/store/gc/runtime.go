package gc

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonix/derivation/nixbase32"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// runtimeRoots are what the running programs need, as far as /proc shows it to
// this user: the programs themselves, their working directories, what they have
// open or mapped, and what their environments mention. (Nix:
// findRuntimeRootsUnchecked)
func runtimeRoots(st *store.Local) []Root {
	r := runtimeScan{st: st, seen: map[Root]bool{}}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return nil // a system without it
	}
	for _, e := range processes {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		r.link(dir + "/exe")
		r.link(dir + "/cwd")
		if open, err := os.ReadDir(dir + "/fd"); err == nil {
			for _, fd := range open {
				r.link(dir + "/fd/" + fd.Name())
			}
		}
		r.scan(dir + "/maps")
		r.scan(dir + "/environ")
	}
	for _, file := range []string{"modprobe", "fbsplash", "poweroff_cmd"} {
		r.scan("/proc/sys/kernel/" + file)
	}
	return r.list
}

type runtimeScan struct {
	st   *store.Local
	list []Root
	seen map[Root]bool
}

func (r *runtimeScan) add(link string, p storepath.Path) {
	root := Root{link, p}
	if !r.seen[root] {
		r.seen[root] = true
		r.list = append(r.list, root)
	}
}

func (r *runtimeScan) link(file string) {
	target, err := os.Readlink(file)
	if err != nil {
		return
	}
	target = strings.TrimSuffix(target, " (deleted)")
	if p, _, err := storepath.Split(r.st.LogicalFile(target)); err == nil {
		r.add(file, p)
	}
}

// maxRuntimeFile bounds what is read of one file of /proc.
const maxRuntimeFile = 64 << 20

// scan finds store paths in a file, by their logical and by their physical
// names.
func (r *runtimeScan) scan(file string) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRuntimeFile))
	if err != nil {
		return
	}
	dirs := []string{storepath.Dir + "/"}
	if r.st.Dir() != storepath.Dir {
		dirs = append(dirs, r.st.Dir()+"/")
	}
	for _, dir := range dirs {
		for rest := text; ; {
			i := bytes.Index(rest, []byte(dir))
			if i < 0 {
				break
			}
			rest = rest[i+len(dir):]
			if p, ok := pathPrefix(rest); ok {
				r.add(file, p)
			}
		}
	}
}

// pathPrefix returns the object whose base name text begins with.
func pathPrefix(text []byte) (storepath.Path, bool) {
	n := 0
	for n < len(text) && n < storepath.HashLen && nixbase32.IsDigit(text[n]) {
		n++
	}
	if n < storepath.HashLen || n == len(text) || text[n] != '-' {
		return storepath.Path{}, false
	}
	end := n + 1
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] >= 'a' && text[end] <= 'z' ||
		text[end] >= 'A' && text[end] <= 'Z' || strings.IndexByte("+-._?=", text[end]) >= 0) {
		end++
	}
	p, err := storepath.FromBase(string(text[:end]))
	return p, err == nil
}
