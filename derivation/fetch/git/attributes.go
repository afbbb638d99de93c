package git

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxAttributes bounds the files that are read as a whole: gitattributes(5)
// and .gitmodules.
const maxAttributes = 1 << 20

// source reads a small file of a tree; nil stands for one that is not there.
type source func(name string) ([]byte, error)

// attributes answers whether paths are marked export-ignore.
type attributes struct {
	info    []rule            // of $GIT_DIR/info/attributes, which come first
	sources []source          // of which the first counts most
	rules   map[string][]rule // by folder
	isDir   func(name string) bool
}

// rule is one line of a gitattributes file.
type rule struct {
	pattern   pattern
	attribute bool // what it says about export-ignore
}

func newAttributes(r *Repository, sources ...source) *attributes {
	a := &attributes{sources: sources, rules: map[string][]rule{}}
	if text, err := os.ReadFile(filepath.Join(r.git, "info", "attributes")); err == nil {
		a.info = parseAttributes(text)
	}
	a.isDir = func(name string) bool {
		if r.work == "" {
			return false
		}
		info, err := os.Stat(filepath.Join(r.work, name))
		return err == nil && info.IsDir()
	}
	return a
}

// exportIgnored reports whether the path or a folder above it is marked.
func (a *attributes) exportIgnored(name string) (bool, error) {
	for i := range len(name) {
		if name[i] == '/' {
			if ignored, err := a.marked(name[:i]); ignored || err != nil {
				return ignored, err
			}
		}
	}
	return a.marked(name)
}

func (a *attributes) marked(name string) (bool, error) {
	isDir := a.isDir(name)
	if value, ok := lookup(a.info, name, isDir); ok {
		return value, nil
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		rules, err := a.of(dir)
		if err != nil {
			return false, err
		}
		below := name
		if dir != "." {
			below = name[len(dir)+1:]
		}
		if value, ok := lookup(rules, below, isDir); ok {
			return value, nil
		}
		if dir == "." {
			return false, nil
		}
	}
}

// of returns the rules in a folder, the last first.
func (a *attributes) of(dir string) ([]rule, error) {
	if rules, ok := a.rules[dir]; ok {
		return rules, nil
	}
	var rules []rule
	for _, read := range a.sources {
		text, err := read(path.Join(dir, ".gitattributes"))
		if err != nil {
			return nil, err
		}
		rules = append(rules, parseAttributes(text)...)
	}
	a.rules[dir] = rules
	return rules, nil
}

func lookup(rules []rule, name string, isDir bool) (value, ok bool) {
	for _, r := range rules {
		if r.pattern.match(name, isDir) {
			return r.attribute, true
		}
	}
	return false, false
}

// parseAttributes returns the lines that say something about export-ignore,
// the last first. A value, as in export-ignore=yes, does not mark.
func parseAttributes(text []byte) []rule {
	var rules []rule
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || strings.HasPrefix(line, "[attr]") {
			continue
		}
		name, rest := attributePattern(line)
		if strings.HasPrefix(name, "!") {
			continue // negative patterns are forbidden
		}
		found, value := false, false
		for _, attr := range strings.Fields(rest) {
			key, _, hasValue := strings.Cut(attr, "=")
			switch key {
			case "export-ignore":
				found, value = true, !hasValue
			case "-export-ignore", "!export-ignore":
				found, value = true, false
			}
		}
		if found {
			rules = append(rules, rule{newPattern(name), value})
		}
	}
	slices.Reverse(rules)
	return rules
}

// attributePattern splits a line after its pattern, which may be quoted.
func attributePattern(line string) (pattern, rest string) {
	if line[0] == '"' {
		var b strings.Builder
		for i := 1; i < len(line); i++ {
			switch {
			case line[i] == '"':
				return b.String(), line[i+1:]
			case line[i] == '\\' && i+1 < len(line):
				i++
			}
			b.WriteByte(line[i])
		}
	}
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], line[i:]
}

// workFile reads a file of the work tree.
func (r *Repository) workFile(name string) ([]byte, error) {
	if r.work == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(r.work, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxAttributes))
}

// indexFile returns a source of the files in the index.
func (r *Repository) indexFile() source {
	idx, err := r.repo.Storer.Index()
	if err != nil || len(idx.Entries) == 0 {
		return func(string) ([]byte, error) { return nil, nil }
	}
	return func(name string) ([]byte, error) {
		e, err := idx.Entry(name)
		if err != nil {
			return nil, nil
		}
		f, err := r.blob(e.Hash)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, maxAttributes))
	}
}
