package lint

import (
	"debug/elf"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

// machines are those that programs of an architecture are for.
var machines = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386}, "386": {elf.EM_386}, "arm64": {elf.EM_AARCH64, elf.EM_ARM}, "arm": {elf.EM_ARM},
	"riscv64": {elf.EM_RISCV}, "ppc64le": {elf.EM_PPC64}, "s390x": {elf.EM_S390}, "loong64": {elf.EM_LOONGARCH}, "mips64le": {elf.EM_MIPS},
}

// defaultDirs are where loaders look for libraries at last.
var defaultDirs = []string{"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}

// group gathers files that have the same wrong with them.
type group struct {
	check, message, advice string
	files                  []string
}

// groups are findings by what they say.
type groups map[string]*group

func (g groups) add(file, check, message, advice string) {
	if g[message] == nil {
		g[message] = &group{check, message, advice, nil}
	}
	g[message].files = append(g[message].files, file)
}

// warn turns each group into one warning.
func (s *subject) warnGroups(g groups) {
	for _, key := range slices.Sorted(maps.Keys(g)) {
		x := g[key]
		where := "/" + x.files[0]
		if n := len(x.files); n > 1 {
			where += fmt.Sprintf(" and %d more", n-1)
		}
		s.warn(x.check, where, x.message+": "+where, x.advice)
	}
}

// programs checks all programs and the scripts in folders called bin or sbin.
// What Entrypoint or Cmd runs is an error, and was looked at before.
func (s *subject) programs(main *listing.File) {
	g := groups{}
	seen := map[image.Digest]bool{}
	if main != nil {
		seen[main.Digest] = true
	}
	for _, name := range s.names {
		f := s.files[name]
		if f.Kind != tarball.Regular || f.Mode&0o111 == 0 || seen[f.Digest] {
			continue
		}
		p := s.facts.programs[f.Digest]
		dir := path.Base(path.Dir(name))
		switch {
		case p != nil:
			seen[f.Digest] = true
			if problem, advice, check := s.wrongProgram(f, p); problem != "" {
				g.add(name, check, problem, advice)
			}
		case dir == "bin" || dir == "sbin":
			if problem, advice := s.wrongScript(f); problem != "" {
				seen[f.Digest] = true
				g.add(name, "interpreter", problem, advice)
			}
		}
	}
	s.warnGroups(g)
}

// wrongProgram says why an ELF file cannot be run.
func (s *subject) wrongProgram(f *listing.File, p *program) (problem, advice, check string) {
	if p.kind != elf.ET_EXEC && p.kind != elf.ET_DYN {
		return "", "", ""
	}
	if want := machines[s.cfg.Architecture]; want != nil && !slices.Contains(want, p.machine) {
		return fmt.Sprintf("the image is for %s, but this is a program for %s", s.cfg.Architecture, strings.ToLower(strings.TrimPrefix(p.machine.String(), "EM_"))),
			"build it for that architecture, or set the image's 'architecture'", "architecture"
	}
	if p.interp == "" || p.soname != "" { // static, or a library that can be run too
		return "", "", ""
	}
	if l := s.resolve(p.interp, 0); l == nil || l.Kind != tarball.Regular {
		return fmt.Sprintf("the loader %s of a program is not in the image", p.interp),
			"take the program from a package set that has its loader in the closure, change it with patchelf --set-interpreter, or put the C library into the contents", "loader"
	}
	if lib := s.missingLibrary(f, p); lib != "" {
		return fmt.Sprintf("the library %s is not where a program looks for it", lib),
			"put the library into the closure: link with an rpath, or set LD_LIBRARY_PATH", "library"
	}
	return "", "", ""
}

// missingLibrary returns a library that the loader will not find, following what
// is needed from the program on as it does (ld.so(8)). A cache of the loader that
// is in the image may know more, so with one nothing is missing.
func (s *subject) missingLibrary(f *listing.File, p *program) string {
	if s.resolve("/etc/ld.so.cache", 0) != nil {
		return ""
	}
	type object struct {
		file  *listing.File
		p     *program
		rpath []string // inherited
	}
	loaded := map[string]bool{}
	var common []string
	for _, dir := range strings.Split(s.env("LD_LIBRARY_PATH"), ":") {
		common = append(common, dir)
	}
	last := append([]string{path.Dir(p.interp)}, defaultDirs...)
	if l := s.resolve(p.interp, 0); l != nil {
		last = append(last, path.Dir("/"+l.Name))
	}
	for todo := []object{{f, p, nil}}; len(todo) > 0; todo = todo[1:] {
		o := todo[0]
		var own []string
		for _, dir := range o.p.paths {
			own = append(own, strings.NewReplacer("${ORIGIN}", "/"+path.Dir(o.file.Name), "$ORIGIN", "/"+path.Dir(o.file.Name)).Replace(dir))
		}
		inherited := o.rpath
		if o.p.inherited {
			inherited = append(slices.Clone(own), o.rpath...)
		}
		for _, name := range o.p.needed {
			if loaded[name] {
				continue
			}
			loaded[name] = true
			dirs := slices.Concat(own, inherited, common, last)
			if strings.Contains(name, "/") {
				dirs = []string{""}
			}
			var found *listing.File
			for _, dir := range dirs {
				if strings.Contains(dir, "$") {
					return "" // of a form that is not known here
				}
				if !path.IsAbs(path.Join(dir, name)) {
					continue
				}
				if l := s.resolve(path.Join(dir, name), 0); l != nil && l.Kind == tarball.Regular {
					if lp := s.facts.programs[l.Digest]; lp == nil || lp.machine == p.machine {
						found = l
						break
					}
				}
			}
			if found == nil {
				return name
			}
			if lp := s.facts.programs[found.Digest]; lp != nil {
				loaded[lp.soname] = true
				todo = append(todo, object{found, lp, inherited})
			}
		}
	}
	return ""
}

// interpreter splits the first line of a script as Linux does: the program, and all
// that comes after it as one word.
func interpreter(text string) (program, arg string) {
	line, isScript := strings.CutPrefix(text, "#!")
	if !isScript {
		return "", ""
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.Trim(line, " \t")
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i], strings.TrimLeft(line[i:], " \t")
	}
	return line, ""
}

// envProgram is what env runs that is the interpreter of a script with this word,
// "" where that is not clear. Only with -S does it split the word.
func envProgram(arg string) string {
	words := []string{arg}
	if rest, ok := strings.CutPrefix(arg, "-S"); ok {
		words = strings.Fields(rest)
		for len(words) > 0 && strings.Contains(words[0], "=") {
			words = words[1:]
		}
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=") {
		return ""
	}
	return words[0]
}

// wrongScript says why a script cannot be run.
func (s *subject) wrongScript(f *listing.File) (problem, advice string) {
	program, arg := interpreter(s.facts.texts[f.Digest])
	if program == "" {
		return "", ""
	}
	if strings.HasSuffix(program, "\r") || strings.HasSuffix(arg, "\r") {
		return "the first line of a script ends as lines of Windows do (CR LF), and the CR becomes a part of the interpreter's name or argument", "convert it (tr -d '\\r', dos2unix); with git, set 'text eol=lf' in .gitattributes"
	}
	const help = "write the interpreter's store path into the script (patchShebangs, writeShellScript), or put it into the contents (dockerTools.binSh, dockerTools.usrBinEnv)"
	if l := s.resolve(program, 0); l == nil || l.Kind != tarball.Regular {
		return fmt.Sprintf("the interpreter %s of a script is not in the image", program), help
	}
	if path.Base(program) != "env" {
		return "", ""
	}
	switch name := envProgram(arg); {
	case name == "":
	case strings.ContainsAny(name, " \t"):
		return fmt.Sprintf("env looks for a program called '%s': what comes after it in the first line of a script is one word", name), "write 'env -S', which splits it, or name the interpreter without arguments"
	case strings.Contains(name, "/"):
		if l := s.resolve(name, 0); path.IsAbs(name) && (l == nil || l.Kind != tarball.Regular) {
			return fmt.Sprintf("the interpreter %s of a script is not in the image", name), help
		}
	case s.search(name) == nil:
		return fmt.Sprintf("the interpreter %s of a script is in no directory of PATH (%s)", name, s.searchPath()), help
	}
	return "", ""
}
