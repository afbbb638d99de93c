// Package narinfo reads and writes the files in which a binary cache says what it
// knows about one store object: HASH.narinfo.
//
// The format is a line "Name: value" for each field (Nix: libstore/nar-info.cc).
// Writing gives exactly Nix's bytes. Reading is strict about all that is used
// afterwards, since the text comes from somebody else: paths, hashes, numbers,
// a URL that stays inside the cache.
package narinfo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonix/derivation/nixhash"
	"gonix/derivation/signature"
	"gonix/derivation/store"
	"gonix/derivation/storepath"
)

// MaxSize bounds the text of one file: far more than any object's references
// need.
const MaxSize = 8 << 20

// Info is what a cache says about an object.
type Info struct {
	store.Info
	URL         string       // of the compressed archive, relative to the cache
	Compression string       // "xz", "none", ...; "" was not said and means bzip2
	FileHash    nixhash.Hash // of the compressed archive; zero if not said
	FileSize    int64        // bytes of it; 0 if not said
}

// Parse reads the text of the file that whence names. The error is a
// *[FormatError].
func Parse(text, whence string) (*Info, error) { return ParseIn(storepath.Dir, text, whence) }

// ParseIn is Parse for a cache of stores whose directory is dir: paths are those
// with the same names below our own.
func ParseIn(dir, text, whence string) (*Info, error) {
	p := parser{dir: dir, info: &Info{}, seen: make(map[string]bool)}
	if len(text) > MaxSize {
		return nil, corrupt(whence, fmt.Sprintf("it is longer than %d bytes", MaxSize), 0)
	}
	line := 0
	for rest := text; rest != ""; {
		line++
		l, after, ok := strings.Cut(rest, "\n")
		if !ok {
			return nil, corrupt(whence, "expecting '\\n'", line)
		}
		rest = after
		name, value, ok := strings.Cut(strings.TrimSuffix(l, "\r"), ":")
		if !ok {
			return nil, corrupt(whence, "expecting ':'", line)
		}
		if err := p.field(name, strings.TrimPrefix(value, " ")); err != nil {
			return nil, corrupt(whence, err.Error(), line)
		}
	}
	if err := p.complete(); err != nil {
		return nil, corrupt(whence, err.Error(), 0)
	}
	return p.info, nil
}

// FormatError is why a file is not used.
type FormatError struct {
	Whence, Reason string
}

// Error is the message of Nix.
func (e *FormatError) Error() string {
	return fmt.Sprintf("NAR info file '%s' is corrupt: %s", e.Whence, e.Reason)
}

func corrupt(whence, reason string, line int) error {
	if line > 0 {
		reason += " at line " + strconv.Itoa(line)
	}
	return &FormatError{whence, reason}
}

// parser collects the fields of one file.
type parser struct {
	dir  string
	info *Info
	seen map[string]bool
}

// field takes one line. Unknown names are left alone, so that old programs can
// read what later ones write.
func (p *parser) field(name, value string) (err error) {
	read, known := fields[name]
	if !known {
		return nil
	}
	if p.seen[name] && name != "Sig" {
		return fmt.Errorf("extra %s", name)
	}
	p.seen[name] = true
	if base, ok := strings.CutPrefix(value, p.dir+"/"); ok && name == "StorePath" {
		value = storepath.Dir + "/" + base
	}
	return read(p.info, value)
}

// fields says how each field takes its text.
var fields = map[string]func(i *Info, v string) error{
	"StorePath": func(i *Info, v string) (err error) { i.Path, err = storepath.Parse(v); return err },
	"URL": func(i *Info, v string) error {
		i.URL = v
		return checkURL(v)
	},
	"Compression": func(i *Info, v string) error { i.Compression = v; return nil },
	"FileHash":    func(i *Info, v string) error { return parseHash(&i.FileHash, v, "FileHash") },
	"FileSize":    func(i *Info, v string) error { return parseSize(&i.FileSize, v, "FileSize") },
	"NarHash":     func(i *Info, v string) error { return parseHash(&i.NarHash, v, "NarHash") },
	"NarSize":     func(i *Info, v string) error { return parseSize(&i.NarSize, v, "NarSize") },
	"References": func(i *Info, v string) error {
		for _, base := range strings.Fields(v) {
			r, err := storepath.FromBase(base)
			if err != nil {
				return err
			}
			i.References = append(i.References, r)
		}
		slices.SortFunc(i.References, storepath.Compare)
		i.References = slices.Compact(i.References)
		return nil
	},
	"Deriver": func(i *Info, v string) (err error) {
		if v == "" || v == "unknown-deriver" {
			return nil
		}
		i.Deriver, err = storepath.FromBase(v)
		return err
	},
	"Sig": func(i *Info, v string) error {
		i.Sigs = append(i.Sigs, v)
		return signature.Check(v)
	},
	"CA": func(i *Info, v string) error {
		if strings.ContainsAny(v, " \t") {
			return fmt.Errorf("bad content address '%s'", v)
		}
		i.CA = v
		return nil
	},
}

func (p *parser) complete() error {
	switch i := p.info; {
	case i.Path.IsZero():
		return fmt.Errorf("StorePath missing")
	case i.NarHash.IsZero():
		return fmt.Errorf("NarHash missing")
	case i.URL == "":
		return fmt.Errorf("URL missing")
	case i.NarSize == 0:
		return fmt.Errorf("NarSize missing or zero")
	}
	return nil
}

func parseHash(dst *nixhash.Hash, v, field string) error {
	h, err := nixhash.Parse(v, nixhash.Unknown)
	if err != nil || h.Algo != nixhash.SHA256 {
		return fmt.Errorf("bad hash in %s: '%s'", field, v)
	}
	*dst = h
	return nil
}

func parseSize(dst *int64, v, field string) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || v[0] == '+' {
		return fmt.Errorf("invalid %s '%s'", field, v)
	}
	*dst = n
	return nil
}

// checkURL refuses what could lead out of the cache's own folder. Whole URLs are
// allowed, as Nix allows them: the archive may lie with another server.
func checkURL(v string) error {
	for i := range len(v) {
		if v[i] <= ' ' || v[i] == 0x7f {
			return fmt.Errorf("bad URL '%q'", v)
		}
	}
	if strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") {
		return nil
	}
	if strings.HasPrefix(v, "/") || strings.Contains(v, "://") || slices.Contains(strings.Split(v, "/"), "..") {
		return fmt.Errorf("the URL '%s' leads out of the cache", v)
	}
	return nil
}

// AppendTo appends the text of the file to b.
func (i *Info) AppendTo(b []byte) []byte {
	line := func(name, value string) { b = append(b, name+": "+value+"\n"...) }
	line("StorePath", i.Path.String())
	line("URL", i.URL)
	line("Compression", i.Codec())
	if !i.FileHash.IsZero() {
		line("FileHash", i.FileHash.Prefixed32())
	}
	if i.FileSize > 0 {
		line("FileSize", strconv.FormatInt(i.FileSize, 10))
	}
	line("NarHash", i.NarHash.Prefixed32())
	line("NarSize", strconv.FormatInt(i.NarSize, 10))
	refs := slices.Clone(i.References)
	slices.SortFunc(refs, storepath.Compare)
	bases := make([]string, len(refs))
	for n, r := range refs {
		bases[n] = r.Base()
	}
	line("References", strings.Join(bases, " "))
	if !i.Deriver.IsZero() {
		line("Deriver", i.Deriver.Base())
	}
	for _, s := range slices.Compact(slices.Sorted(slices.Values(i.Sigs))) {
		line("Sig", s)
	}
	if i.CA != "" {
		line("CA", i.CA)
	}
	return b
}

// Codec is the name of the compression; bzip2 where the file is silent.
func (i *Info) Codec() string {
	if i.Compression == "" {
		return "bzip2"
	}
	return i.Compression
}

// File returns the name of the file about p.
func File(p storepath.Path) string { return p.HashPart() + ".narinfo" }
