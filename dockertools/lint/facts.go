package lint

import (
	"bytes"
	"debug/elf"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
)

const (
	// maxProgram bounds the ELF files that are held in memory, one at a time;
	// of larger ones only the beginning is looked at.
	maxProgram = 96 << 20
	// maxText bounds the scripts and tables that are kept, maxTexts all of them.
	maxText  = 128 << 10
	maxTexts = 64 << 20
)

// Facts are what contents of files say, gathered while a listing is read.
type Facts struct {
	programs map[image.Digest]*program
	texts    map[image.Digest]string
	kept     int
	dropped  bool // not all texts were kept

	buf  []byte
	size int64
	want kind
	name string
}

var _ listing.Watcher = (*Facts)(nil)

// kind is what a file turns out to be by its first bytes.
type kind uint8

const (
	unseen kind = iota
	other
	elfFile
	textFile
)

// NewFacts returns facts to give to [listing.Read].
func NewFacts() *Facts {
	return &Facts{programs: map[image.Digest]*program{}, texts: map[image.Digest]string{}}
}

// Begin implements [listing.Watcher].
func (f *Facts) Begin(name string, size int64) {
	f.buf, f.size, f.want, f.name = f.buf[:0], size, unseen, name
}

// tables are the texts that are kept beside scripts.
var tables = []string{"etc/passwd", "etc/group"}

// Write implements [listing.Watcher].
func (f *Facts) Write(p []byte) (int, error) {
	if f.want == other {
		return len(p), nil
	}
	most := maxProgram
	if f.want == textFile {
		most = maxText
	}
	f.buf = append(f.buf, p[:min(len(p), max(0, most-len(f.buf)))]...)
	if f.want == unseen && (len(f.buf) >= 4 || int64(len(f.buf)) == f.size) {
		f.want = other
		switch {
		case bytes.HasPrefix(f.buf, []byte(elf.ELFMAG)):
			f.want = elfFile
		case bytes.HasPrefix(f.buf, []byte("#!")):
			f.want = textFile
		}
		for _, t := range tables {
			if f.name == t || strings.HasSuffix(f.name, "/"+t) {
				f.want = textFile
			}
		}
	}
	return len(p), nil
}

// End implements [listing.Watcher].
func (f *Facts) End(digest image.Digest) {
	switch f.want {
	case elfFile:
		if f.programs[digest] == nil {
			f.programs[digest] = readProgram(f.buf)
		}
	case textFile:
		switch _, have := f.texts[digest]; {
		case have:
		case f.kept+len(f.buf) > maxTexts:
			f.dropped = true
		default:
			f.texts[digest] = string(f.buf)
			f.kept += len(f.buf)
		}
	}
	if cap(f.buf) > 16<<20 {
		f.buf = nil
	}
}

// neither reports whether the file of a digest is sure to be no ELF file and no
// script.
func (f *Facts) neither(digest image.Digest) bool {
	_, isProgram := f.programs[digest]
	text, isText := f.texts[digest]
	return digest != "" && !isProgram && (!isText && !f.dropped || isText && !strings.HasPrefix(text, "#!"))
}

// program is what an ELF file says of how it is run.
type program struct {
	machine elf.Machine
	kind    elf.Type
	interp  string
	soname  string
	needed  []string
	// paths are where libraries are looked for; inherited says that they are also
	// for the libraries of its libraries (DT_RPATH without DT_RUNPATH).
	paths     []string
	inherited bool
}

// readProgram reads what it can; of a file that is broken or cut short that may
// be the header alone.
func readProgram(data []byte) *program {
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	p := &program{machine: file.Machine, kind: file.Type}
	for _, s := range file.Progs {
		if s.Type == elf.PT_INTERP && s.Filesz < 4096 {
			b := make([]byte, s.Filesz)
			if n, _ := s.ReadAt(b, 0); n == len(b) {
				p.interp = string(bytes.TrimRight(b, "\x00"))
			}
		}
	}
	texts := func(tag elf.DynTag) []string {
		list, err := file.DynString(tag)
		if err != nil {
			return nil
		}
		return list
	}
	p.needed = texts(elf.DT_NEEDED)
	if s := texts(elf.DT_SONAME); len(s) > 0 {
		p.soname = s[0]
	}
	run, old := texts(elf.DT_RUNPATH), texts(elf.DT_RPATH)
	if len(run) == 0 {
		run, p.inherited = old, len(old) > 0
	}
	for _, r := range run {
		p.paths = append(p.paths, strings.Split(r, ":")...)
	}
	return p
}
