// Package lint finds what will go wrong with an image when it is run: a
// configuration, a listing of files and what their contents say ([Facts]) go in,
// findings come out, most serious first. It runs nothing.
//
// A finding is an error where the image cannot do what Entrypoint, Cmd or User
// say, else a warning. What may be right is not reported: libraries are judged
// from programs on, as the loader finds them; calls of programs only in the script
// that is run first, and only where nothing there changes what a name means.
package lint

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"gonix/dockertools/image"
	"gonix/dockertools/listing"
	"gonix/dockertools/tarball"
)

// Finding is something wrong with an image.
type Finding struct {
	// Error says that the image cannot run as it is; else it is a warning.
	Error   bool   `json:"error"`
	Check   string `json:"check"`
	Message string `json:"message"`
	// Where is the file or setting, Advice what to do.
	Where  string `json:"where,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// manyLayers is where little room is left below what clients take.
const manyLayers = 120

// maxLinks bounds the symbolic links followed for one name.
const maxLinks = 40

// defaultPath is where runtimes look for programs without a PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// subject is the image under examination.
type subject struct {
	cfg   image.Config
	files map[string]*listing.File
	names []string // of files, in order
	facts *Facts
	found []Finding
	// mounted says that a name led into the store, of which the image has nothing:
	// it is there when the image runs, or the name leads nowhere.
	mounted bool
}

// Check examines an image; facts were gathered when l was read.
func Check(cfg image.Config, l *listing.Listing, facts *Facts) []Finding {
	s := &subject{cfg: cfg, files: make(map[string]*listing.File, len(l.Files)), facts: facts}
	for i := range l.Files {
		s.files[l.Files[i].Name] = &l.Files[i]
		s.names = append(s.names, l.Files[i].Name)
	}
	main := s.command()
	s.healthcheck()
	s.user()
	if f := s.resolve(path.Join("/", s.text("WorkingDir")), 0); f != nil && f.Kind != tarball.Directory {
		s.fail("directory", "WorkingDir", fmt.Sprintf("WorkingDir %s is a %s, not a directory", s.text("WorkingDir"), f.Kind), "name a directory; one that is absent is made when the image is run")
	}
	if f := s.resolve("/tmp", 0); f == nil || f.Kind != tarball.Directory {
		s.warn("tmp", "/tmp", "there is no directory /tmp; many programs need one", "add 'mkdir -m 1777 tmp' to extraCommands, or mount a tmpfs there")
	} else if f.Mode&0o1777 != 0o1777 {
		s.warn("tmp", "/tmp", fmt.Sprintf("/tmp has mode %04o; only 1777 lets every user write there and nobody delete what others wrote", f.Mode), "add 'chmod 1777 tmp' to extraCommands")
	}
	if n := len(l.UnpackedSizes); n > image.MaxLayers {
		s.fail("layers", "", fmt.Sprintf("%d layers, but clients take no more than %d", n, image.MaxLayers), "lower maxLayers")
	} else if n > manyLayers {
		s.warn("layers", "", fmt.Sprintf("%d layers leave little room: clients take no more than %d", n, image.MaxLayers), "lower maxLayers")
	}
	s.programs(main)
	s.certificates()
	s.modes()
	return s.found
}

// fail adds an error before the warnings.
func (s *subject) fail(check, where, message, advice string) {
	i := 0
	for i < len(s.found) && s.found[i].Error {
		i++
	}
	s.found = append(s.found[:i:i], append([]Finding{{true, check, message, where, advice}}, s.found[i:]...)...)
}

func (s *subject) warn(check, where, message, advice string) {
	s.found = append(s.found, Finding{false, check, message, where, advice})
}

// report adds a finding: [subject.fail] or [subject.warn].
type report func(check, where, message, advice string)

// command checks what Entrypoint and Cmd run, and returns it.
func (s *subject) command() *listing.File {
	entry, cmd := s.words("Entrypoint"), s.words("Cmd")
	switch {
	case len(entry) > 0:
		return s.run("Entrypoint", slices.Concat(entry, cmd), s.fail)
	case len(cmd) > 0:
		return s.run("Cmd", cmd, s.fail)
	}
	s.warn("command", "Cmd", "neither Entrypoint nor Cmd is set; a container needs a command to be named", "set Entrypoint or Cmd in 'config'")
	return nil
}

// healthcheck checks what Healthcheck runs, for runtimes that heed it (docker, podman).
func (s *subject) healthcheck() {
	var h struct{ Test []string }
	if json.Unmarshal(s.cfg.Settings["Healthcheck"], &h) != nil || len(h.Test) < 2 {
		return
	}
	words := h.Test[1:]
	switch h.Test[0] {
	case "CMD":
	case "CMD-SHELL":
		shell := s.words("Shell")
		if len(shell) == 0 {
			shell = []string{"/bin/sh", "-c"}
		}
		words = slices.Concat(shell, words)
	default:
		return
	}
	s.run("Healthcheck", words, s.warn)
}

// starters run the program that their arguments name, after "--" if there is one.
var starters = []string{"tini", "tini-static", "dumb-init", "catatonit"}

// run checks the command words of the setting key, and returns its program.
func (s *subject) run(key string, words []string, tell report) *listing.File {
	f := s.program(key, words[0], tell)
	if f == nil {
		return nil
	}
	problem, advice, check := "", "", "interpreter"
	if p := s.facts.programs[f.Digest]; p != nil {
		problem, advice, check = s.wrongProgram(f, p)
	} else if problem, advice = s.wrongScript(f); problem == "" && s.facts.neither(f.Digest) {
		problem, advice, check = "it begins neither as a program (ELF) nor as a script (#!), so that it cannot be run", "write '#!' and an interpreter into its first line (writeShellScript)", "command"
	}
	if problem == "" {
		problem, advice, check = s.forbidden(f), "open it to that user (chmod a+rx), or let it belong to the user", "permission"
	}
	if problem != "" {
		tell(check, key, fmt.Sprintf("%s /%s: %s", key, f.Name, problem), advice)
		return f
	}
	s.script(key, words, f)
	if slices.Contains(starters, path.Base(words[0])) {
		rest := words[1:]
		if i := slices.Index(rest, "--"); i >= 0 {
			rest = rest[i+1:]
		}
		if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			return s.run(key, rest, tell)
		}
	}
	return f
}

func (s *subject) words(key string) []string {
	raw := s.cfg.Settings[key]
	var words []string
	if json.Unmarshal(raw, &words) == nil {
		return words
	}
	if word := ""; json.Unmarshal(raw, &word) == nil { // as docker takes it
		return []string{word}
	}
	return nil
}

// program finds a program as a runtime does, and tells where there is none.
func (s *subject) program(key, name string, tell report) *listing.File {
	var dirs []string
	if strings.Contains(name, "/") {
		dirs = []string{""}
		if !path.IsAbs(name) {
			dirs = []string{"/" + s.text("WorkingDir")}
		}
	} else {
		dirs = s.searchDirs()
	}
	var denied, where string
	s.mounted = false
	for _, dir := range dirs {
		file := path.Join("/", dir, name)
		switch f := s.resolve(file, 0); {
		case f == nil:
		case f.Kind == tarball.Regular && f.Mode&0o111 != 0:
			return f
		default:
			denied, where = fmt.Sprintf("%s %s is a %s with mode %04o, not a program", key, file, f.Kind, f.Mode), file
		}
	}
	switch {
	case denied == "" && s.mounted:
		s.warn("store", name, fmt.Sprintf("%s %s is in the store, which the image does not have", key, name), "mount /nix/store when it is run, or leave includeStorePaths true")
	case denied != "":
		tell("command", where, denied, "make it executable (chmod +x, writeScript), or name another")
	case strings.Contains(name, "/"):
		tell("command", name, fmt.Sprintf("%s %s is not in the image", key, name), "name the program by its store path, or put its package into the contents")
	default:
		tell("command", name, fmt.Sprintf("%s %s is in no directory of PATH (%s)", key, name, s.searchPath()), "put its package into the contents, and set PATH in Env")
	}
	return nil
}

// search finds a program by its name in PATH, nil if there is none.
func (s *subject) search(name string) *listing.File {
	for _, dir := range s.searchDirs() {
		if f := s.resolve(path.Join(dir, name), 0); f != nil && f.Kind == tarball.Regular && f.Mode&0o111 != 0 {
			return f
		}
	}
	return nil
}

func (s *subject) text(key string) string {
	var text string
	if raw, ok := s.cfg.Settings[key]; !ok || json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

func (s *subject) searchPath() string {
	if p := s.env("PATH"); p != "" {
		return p
	}
	return defaultPath
}

// searchDirs are the directories of PATH; those that are not absolute are below
// WorkingDir.
func (s *subject) searchDirs() []string {
	dirs := strings.Split(s.searchPath(), ":")
	for i, dir := range dirs {
		if !path.IsAbs(dir) {
			dirs[i] = path.Join("/", s.text("WorkingDir"), dir)
		}
	}
	return dirs
}

// env returns a variable of the configuration, "" if it is not set. Of several of
// one name runtimes take the last.
func (s *subject) env(name string) string {
	value := ""
	for _, e := range s.words("Env") {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// user checks that names can be looked up.
func (s *subject) user() {
	user, group, _ := strings.Cut(s.text("User"), ":")
	const advice = "use a number, or make the user with runAsRoot (shadowSetup) or fakeNss"
	for _, c := range []struct{ what, name, file string }{{"user", user, "/etc/passwd"}, {"group", group, "/etc/group"}} {
		if strings.Trim(c.name, "0123456789") == "" {
			continue
		}
		f := s.resolve(c.file, 0)
		if f == nil || f.Kind != tarball.Regular {
			s.fail("user", c.file, fmt.Sprintf("User names the %s '%s', but there is no %s to look it up in", c.what, c.name, c.file), advice)
			continue
		}
		table, read := s.facts.texts[f.Digest]
		if read && len(table) < maxText && !strings.HasPrefix(table, c.name+":") && !strings.Contains(table, "\n"+c.name+":") {
			s.fail("user", c.file, fmt.Sprintf("User names the %s '%s', which %s does not have", c.what, c.name, c.file), advice)
		}
	}
}

// record returns the fields of the line of a table whose field at is value, nil
// if there is none or the table was not read.
func (s *subject) record(file string, at int, value string) []string {
	f := s.resolve(file, 0)
	if f == nil {
		return nil
	}
	for line := range strings.Lines(s.facts.texts[f.Digest]) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) > at && len(fields) > 2 && fields[at] == value {
			return fields
		}
	}
	return nil
}

// ids are the user and group that the image runs as, as runtimes look them up;
// known is false where the names lead to none.
func (s *subject) ids() (uid, gid int, known bool) {
	user, group, _ := strings.Cut(s.text("User"), ":")
	uidText, gidText := "0", "0"
	if user != "" {
		fields := s.record("/etc/passwd", 0, user)
		if fields == nil {
			fields, uidText = s.record("/etc/passwd", 2, user), user
		}
		if len(fields) > 3 {
			uidText, gidText = fields[2], fields[3]
		}
	}
	if group != "" {
		gidText = group
		if fields := s.record("/etc/group", 0, group); fields != nil {
			gidText = fields[2]
		}
	}
	uid, errUser := strconv.Atoi(uidText)
	gid, errGroup := strconv.Atoi(gidText)
	return uid, gid, errUser == nil && errGroup == nil
}

// forbidden says why the user of the image may not execute f, "" if it may, or may
// as a member of further groups.
func (s *subject) forbidden(f *listing.File) string {
	uid, gid, known := s.ids()
	if !known || uid == 0 {
		return ""
	}
	for name := f.Name; name != "."; name = path.Dir(name) {
		at := s.files[name]
		if at == nil {
			continue
		}
		may := at.Mode & 0o011
		if uid == at.UID {
			may = at.Mode & 0o100
		} else if gid == at.GID {
			may = at.Mode & 0o010
		}
		if may == 0 {
			return fmt.Sprintf("user %d:%d may not execute the %s /%s (mode %04o, owner %d:%d)", uid, gid, at.Kind, name, at.Mode, at.UID, at.GID)
		}
	}
	return ""
}

// resolve returns the file at an absolute name, following symbolic links inside
// the image; nil where there is none.
func (s *subject) resolve(name string, links int) *listing.File {
	at := ""
	parts := strings.Split(strings.Trim(path.Clean(name), "/"), "/")
	for i, part := range parts {
		full := strings.TrimPrefix(at+"/"+part, "/")
		f := s.files[full]
		if f == nil {
			if s.files["nix/store"] == nil && strings.HasPrefix(path.Clean(name), "/nix/store/") {
				s.mounted = true
			}
			return nil
		}
		if f.Kind == tarball.Symlink {
			if links++; links > maxLinks {
				return nil
			}
			target := f.Target
			if !path.IsAbs(target) {
				target = "/" + at + "/" + target
			}
			return s.resolve(path.Join(append([]string{"/", target}, parts[i+1:]...)...), links)
		}
		at = full
		if i == len(parts)-1 {
			return f
		}
	}
	return nil
}
