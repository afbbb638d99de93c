package expression

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonix/eval"
)

// importList remembers between runs which files an expression led to, so that
// they are parsed ahead (see [eval.Options].Ahead). It is a hint: nothing goes
// wrong if it is wrong or lost, so errors are not reported.
type importList struct {
	file  string // where it is kept, "" for nowhere
	known []byte
}

const (
	// fewImports are not worth a list.
	fewImports = 8
	// maxImports bounds a list, maxLists how many there are.
	maxImports, maxLists = 20_000, 200
)

// openImportList returns the list of what is evaluated here with these flags.
func (e *Evaluator) openImportList() *importList {
	dir := e.World.CacheDir()
	if dir == "" {
		return &importList{}
	}
	nixPath, _ := e.World.LookupEnv("NIX_PATH")
	id := slices.Concat([]string{e.World.Cwd, nixPath}, e.Flags.Include, []string{""}, e.Flags.Args, []string{""}, e.Flags.Attrs)
	key := sha256.Sum256([]byte(strings.Join(id, "\x00")))
	l := &importList{file: filepath.Join(dir, "imports", hex.EncodeToString(key[:16]))}
	l.known, _ = os.ReadFile(l.file)
	return l
}

// files are those of the last run.
func (l *importList) files() []string {
	if len(l.known) == 0 {
		return nil
	}
	files := strings.Split(strings.TrimSuffix(string(l.known), "\n"), "\n")
	return files[:min(len(files), maxImports)]
}

// keep notes what the evaluation imported for the next run.
func (l *importList) keep(s *eval.State) {
	files := s.Imported()
	if l.file == "" || len(files) < fewImports || len(files) > maxImports {
		return
	}
	text := []byte(strings.Join(files, "\n") + "\n")
	if bytes.Equal(text, l.known) || bytes.Count(text, []byte{'\n'}) != len(files) {
		return
	}
	dir := filepath.Dir(l.file)
	if os.MkdirAll(dir, 0o755) != nil {
		return
	}
	if _, err := os.Stat(l.file); errors.Is(err, fs.ErrNotExist) {
		dropOldest(dir)
	}
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(text)
	if tmp.Close() != nil || err != nil || os.Rename(tmp.Name(), l.file) != nil {
		os.Remove(tmp.Name())
	}
}

// dropOldest makes room for one more list.
func dropOldest(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < maxLists {
		return
	}
	var oldest fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && (oldest == nil || info.ModTime().Before(oldest.ModTime())) {
			oldest = info
		}
	}
	if oldest != nil {
		os.Remove(filepath.Join(dir, oldest.Name()))
	}
}
