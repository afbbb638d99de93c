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
	s.user()
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

// command checks what Entrypoint, or Cmd without one, runs, and returns it.
func (s *subject) command() *listing.File {
	for _, key := range []string{"Entrypoint", "Cmd"} {
		words := s.words(key)
		if len(words) == 0 {
			continue
		}
		f := s.program(key, words[0])
		if f == nil {
			return nil
		}
		problem, advice, check := "", "", "interpreter"
		if p := s.facts.programs[f.Digest]; p != nil {
			problem, advice, check = s.wrongProgram(f, p)
		} else {
			problem, advice = s.wrongScript(f)
		}
		if problem != "" {
			s.fail(check, key, fmt.Sprintf("%s /%s: %s", key, f.Name, problem), advice)
			return f
		}
		s.script(key, words, f)
		return f
	}
	s.warn("command", "Cmd", "neither Entrypoint nor Cmd is set; a container needs a command to be named", "set Entrypoint or Cmd in 'config'")
	return nil
}

func (s *subject) words(key string) []string {
	var words []string
	if raw, ok := s.cfg.Settings[key]; !ok || json.Unmarshal(raw, &words) != nil {
		return nil
	}
	return words
}

// program finds a program as a runtime does; where there is none that is an error.
func (s *subject) program(key, name string) *listing.File {
	var dirs []string
	if strings.Contains(name, "/") {
		dirs = []string{""}
		if !path.IsAbs(name) {
			dirs = []string{"/" + s.text("WorkingDir")}
		}
	} else {
		dirs = strings.Split(s.searchPath(), ":")
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
		s.fail("command", where, denied, "make it executable (chmod +x, writeScript), or name another")
	case strings.Contains(name, "/"):
		s.fail("command", name, fmt.Sprintf("%s %s is not in the image", key, name), "name the program by its store path, or put its package into the contents")
	default:
		s.fail("command", name, fmt.Sprintf("%s %s is in no directory of PATH (%s)", key, name, s.searchPath()), "put its package into the contents, and set PATH in Env")
	}
	return nil
}

// search finds a program by its name in PATH, nil if there is none.
func (s *subject) search(name string) *listing.File {
	for _, dir := range strings.Split(s.searchPath(), ":") {
		if f := s.resolve(path.Join("/", dir, name), 0); f != nil && f.Kind == tarball.Regular && f.Mode&0o111 != 0 {
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

// env returns a variable of the configuration, "" if it is not set.
func (s *subject) env(name string) string {
	for _, e := range s.words("Env") {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
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
